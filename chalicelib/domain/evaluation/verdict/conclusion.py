"""From what was measured to the answer: reduction with its interval, verdict, words, forecast, cost, digest.

Everything here follows from the evidence alone, so that it can be made again from a stored one. Nothing is measured.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from chalicelib.domain.canary.estimate import retained, sums_in
from chalicelib.domain.cost import PriceBook, SeriesCost, series_cost
from chalicelib.domain.evaluation.interval import minutes_left, multiplier
from chalicelib.domain.evaluation.measures.levels import billed_hosts
from chalicelib.domain.evaluation.result.result import Evaluation, Evidence, Measured, MinutesLeft, Reason, Reduction
from chalicelib.domain.evaluation.verdict import wording
from chalicelib.domain.evaluation.verdict.criteria import criteria, reduction_ratio
from chalicelib.domain.evaluation.verdict.decision import blocked_by_hosts, decide
from chalicelib.domain.evaluation.verdict.table import kpi_rows
from chalicelib.domain.kpi.registry import KpiName

FORECAST_FROM_MINUTES = 10


def conclude(measured: Measured, book: PriceBook | None) -> Evaluation:
    """The evaluation that these measurements give. book: prices, None for no cost."""
    decision = decide(measured)
    left = _minutes_left(measured) if decision.reason in (Reason.UNDECIDED, Reason.DEADLINE) else None
    cost = _cost(book, measured)
    concluded = Evaluation(
        **{name: getattr(measured, name) for name in Measured.model_fields},
        verdict=decision.verdict,
        reason=decision.reason,
        explanation=wording.explanation(measured, decision, left),
        waiting_for=wording.waiting_for(measured, decision, left) if decision.verdict is None else (),
        hint=wording.hint(measured, decision),
        minutes_left=left,
        cost=cost,
        kpis=kpi_rows(measured, cost),
    )
    return concluded.model_copy(update={"digest": digest(concluded)})


def digest(evaluation: Evaluation) -> str:
    """SHA-256 of the evaluation as JSON with sorted keys, without the digest itself.

    Without what came later than the first evaluations and says nothing here, too: an old digest stays what it was."""
    whole = _without(evaluation.model_dump(mode="json", by_alias=True, exclude={"digest"}))
    return hashlib.sha256(json.dumps(whole, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


_LATER: Mapping[str, frozenset[str]] = {
    "": frozenset({"kpis", "judged"}),
    "evidence": frozenset({"priceBook"}),
    "limits": frozenset(
        {"pointsReduction", "bytesReduction", "costReduction", "series", "points", "bytes", "cost", "exportFailures"}
        | {"droppedPoints", "coverage", "scrapeDuration", "severities"}
    ),
    "overhead": frozenset({"bytesSent"}),
    "hosts": frozenset({"scrapeSeconds", "acceptedPoints"}),
    "guardrails": frozenset({"why"}),
}
"""Field to the fields in it that came later."""


def _without(tree: Any, under: str = "") -> Any:
    if isinstance(tree, list):
        return [_without(one, under) if isinstance(one, dict | list) else one for one in tree]
    if not isinstance(tree, dict):
        return tree
    later = _LATER.get(under, frozenset())
    return {
        # Nearly all of it are numbers and words; a call for each was a tenth of an evaluation.
        key: _without(one, key) if isinstance(one, dict | list) else one
        for key, one in tree.items()
        if one or one == 0 or key not in later
    }


def reduction_of(evidence: Evidence) -> Reduction:
    """1 - Σ candidate / Σ baseline from the sums kept as evidence; in a canary 1 - θ (`canary.estimate`)."""
    a, b = sum(host.baseline for host in evidence.hosts), sum(host.candidate for host in evidence.hosts)
    kept = retained(sums_in(evidence)) if evidence.canary else b / a if a else None
    ratio = reduction_ratio(evidence)
    return Reduction(
        target=evidence.limits.target,
        value=1 - kept if kept is not None else None,
        low=1 - ratio.high if ratio else None,
        high=1 - ratio.low if ratio else None,
        too_early=ratio is None,
        scrapes=evidence.scrapes,
        minutes=evidence.minutes,
        standard_error=ratio.error if ratio else None,
        multiplier=multiplier(evidence.minutes) if ratio else None,
    )


def _minutes_left(measured: Measured) -> MinutesLeft | None:
    """Until the last of the open criteria is decided; None too early, or where one of them never would be. The interval
    of a cost is that of its series at their prices, and is not forecast."""
    if measured.evidence.minutes < FORECAST_FROM_MINUTES or blocked_by_hosts(measured):
        return None
    longest = 0.0
    for one in criteria(measured):
        if one.state != "touching":
            continue
        if one.ratio is None or one.kpi is KpiName.COST:
            return None
        about = minutes_left(one.ratio.value, one.ratio.error, one.minutes, 1 - one.target)
        if about is None:
            return None
        longest = max(longest, about)
    return MinutesLeft(about=longest, low=longest / 3, high=longest * 3)


def _cost(book: PriceBook | None, measured: Measured) -> SeriesCost | None:
    mean, found = measured.series.mean, measured.reduction
    if book is None or mean is None:
        return None
    bounds = (found.low, found.high) if found.low is not None and found.high is not None else None
    hosts = billed_hosts(measured.evidence)
    return series_cost(
        book, hosts=hosts, raw=mean.raw, baseline=mean.baseline, candidate=mean.candidate, reduction=bounds
    )
