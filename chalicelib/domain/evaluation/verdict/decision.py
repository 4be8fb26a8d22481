"""The decision: which verdict the measurements give, by rules in a fixed order. No numbers are made here, and no words.

It reads only what is kept with the evaluation, and takes each interval from its batch sums, not from the interval that
is shown: `decide` on stored evidence is therefore a recomputation, and gives the same verdict.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log

from chalicelib.domain.canary.estimate import short_of_hosts, sums_in
from chalicelib.domain.evaluation.interval import MIN_SCRAPES
from chalicelib.domain.evaluation.measures.levels import price_of
from chalicelib.domain.evaluation.result.reasons import LIMIT_BROKEN, Reason, Verdict
from chalicelib.domain.evaluation.result.result import Guardrail, Measured
from chalicelib.domain.evaluation.verdict.criteria import Criterion, criteria, reduction_ratio
from chalicelib.domain.experiment.spec import MIN_FLEET
from chalicelib.domain.kpi.judged import again
from chalicelib.domain.kpi.registry import Severity

_NO_DATA = frozenset(
    {Reason.NO_CRITICAL_SEEN, Reason.GUARDRAIL_UNMEASURED, Reason.CRITERION_UNMEASURED, Reason.STREAM_SILENT}
)


@dataclass(frozen=True)
class Decision:
    """verdict: None while running. reason: the rule that fired, or the first that waits. open: all that wait."""

    verdict: Verdict | None
    reason: Reason
    open: tuple[Reason, ...] = ()


def blocked_by_hosts(measured: Measured) -> bool:
    """Whether hosts differ so much that more minutes cannot decide a claim about hosts like these: more hosts can."""
    ratio, target = reduction_ratio(measured.evidence), measured.evidence.limits.target
    return ratio is not None and target is not None and ratio.host_width > abs(log((1 - target) / ratio.value))


def decide(measured: Measured) -> Decision:
    """The first rule that applies, in the order of the design: could not measure, harm, too little data, success.

    A guardrail that touches its limit or pauses the experiment, a critical process that waits for its second scrape,
    and whatever could not be measured yet hold back a promotion. They do not hold back "not worth it": the baseline
    stays either way. A guardrail that only warns holds nothing back.
    """
    evidence = measured.evidence
    if evidence.cannot_measure:
        return Decision(Verdict.ERROR, Reason.CANNOT_MEASURE)
    limits = guardrails_of(measured)
    if harm := _harm(measured, limits):
        return Decision(Verdict.REJECT, harm)
    last = evidence.window.last
    if short := _shortages(measured):
        return Decision(Verdict.INSUFFICIENT_DATA if last else None, short[0], short)
    asked = criteria(measured)
    if any(one.state == "broken" for one in asked):
        return Decision(Verdict.REJECT, Reason.NOT_WORTH_IT)
    holds = _holds(measured, limits, asked)
    if not any(one.state == "touching" for one in asked):
        return _held(holds, last) if holds else Decision(Verdict.PROMOTE, Reason.TARGET_REACHED)
    if last:
        return Decision(Verdict.INCONCLUSIVE, Reason.DEADLINE)
    return Decision(None, Reason.UNDECIDED, (Reason.UNDECIDED, *holds))


def guardrails_of(measured: Measured) -> tuple[Guardrail, ...]:
    """Every limit with its state computed again from its sums."""
    price = price_of(measured.evidence)
    return tuple(again(one, price) for one in (*measured.overhead.guardrails, *measured.judged))


def _held(holds: tuple[Reason, ...], last: bool) -> Decision:
    if not last:
        return Decision(None, holds[0], holds)
    return Decision(Verdict.INSUFFICIENT_DATA if holds[0] in _NO_DATA else Verdict.INCONCLUSIVE, holds[0], holds)


def _harm(measured: Measured, limits: tuple[Guardrail, ...]) -> Reason | None:
    if measured.evidence.host_problems:
        return Reason.COLLECTOR_PROBLEM
    if measured.critical.breaches:
        return Reason.CRITICAL_MISSING
    broken = {one.kind for one in _with(measured, limits, "beyond", "rollback")}
    return next((reason for kpi, reason in LIMIT_BROKEN.items() if kpi in broken), None)


def _with(
    measured: Measured, limits: tuple[Guardrail, ...], state: str, *severities: Severity
) -> tuple[Guardrail, ...]:
    declared = measured.evidence.limits
    return tuple(one for one in limits if one.state == state and declared.severity(one.kind) in severities)


def _shortages(measured: Measured) -> tuple[Reason, ...]:
    evidence, limits = measured.evidence, measured.evidence.limits
    fleet_short = limits.claim == "hosts-like-these" and sum(host.scrapes > 0 for host in evidence.hosts) < MIN_FLEET
    if evidence.canary:
        fleet_short = short_of_hosts(sums_in(evidence))
    thin = any(host.share is None or host.share < limits.min_coverage for host in measured.coverage)
    checks = (
        (evidence.scrapes < MIN_SCRAPES or not evidence.batches, Reason.TOO_FEW_SCRAPES),
        (evidence.minutes < limits.min_minutes, Reason.MIN_DURATION),
        (fleet_short, Reason.TOO_FEW_HOSTS),
        (thin, Reason.COVERAGE),
    )
    return tuple(reason for applies, reason in checks if applies)


def _holds(measured: Measured, limits: tuple[Guardrail, ...], asked: tuple[Criterion, ...]) -> tuple[Reason, ...]:
    def any_with(state: str) -> bool:
        return bool(_with(measured, limits, state, "rollback", "pause"))

    checks = (
        (bool(_with(measured, limits, "beyond", "pause")), Reason.GUARDRAIL_BROKEN),
        (not any(pattern.seen for pattern in measured.critical.patterns), Reason.NO_CRITICAL_SEEN),
        (any_with("unmeasured"), Reason.GUARDRAIL_UNMEASURED),
        (any(one.state == "unmeasured" for one in asked), Reason.CRITERION_UNMEASURED),
        (bool(measured.evidence.silent), Reason.STREAM_SILENT),
        (any_with("near"), Reason.GUARDRAIL_NEAR_LIMIT),
        (any(miss.pending for miss in measured.critical.unconfirmed), Reason.CRITICAL_UNCONFIRMED),
    )
    return tuple(reason for applies, reason in checks if applies)
