"""What came of a pipeline of one's own: files and lines named, foreign text harmless."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from chalicelib.domain.errors import InvalidInput, Problem
from chalicelib.domain.pipeline.own_document import METADATA
from phoenix_cli.pipeline_file import read_pipeline_file
from phoenix_cli.problems import text
from phoenix_cli.show.pipelines.own_pipelines import saved_notes, saved_table

REPORT = {"findings": [], "retention": {"state": "not checked", "explanation": "no critical process is named"}}


def made(**changes: Any) -> dict[str, Any]:
    return {"name": "lean", "version": {"number": 3}, "new": True, "leftOut": [], "report": REPORT, **changes}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "metadata.yaml").write_text("title: t\nparameters:\n  - name: k\n")
    (tmp_path / "collector.yaml").write_text("order: [filter/a]\nprocessors:\n  filter/a:\n    x: 1\n")
    return tmp_path


def test_what_is_left_out_and_warned_of_is_placed_in_the_file(folder: Path) -> None:
    read = read_pipeline_file(folder / "collector.yaml")
    left = {"pointer": "/processors/filter~1a", "what": "batch\x1b[2J", "why": "Phoenix brings one"}
    warning = {"rule": "PHX-V161", "severity": "warning", "message": "m", "why": "w", "fix": "f"}
    found = {**REPORT, "findings": [{**warning, "pointer": "/processors/filter~1a/x"}, {**warning, "pointer": ""}]}
    notes = "\n".join(saved_notes(made(leftOut=[left], report=found), read))
    assert f"left out: batch?[2J   ({read.name}:3)" in notes
    assert f"processors.filter/a.x: m   ({read.name}:4)" in notes
    assert f"warning: m   ({read.name})" in notes
    assert "critical processes not checked" in notes


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "version 3; try it: phoenix pipeline export lean"),
        ({"new": False}, "no new one is made"),
        ({"version": None, "new": False}, "nothing is stored"),
    ],
)
def test_the_result_is_one_sentence(changes: dict[str, Any], words: str) -> None:
    assert words in saved_table(made(**changes)).plain


@pytest.mark.parametrize(
    ("pointer", "rule", "place"),
    [
        ("/processors/filter~1a/y", "wrong", "collector.yaml:3)"),
        (f"{METADATA}/parameters/0/name", "wrong", "metadata.yaml:3)"),
        (METADATA, "line 2: not YAML", "metadata.yaml, line 2: not YAML"),
        ("", "line 2: not YAML", "collector.yaml, line 2: not YAML"),
    ],
)
def test_a_refusal_names_the_file_of_a_folder_and_its_line(folder: Path, pointer: str, rule: str, place: str) -> None:
    read = read_pipeline_file(folder)
    error = read.explained(InvalidInput("refused", problems=(Problem(pointer, rule),)))
    assert place in text(error, error.lines, error.file)  # type: ignore[attr-defined]


def test_a_file_that_is_no_collector_configuration_is_not_taken_for_one(folder: Path) -> None:
    with pytest.raises(InvalidInput, match="neither receivers nor service"):
        read_pipeline_file(folder / "collector.yaml", collector=True)
    with pytest.raises(InvalidInput, match="is a folder"):
        read_pipeline_file(folder, collector=True)
    assert read_pipeline_file(folder).metadata is not None
