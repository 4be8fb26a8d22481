"""Whether a stored evaluation is what its own evidence gives: everything that follows from it is computed again.

Two kinds of fault are found: sums that contradict one another, and conclusions that do not follow from the sums. Who
forges all of it alike also changes the digest, which the experiment and its audit trail have. Nothing is repaired here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import isclose
from typing import Any

from chalicelib.domain.canary.verification import canary_sums
from chalicelib.domain.evaluation.interval import cut
from chalicelib.domain.evaluation.measures.arms import measuring_of, ratio_again
from chalicelib.domain.evaluation.measures.levels import price_of
from chalicelib.domain.evaluation.result.result import METHOD_VERSION, CriticalReport, Evaluation, Measured
from chalicelib.domain.evaluation.result.retained import ProcessRetention
from chalicelib.domain.evaluation.verdict.conclusion import conclude, digest, reduction_of
from chalicelib.domain.kpi.judged import again
from chalicelib.domain.kpi.registry import KPIS, KpiName

MAX_LISTED = 50
"""Misses of one kind in a report; beyond, not every loss is named."""
_EXACT = 1e-9
"""Relative: another machine's exp may differ in the last digits."""


@dataclass(frozen=True)
class Difference:
    """pointer: JSON pointer into the evaluation. stated: what stands there. computed: what the evidence gives."""

    pointer: str
    stated: Any
    computed: Any


def differences(evaluation: Evaluation) -> tuple[Difference, ...]:
    """Every place where the evaluation is not what its evidence gives; none: it is identical."""
    made_by = evaluation.evidence.method_version
    if made_by != METHOD_VERSION:
        return (Difference("/evidence/methodVersion", made_by, METHOD_VERSION),)
    pairs = [*_sums(evaluation), *_coverage(evaluation), *_limits(evaluation), *_critical(evaluation.critical)]
    found = [Difference(*pair) for pair in pairs if not _same(pair[1], pair[2])]
    concluded = conclude(_measured_again(evaluation), evaluation.cost.price_book if evaluation.cost else None)
    if not evaluation.kpis:  # it was made before there was a table
        concluded = concluded.model_copy(update={"kpis": ()})
    stated, computed = _document(evaluation), _document(concluded)
    found += _walk("", stated, computed)
    if evaluation.digest and evaluation.digest != digest(evaluation):
        found.append(Difference("/digest", evaluation.digest, digest(evaluation)))
    return tuple(found)


def _document(evaluation: Evaluation) -> dict[str, Any]:
    return evaluation.model_dump(mode="json", by_alias=True, exclude={"digest"})


def _measured_again(evaluation: Evaluation) -> Measured:
    """The measured part with everything that follows from something else in it computed again."""
    overhead, price = evaluation.overhead, price_of(evaluation.evidence)
    return Measured(
        series=evaluation.series,
        reduction=reduction_of(evaluation.evidence),
        critical=evaluation.critical,
        overhead=overhead.model_copy(
            update={
                "guardrails": tuple(again(one, price) for one in overhead.guardrails),
                "ratios": tuple(ratio_again(one) for one in overhead.ratios),
                "measuring": measuring_of(overhead.hosts),
            }
        ),
        coverage=evaluation.coverage,
        evidence=evaluation.evidence,
        judged=tuple(again(one, price) for one in evaluation.judged),
    )


_Pair = tuple[str, Any, Any]


def _sums(evaluation: Evaluation) -> Iterator[_Pair]:
    """Scrapes, batches, hosts and rows are the same sums, cut in different ways."""
    evidence, mean = evaluation.evidence, evaluation.series.mean
    yield "/evidence/minutes", evidence.minutes, evidence.scrapes * evidence.limits.interval_s / 60
    if evidence.canary:
        yield from canary_sums(evaluation, evidence.canary)
        return
    if evidence.batches:
        yield "/evidence/batches", sum(batch.scrapes for batch in evidence.batches), evidence.scrapes
        yield "/evidence/batches", sum(x.a for x in evidence.batches), sum(host.baseline for host in evidence.hosts)
        yield "/evidence/batches", sum(x.b for x in evidence.batches), sum(host.candidate for host in evidence.hosts)
    rows = evidence.rows
    if rows.scrapes_per_row == 1:
        yield "/evidence/rows", len(rows.baseline), evidence.scrapes
        again = cut(rows.baseline, rows.candidate)
        yield (
            "/evidence/batches",
            [(x.scrapes, x.a, x.b) for x in evidence.batches],
            [(x.scrapes, x.a, x.b) for x in again],
        )
        yield "/evidence/rows/raw", sum(rows.raw), sum(host.raw for host in evidence.hosts)
    for stream in ("raw", "baseline", "candidate"):
        each = [getattr(host, stream) / host.scrapes for host in evidence.hosts if host.scrapes]
        yield f"/series/mean/{stream}", getattr(mean, stream) if mean else None, sum(each) if each else None


