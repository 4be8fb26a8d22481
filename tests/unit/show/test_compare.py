"""The comparison: columns for people, and a document from which the verdict can be computed again."""

from __future__ import annotations

import json
from io import StringIO

import yaml
from rich.console import Console

from chalicelib.domain.evaluation.evaluation import Evaluation, recompute
from chalicelib.domain.experiment.state import Experiment, State
from phoenix_cli.show.experiment.compare import compare_document, compare_table, evaluation_in
from tests.unit.show.made import decided, evaluation_of, experiment_in, harm


def shown(experiment: Experiment, evaluation: Evaluation | None) -> str:
    out = StringIO()
    Console(file=out, width=160, no_color=True).print(compare_table(experiment, evaluation))
    return "\n".join(" ".join(line.split()) for line in out.getvalue().splitlines())


def test_streams_stand_side_by_side() -> None:
    text = shown(experiment_in(), evaluation_of())
    for row in (
        "pipeline as scraped process-baseline-v1 process-topk-v1 (k=20)",
        "series per scrape 14,922 14,922 1,344",
        "points per minute 59,687 59,687 5,376",
        "bytes sent not measured 109 MiB 10 MiB",
        "cost a month (example) $895 $895 $81",
        "critical nginx 18 processes 100 % 100 %",
        "overhead both arms together at most 1.9 % of a core, 81 MiB ✓",
    ):
        assert row in text


def test_a_loss_is_not_rounded_away_and_an_unseen_pattern_has_no_share() -> None:
    assert "critical payments 2 processes 100 % 86.3 %" in shown(experiment_in(), harm())
    text = shown(experiment_in(), evaluation_of(critical=("nginx", "cron")))
    assert "critical cron not seen not measured not measured" in text


def test_without_an_evaluation_the_table_is_empty() -> None:
    assert "series per scrape – – –" in shown(experiment_in(State.DEPLOYING), None)


def test_the_document_gives_the_verdict_again() -> None:
    for found in (evaluation_of(), harm(), evaluation_of(9)):
        experiment = decided(experiment_in(), found) if found.verdict else experiment_in()
        document = json.loads(json.dumps(compare_document(experiment, found, {"measure": 96.5})))
        read = evaluation_in(document)
        assert read == found
        assert recompute(read) == (found.verdict, found.reason)
        assert document["verdict"] == found.verdict
        assert document["recomputed"] == {"verdict": found.verdict, "reason": found.reason}
        assert document["phaseSeconds"] == {"measure": 96.5}
        assert yaml.safe_load(yaml.safe_dump(document)) == document


def test_the_verdict_of_record_stands_when_a_later_look_says_less() -> None:
    found, later = evaluation_of(), evaluation_of(9)
    document = compare_document(decided(experiment_in(), found), later)
    assert document["verdict"] == "promote"
    assert document["latest"]["verdict"] is None
    assert evaluation_in(document) == later


def test_its_keys_are_stable() -> None:
    found = evaluation_of()
    keys = set(compare_document(decided(experiment_in(), found), found))
    assert keys == set(compare_document(experiment_in(State.DEPLOYING), None))
    assert keys == {
        "name", "state", "verdict", "reason", "headline", "explanation", "hint", "decidedAt", "done",
        "series", "reduction", "critical", "overhead", "coverage", "evidence", "waitingFor", "minutesLeft", "cost",
        "digest", "latest", "judged", "kpis", "recomputed", "prediction", "proofs", "events", "phaseSeconds",
        "experiment",
    }  # fmt: skip


def test_without_an_evaluation_its_parts_are_null() -> None:
    document = compare_document(experiment_in(State.DEPLOYING), None)
    assert document["verdict"] is None
    assert document["reduction"] is None
    assert evaluation_in(json.loads(json.dumps(document))) is None
