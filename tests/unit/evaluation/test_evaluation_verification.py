"""Evidence that was changed after the verdict, with a digest made anew by whoever changed it: the sums tell."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.domain.evaluation.evaluation import Evaluation, evaluate
from chalicelib.domain.evaluation.verdict.conclusion import digest
from chalicelib.domain.evaluation.verdict.verification import differences
from tests.unit.evaluation.simulated import WORKER, at, plan_of, sample, scrapes


def made(lost: bool = False) -> dict[str, Any]:
    counts = scrapes(0, 40, series=lambda i: (7000, 7000, 3300 + i % 50), lost=[WORKER] if lost else [])
    samples = [sample(i * 15, i * 0.3) for i in range(41)]
    found = evaluate(plan_of(collector_cpu=0.05), counts, samples, at(605), last=False)
    assert differences(found) == ()
    return json.loads(found.model_dump_json(by_alias=True))


def forged(document: dict[str, Any]) -> list[str]:
    """Where the evaluation is found to be wrong when its digest has been made anew."""
    found = Evaluation.model_validate({**document, "digest": ""})
    found = found.model_copy(update={"digest": digest(found)})
    return [difference.pointer for difference in differences(found)]


def test_what_was_not_changed_has_no_difference() -> None:
    assert forged(made()) == []
    assert forged(made(lost=True)) == []


def promote(document: dict[str, Any]) -> None:
    document.update(verdict="promote", reason="target_reached", waitingFor=[])


def better_batches(document: dict[str, Any]) -> None:
    for batch in document["evidence"]["batches"]:
        batch["b"] *= 0.5


def better_batches_and_hosts(document: dict[str, Any]) -> None:
    better_batches(document)
    document["evidence"]["hosts"][0]["candidate"] = sum(batch["b"] for batch in document["evidence"]["batches"])


def smoother_batches(document: dict[str, Any]) -> None:
    batches = document["evidence"]["batches"]
    for name in ("a", "b"):
        mean = sum(batch[name] for batch in batches) / len(batches)
        for batch in batches:
            batch[name] = mean


def lower_target(document: dict[str, Any]) -> None:
    document["evidence"]["limits"]["target"] = 0.3


def longer(document: dict[str, Any]) -> None:
    document["evidence"]["minutes"] = 60


def narrower(document: dict[str, Any]) -> None:
    document["reduction"]["low"] += 0.02


def no_breach(document: dict[str, Any]) -> None:
    document["critical"]["breaches"] = []


def no_breach_by_pattern(document: dict[str, Any]) -> None:
    no_breach(document)
    for row in document["critical"]["patterns"]:
        row.update(candidate=row["raw"], candidateRetention=1.0)


def whole_coverage(document: dict[str, Any]) -> None:
    document["coverage"][0].update(received=41, missing=0)


def roomier_cpu(document: dict[str, Any]) -> None:
    document["overhead"]["guardrails"][0].update(state="near")


def other_words(document: dict[str, Any]) -> None:
    document["explanation"] = "All is well."


@pytest.mark.parametrize(
    ("change", "lost", "place"),
    [
        (promote, True, "/verdict"),
        (better_batches, False, "/evidence/batches"),
        (better_batches_and_hosts, False, "/evidence/batches"),
        (smoother_batches, False, "/evidence/batches"),
        (lower_target, False, "/reduction/target"),
        (longer, False, "/evidence/minutes"),
        (narrower, False, "/reduction/low"),
        (no_breach, True, "/critical/patterns/1/candidate"),
        (no_breach_by_pattern, True, "/critical/patterns/1"),
        (whole_coverage, False, "/coverage/0/received"),
        (roomier_cpu, False, "/overhead/guardrails/0/state"),
        (other_words, False, "/explanation"),
    ],
)
def test_a_forgery_is_found_where_it_was_made(change: Callable[[dict[str, Any]], None], lost: bool, place: str) -> None:
    document = made(lost)
    change(document)
    assert place in forged(document)


def test_what_another_method_made_is_not_judged_by_this_one() -> None:
    document = made()
    document["evidence"]["methodVersion"] = "0"
    assert forged(document) == ["/evidence/methodVersion"]