def _coverage(evaluation: Evaluation) -> Iterator[_Pair]:
    used = {host.host: host.scrapes for host in evaluation.evidence.hosts}
    for number, host in enumerate(evaluation.coverage):
        place = f"/coverage/{number}"
        yield f"{place}/received", host.received, used.get(host.host)
        yield f"{place}/missing", host.missing, host.due - host.received
        yield f"{place}/share", host.share, host.received / host.due if host.due else None


def _limits(evaluation: Evaluation) -> Iterator[_Pair]:
    """Every limit of the plan is judged, for every host or for all together, by the number that the plan has."""
    limits = evaluation.evidence.limits
    asked = {kpi: limits.limit(kpi) for kpi in KPIS if limits.limit(kpi) is not None}
    found = (*evaluation.overhead.guardrails, *evaluation.judged)
    yield "/evidence/limits", sorted(asked), sorted({one.kind for one in found})
    series = {KpiName.SERIES: 1.0, KpiName.COST: 1.0, KpiName.POINTS: 60 / limits.interval_s}
    total = sum(host.candidate for host in evaluation.evidence.hosts)
    for number, one in enumerate(evaluation.judged):
        yield f"/judged/{number}/limit", one.limit, asked.get(one.kind)
        if one.kind in series and one.batches and evaluation.evidence.canary is None:
            yield f"/judged/{number}/batches", sum(x.b for x in one.batches), total * series[one.kind]
    due = {host.host: (host.due, host.received) for host in evaluation.coverage}
    for number, one in enumerate(evaluation.judged):
        if one.kind is KpiName.COVERAGE and one.batches:
            yield f"/judged/{number}/batches", (one.batches[0].a, one.batches[0].b), due.get(one.host)
    for number, one in enumerate(evaluation.overhead.guardrails):
        yield f"/overhead/guardrails/{number}/limit", one.limit, asked.get(one.kind)


def _critical(report: CriticalReport) -> Iterator[_Pair]:
    """What a pattern lost must be named as a miss, and only that."""
    misses = (*report.breaches, *report.baseline_breaches, *report.unconfirmed)
    missed = {(miss.pattern, miss.variant.value) for miss in misses}
    listed = len(report.unconfirmed) < MAX_LISTED and len(report.breaches) < MAX_LISTED
    for number, row in enumerate(report.patterns):
        for arm in ("baseline", "candidate"):
            kept: int = getattr(row, arm)
            due = row.candidate_due if arm == "candidate" else row.raw
            place = f"/critical/patterns/{number}/{arm}"
            if arm == "baseline" and row.baseline_raw is not None:
                due = row.baseline_raw
            yield f"{place}Retention", getattr(row, f"{arm}_retention"), kept / due if due else None
            if listed:
                yield place, kept < due, (row.pattern, arm) in missed
        if report.processes_total == len(report.processes):
            of = [process for process in report.processes if process.pattern == row.pattern]
            baseline = row.baseline if row.baseline_raw is None else 0
            stated = (row.processes, row.raw, baseline, row.candidate, row.candidate_due)
            yield f"/critical/patterns/{number}", stated, (len(of), *_totals(of))
    yield from _confirmed(report)


def _totals(rows: Iterable[ProcessRetention]) -> tuple[int, int, int, int]:
    kept = list(rows)
    each = [(row.raw, row.baseline, row.candidate, row.candidate_due) for row in kept]
    raw, baseline, candidate, due = (sum(column) for column in zip(*each, strict=True)) if each else (0, 0, 0, 0)
    return raw, baseline, candidate, due


def _confirmed(report: CriticalReport) -> Iterator[_Pair]:
    for name, misses, wanted in (
        ("breaches", report.breaches, (True, "candidate")),
        ("baselineBreaches", report.baseline_breaches, (True, "baseline")),
    ):
        for number, miss in enumerate(misses):
            yield f"/critical/{name}/{number}", (miss.confirmed, miss.variant.value), wanted
    for number, miss in enumerate(report.unconfirmed):
        yield f"/critical/unconfirmed/{number}", miss.confirmed, False


def _walk(pointer: str, stated: Any, computed: Any) -> Iterator[Difference]:
    if isinstance(stated, dict) and isinstance(computed, dict):
        for key in sorted({*stated, *computed}):
            yield from _walk(f"{pointer}/{key}", stated.get(key), computed.get(key))
    elif isinstance(stated, list) and isinstance(computed, list) and len(stated) == len(computed):
        for number, pair in enumerate(zip(stated, computed, strict=True)):
            yield from _walk(f"{pointer}/{number}", *pair)
    elif not _same(stated, computed):
        yield Difference(pointer, stated, computed)


def _same(one: Any, two: Any) -> bool:
    if isinstance(one, (list, tuple)) and isinstance(two, (list, tuple)):
        return len(one) == len(two) and all(_same(x, y) for x, y in zip(one, two, strict=True))
    numbers = all(isinstance(x, (int, float)) and not isinstance(x, bool) for x in (one, two))
    return isclose(one, two, rel_tol=_EXACT, abs_tol=1e-12) if numbers else one == two
