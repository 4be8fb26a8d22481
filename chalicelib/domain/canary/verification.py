"""Whether the sums in a canary's evidence agree with one another. What follows from them is computed elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from chalicelib.domain.canary.assignment import assign
from chalicelib.domain.canary.before import Canary
from chalicelib.domain.canary.measuring import levels_of
from chalicelib.domain.evaluation.interval import cut
from chalicelib.domain.evaluation.result.result import Evaluation, HostSum
from chalicelib.domain.measurement import Variant

Pair = tuple[str, Any, Any]
"""JSON pointer, what is stated there, what it must be."""


def canary_sums(evaluation: Evaluation, canary: Canary) -> Iterator[Pair]:
    """Scrapes, batches, hosts, rows and levels are the same sums, cut in different ways; the lot can be drawn again."""
    evidence = evaluation.evidence
    again = assign(canary.assignment.sizes(), canary.assignment.share, canary.assignment.seed)
    yield "/evidence/canary/assignment", _dump(canary.assignment.hosts), _dump(again.hosts)
    yield "/evidence/hosts", [one.host for one in evidence.hosts], [one.host for one in canary.assignment.hosts]
    yield "/evidence/canary/before/hosts", [one.host for one in canary.before.hosts], [x.host for x in evidence.hosts]
    arms = canary.assignment.arms
    for number, host in enumerate(evidence.hosts):
        other = "baseline" if arms.get(host.host) is Variant.CANDIDATE else "candidate"
        yield f"/evidence/hosts/{number}/{other}", getattr(host, other), 0
    candidates = [host for host in evidence.hosts if arms.get(host.host) is Variant.CANDIDATE]
    if evidence.batches:
        yield "/evidence/batches", sum(batch.scrapes for batch in evidence.batches), evidence.scrapes
    rows = evidence.rows
    if rows.scrapes_per_row == 1:
        yield "/evidence/rows", len(rows.baseline), evidence.scrapes
        stated, made = (
            [(x.scrapes, x.a, x.b) for x in of] for of in (evidence.batches, cut(rows.baseline, rows.candidate))
        )
        yield "/evidence/batches", stated, made
        # A scrape of a candidate's host counts in its host's sum also where no host of the baseline reported.
        yield "/evidence/rows/candidate", sum(rows.candidate) <= sum(host.candidate for host in candidates), True
    yield "/series/mean", _stated(evaluation), _levels(canary, evidence.hosts, candidates)


def _dump(hosts: Any) -> list[dict[str, Any]]:
    return [host.model_dump(mode="json") for host in hosts]


def _stated(evaluation: Evaluation) -> tuple[float, ...] | None:
    mean = evaluation.series.mean
    return (mean.raw, mean.baseline, mean.candidate) if mean else None


def _levels(canary: Canary, hosts: tuple[HostSum, ...], candidates: list[HostSum]) -> tuple[float, ...] | None:
    found = [(host.host, host.scrapes, float(host.baseline + host.candidate)) for host in hosts]
    raw = sum(host.raw / host.scrapes for host in candidates if host.scrapes)
    mean = levels_of(canary, found, raw)
    return (mean.raw, mean.baseline, mean.candidate) if mean else None
