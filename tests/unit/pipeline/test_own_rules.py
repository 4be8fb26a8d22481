"""What a pipeline of one's own must keep to: each rule by what breaks it, and that the catalog itself keeps to them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from chalicelib.adapters.catalog.files import FileCatalog
from chalicelib.domain.errors import InvalidInput
from chalicelib.domain.pipeline.metadata import Parameter, ParameterType
from chalicelib.domain.pipeline.own import PipelineSpec, spec_of
from chalicelib.domain.pipeline.own_document import METADATA, Form, document, written
from chalicelib.domain.pipeline.own_rules import check_spec
from tests.unit.pipeline.golden import CATALOG

NAMES = FileCatalog(CATALOG).names()
DEFAULTS: dict[ParameterType, Any] = {
    ParameterType.INT: 3,
    ParameterType.STRING: "a",
    ParameterType.REGEX: "a",
    ParameterType.REGEXES: ["a"],
    ParameterType.NUMBER: 0.5,
    ParameterType.BOOL: True,
}


def spec(*statements: str, body: Any = None, kinds: tuple[ParameterType, ...] = (), **changes: Any) -> PipelineSpec:
    """A pipeline with one filter. kinds: a parameter of each, called by its kind."""
    processor = body if body is not None else {"metric_conditions": list(statements)}
    fields = {"title": "t", "description": "d", "order": ("filter/a",), "processors": {"filter/a": processor}}
    parameters = [
        Parameter(name=kind.value, type=kind, minimum=0, maximum=20, default=DEFAULTS[kind], description="d")
        for kind in kinds
    ]
    return PipelineSpec.model_validate({**fields, "parameters": parameters, **changes})


INT, STRING, REGEXES = ParameterType.INT, ParameterType.STRING, ParameterType.REGEXES
FIRST = "/processors/filter~1a/metric_conditions/0"


@pytest.mark.parametrize("name", NAMES)
def test_every_pipeline_of_the_catalog_would_be_taken(name: str) -> None:
    assert check_spec(spec_of(FileCatalog(CATALOG).get(name))) == []


@pytest.mark.parametrize("name", NAMES)
def test_the_catalogs_form_and_the_document_say_the_same(name: str) -> None:
    folder: Path = CATALOG / name
    template, metadata = (yaml.safe_load((folder / file).read_text()) for file in ("collector.yaml", "metadata.yaml"))
    found = written(template, metadata)
    assert (found.form, found.name, found.spec) == (Form.FOLDER, name, spec_of(FileCatalog(CATALOG).get(name)))
    assert written(yaml.safe_load(document(name, found.spec))).spec == found.spec
    assert {"version", "changelog"} <= {one.what for one in found.left_out}


@pytest.mark.parametrize(
    ("wrong", "pointer", "words"),
    [
        (spec('"${env:SECRET}" == "a"'), FIRST, "reads the environment"),
        (spec('"${file:/etc/passwd}" == "a"'), FIRST, "reads the environment"),
        (spec('"$${env:X} ${env:X}" == ""'), FIRST, "reads the environment"),
        (spec(body={"password": "hunter2"}), "/processors/filter~1a/password", "a secret in clear text"),
        (spec("@{k} > 1"), FIRST, "not declared"),
        (spec('name == "@{string}"', kinds=(STRING,)), FIRST, "inside quotes"),
        (spec(r'name == "a\"@{string}"', kinds=(STRING,)), FIRST, "inside quotes"),
        (spec("name@{int} > 1", kinds=(INT,)), FIRST, "joined to a word"),
        (spec("1 > @{int}e3", kinds=(INT,)), FIRST, "joined to a word"),
        (spec("1 > @{int}@{int}", kinds=(INT,)), FIRST, "another value"),
        (spec("@{string}", kinds=(STRING,)), FIRST, "a whole statement"),
        (spec("@{regexes}", kinds=(REGEXES,)), FIRST, "a whole statement"),
        (spec("@{string-1} == 3", kinds=(STRING,)), FIRST, "is shifted"),
        (spec("@{interval_ns+1} == 3"), FIRST, "is shifted"),
        (spec("@{Name} == 3"), FIRST, "none follows"),
        (spec(body={"@{int}": "@{int}"}, kinds=(INT,)), "/processors/filter~1a", "keys are never filled in"),
        (spec("true", kinds=(INT,)), "/parameters/0/name", "used in no processor"),
        (spec(body={"a": {1: 2}}), "/processors/filter~1a/a", "cannot be a key"),
        (spec(body={"a": float("inf")}), "/processors/filter~1a/a", "not a finite number"),
        (spec(body={"a": "\ud800"}), "/processors/filter~1a/a", "surrogate"),
        (spec(body={"a": b"x"}), "/processors/filter~1a/a", "bytes"),
        (spec(body={"a": "x" * 300_000}), "/processors", "256 KiB"),
        (spec("true", order=("filter/b",)), "/order/0", "no processor"),
        (spec("true", order=("filter/a", "filter/a")), "/order/1", "twice"),
        (spec("true", scraperMetrics=("system.cpu.time",)), "/scraperMetrics/0", "no metric of the process scraper"),
        (spec("true", scraperMetrics=("process.threads", "process.threads")), "/scraperMetrics/1", "twice"),
    ],
)
def test_a_broken_rule_is_named_at_its_place(wrong: PipelineSpec, pointer: str, words: str) -> None:
    found = {problem.pointer: problem for problem in check_spec(wrong)}
    assert pointer in found, found
    assert words in found[pointer].rule
    assert found[pointer].fix


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("memory_limiter", "left to Phoenix"),
        ("batch/x", "left to Phoenix"),
        ("transform/mark", "of its own"),
        ("transform/strip", "of its own"),
        ("transform/kpi", "of its own"),
        ("filter/unasked", "of its own"),
        ("filter/_", "no id"),
        ("filter/a b", "no id"),
        ("filter/${env:X}", "no id"),
        ("Filter", "no id"),
    ],
)
def test_an_id_that_phoenix_needs_or_cannot_write_is_refused(name: str, words: str) -> None:
    assert words in check_spec(spec(order=(name,), processors={name: {}}))[0].rule


def test_what_aliases_multiply_is_bounded_before_it_is_unfolded() -> None:
    text: Any = ["x" * 1000] * 10
    for _ in range(12):
        text = [text] * 10
    (problem,) = check_spec(spec(body={"a": text}))
    assert "256 KiB" in problem.rule


def test_what_is_kept_is_bounded_as_it_is_kept() -> None:
    (problem,) = check_spec(spec(body={"a": "\U0001f525" * 60_000}))
    assert (problem.pointer, "KiB as JSON" in problem.rule) == ("", True)


def test_what_parameters_could_grow_to_is_bounded() -> None:
    many = spec(*["IsMatch(name, @{regexes})"] * 90, kinds=(REGEXES,))
    assert [problem.pointer for problem in check_spec(many)] == ["/processors"]


def test_parameters_are_checked_like_the_catalogs() -> None:
    knob = {"type": "int", "maximum": 5, "description": "d", "unit": "u" * 1001}
    patterns = {"name": "p", "type": "regexes", "maximum": 51, "default": [], "description": "d"}
    wrong = spec(
        "@{k} == @{k} and IsMatch(name, @{p})",
        parameters=[{**knob, "name": "k", "default": 9}, {**knob, "name": "k", "default": 1}, patterns],
    )
    rules = {problem.pointer: problem.rule for problem in check_spec(wrong)}
    assert "above the maximum" in rules["/parameters/0/default"]
    assert "twice" in rules["/parameters/1/name"]
    assert "over 1000" in rules["/parameters/0"]
    assert "more than 50" in rules["/parameters/2/maximum"]


@pytest.mark.parametrize(
    ("metadata", "template", "pointer"),
    [
        ({"title": "t"}, {"processors": {}, "order": []}, f"{METADATA}/description"),
        ({"title": "t", "description": "d"}, {"processor": {}}, "/processor"),
        ({"title": "t", "description": "d", "order": []}, {}, f"{METADATA}/order"),
        ({"title": "t", "description": "d", "colour": 1}, {}, f"{METADATA}/colour"),
        ({"title": "t", "description": "d", "name": "A B"}, {}, f"{METADATA}/name"),
        ({"title": "t", "description": "d"}, {"order": 3}, "/order"),
        ([], {}, METADATA),
        ({}, [], ""),
    ],
)
def test_a_folders_mistakes_are_told_by_file(metadata: Any, template: Any, pointer: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        written(template, metadata)
    assert pointer in [problem.pointer for problem in caught.value.problems]
