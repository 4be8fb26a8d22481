"""From what was measured to the answer: reduction with its interval, verdict, words, forecast, cost, digest.

Everything here follows from the evidence alone, so that it can be made again from a stored one. Nothing is measured.
"""

from __future__ import annotations

import hashlib
import json

from chalicelib.domain.canary.estimate import retained, sums_in
from chalicelib.domain.cost import PriceBook, SeriesCost, series_cost
from chalicelib.domain.evaluation import wording
from chalicelib.domain.evaluation.decision import blocked_by_hosts, decide, reduction_ratio
from chalicelib.domain.evaluation.interval import minutes_left, multiplier
from chalicelib.domain.evaluation.result import Evaluation, Evidence, Measured, MinutesLeft, Reason, Reduction
from chalicelib.domain.measurement import Variant

FORECAST_FROM_MINUTES = 10


def conclude(measured: Measured, book: PriceBook | None) -> Evaluation:
    """The evaluation that these measurements give. book: prices, None for no cost."""
    decision = decide(measured)
    left = _minutes_left(measured) if decision.reason in (Reason.UNDECIDED, Reason.DEADLINE) else None
    concluded = Evaluation(
        **{name: getattr(measured, name) for name in Measured.model_fields},
        verdict=decision.verdict,
        reason=decision.reason,
        explanation=wording.explanation(measured, decision, left),
        waiting_for=wording.waiting_for(measured, decision, left) if decision.verdict is None else (),
        hint=wording.hint(measured, decision),
        minutes_left=left,
        cost=_cost(book, measured),
    )
    return concluded.model_copy(update={"digest": digest(concluded)})


def digest(evaluation: Evaluation) -> str:
    """SHA-256 of the evaluation as JSON with sorted keys, without the digest itself."""
    whole = evaluation.model_dump(mode="json", by_alias=True, exclude={"digest"})
    return hashlib.sha256(json.dumps(whole, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


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
    evidence = measured.evidence
    ratio = reduction_ratio(evidence)
    if ratio is None or evidence.minutes < FORECAST_FROM_MINUTES or blocked_by_hosts(measured):
        return None
    about = minutes_left(ratio.value, ratio.error, evidence.minutes, 1 - evidence.limits.target)
    return MinutesLeft(about=about, low=about / 3, high=about * 3) if about is not None else None


def _cost(book: PriceBook | None, measured: Measured) -> SeriesCost | None:
    mean, found = measured.series.mean, measured.reduction
    if book is None or mean is None:
        return None
    bounds = (found.low, found.high) if found.low is not None and found.high is not None else None
    # The figures of a canary are those of the candidate's hosts.
    of = measured.evidence.canary.assignment.of(Variant.CANDIDATE) if measured.evidence.canary else None
    hosts = sum(host.scrapes > 0 for host in measured.evidence.hosts if of is None or host.host in of)
    return series_cost(
        book, hosts=hosts, raw=mean.raw, baseline=mean.baseline, candidate=mean.candidate, reduction=bounds
    )
