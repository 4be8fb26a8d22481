"""Errors as documents: every wrong field with a pointer that leads to it, one form, and nothing of ours inside."""

from __future__ import annotations

import pytest
from pydantic import BaseModel, ValidationError

from chalicelib.api.furniture.problem import document, invalid, pointer
from chalicelib.domain.errors import Conflict, InvalidInput, PhoenixError, Problem
from chalicelib.domain.experiment.spec import ExperimentManifest


def wrong(model: type[BaseModel], body: object) -> InvalidInput:
    with pytest.raises(ValidationError) as caught:
        model.model_validate(body)
    return invalid(caught.value, "")


def test_a_document_holds_what_scripts_and_people_need() -> None:
    error = Conflict("host 'h1' is busy", problems=(Problem("/spec/targets", "busy", "wait"),), hint="wait for it")
    assert document(error) == {
        "type": "https://phoenix.io/docs/troubleshooting#phx-conflict",
        "title": "conflict",
        "status": 409,
        "detail": "host 'h1' is busy",
        "code": "PHX-CONFLICT",
        "hint": "wait for it",
        "errors": [{"pointer": "/spec/targets", "rule": "busy", "fix": "wait"}],
    }


def test_a_pointer_escapes_as_rfc_6901_says() -> None:
    assert pointer(("a/b", "c~d", 0)) == "/a~1b/c~0d/0"
    assert pointer(()) == ""


def test_every_wrong_field_is_listed_and_the_first_is_the_sentence() -> None:
    error = wrong(ExperimentManifest, {"apiVersion": "phoenix.io/v1alpha1", "kind": "Experiment", "spec": {}, "x": 1})
    pointers = [problem.pointer for problem in error.problems]
    assert {"/metadata", "/spec/baseline", "/spec/candidate", "/spec/targets", "/spec/critical", "/x"} == set(pointers)
    assert error.detail == f"{pointers[0]}: required, but missing (and {len(pointers) - 1} more)"
    assert {p.rule for p in error.problems if p.pointer == "/x"} == {"unknown field 'x'"}


def test_the_root_of_the_tree_gives_nothing_away() -> None:
    found = document(PhoenixError("the server made a mistake; it is in the server's log"))
    assert (found["status"], found["code"], found["errors"]) == (500, "PHX-INTERNAL", [])
