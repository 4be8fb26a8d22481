"""An exported comparison, verified offline: identical, or where it differs; and what is no comparison."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from chalicelib.domain.errors import InvalidInput
from chalicelib.domain.evaluation.result.result import Evaluation
from phoenix_cli.commands.experiment import app
from phoenix_cli.show.experiment.compare import compare_document
from phoenix_cli.show.experiment.verifying import check, checked_document, checked_lines
from tests.unit.show.made import decided, evaluation_of, experiment_in, harm


def exported(found: Evaluation | None) -> dict[str, Any]:
    experiment = decided(experiment_in(), found) if found is not None and found.verdict else experiment_in()
    return json.loads(json.dumps(compare_document(experiment, found)))


@pytest.mark.parametrize("found", [evaluation_of(), harm(), evaluation_of(9)], ids=["promote", "reject", "running"])
def test_what_was_exported_is_identical(found: Evaluation, tmp_path: Path) -> None:
    document = exported(found)
    checked = check(document, "x")
    assert (checked.found, checked.identical) == ((), True)
    assert checked_lines(checked)[1] == f"digest {found.digest}"
    assert checked_document(checked)["differences"] == []
    path = tmp_path / "x.json"
    path.write_text(json.dumps(document), "utf-8")
    done = CliRunner().invoke(app, ["recompute", str(path)])
    assert (done.exit_code, done.output.startswith("identical: web-topk")) == (0, True)


def test_a_changed_sum_is_found_with_its_place_and_ends_with_1(tmp_path: Path) -> None:
    document = exported(evaluation_of())
    document["evidence"]["batches"][3]["b"] -= 500
    found = check(document, "x")
    assert "/evidence/batches" in {one.pointer for one in found.found}
    path = tmp_path / "x.json"
    path.write_text(json.dumps(document), "utf-8")
    done = CliRunner().invoke(app, ["recompute", str(path), "--output", "json"])
    assert done.exit_code == 1
    assert json.loads(done.output)["identical"] is False
    assert "says" in checked_lines(found)[1]


def test_a_verdict_that_was_rewritten_at_the_top_is_found() -> None:
    document = exported(harm())
    document["verdict"] = "promote"
    assert [one.pointer for one in check(document, "x").found] == ["/verdict"]


def test_a_consistent_forgery_differs_from_the_digest_that_the_outcome_keeps() -> None:
    document = exported(evaluation_of())
    document["experiment"]["outcome"]["evidence"] = "0" * 64
    assert [one.pointer for one in check(document, "x").found] == ["/experiment/outcome/evidence"]


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ([], "is not an exported comparison"),
        ({"evidence": {}, "latest": {}, "verdict": None}, "is not an exported comparison"),
        ({"evidence": None, "latest": {}, "verdict": None}, "nothing to compute again"),
    ],
)
def test_what_is_no_comparison_is_refused(document: Any, says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        check(document, "x")


def test_an_unknown_field_is_refused_by_its_place() -> None:
    document = exported(evaluation_of())
    document["reduction"]["surprise"] = 1
    with pytest.raises(InvalidInput) as refused:
        check(document, "x")
    assert refused.value.problems[0].pointer == "/reduction/surprise"
