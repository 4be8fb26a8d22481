"""The decision: which verdict the measurements give, by rules in a fixed order. No numbers are made here, and no words.

It reads only what is kept with the evaluation, and takes each interval from its batch sums, not from the interval that
is shown: `decide` on stored evidence is therefore a recomputation, and gives the same verdict.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log

from chalicelib.domain.canary.estimate import canary_ratio, short_of_hosts, sums_in
from chalicelib.domain.evaluation.interval import MIN_SCRAPES, Ratio, answer, ratio_of
from chalicelib.domain.evaluation.overhead import guardrail_ratio, guardrail_state
from chalicelib.domain.evaluation.result import Evidence, Measured, Reason, Verdict
from chalicelib.domain.experiment.spec import MIN_FLEET

_LIMIT_BROKEN = {"collectorCpu": Reason.COLLECTOR_CPU, "collectorMemory": Reason.COLLECTOR_MEMORY}
_NO_DATA = frozenset({Reason.NO_CRITICAL_SEEN, Reason.GUARDRAIL_UNMEASURED, Reason.STREAM_SILENT})


@dataclass(frozen=True)
class Decision:
    """verdict: None while running. reason: the rule that fired, or the first that waits. open: all that wait."""

    verdict: Verdict | None
    reason: Reason
    open: tuple[Reason, ...] = ()


def reduction_ratio(evidence: Evidence) -> Ratio | None:
    """Σ candidate / Σ baseline with its interval, from the sums kept as evidence."""
    if evidence.canary:
        return canary_ratio(sums_in(evidence), evidence.batches, evidence.minutes)
    hosts = [(float(host.baseline), float(host.candidate)) for host in evidence.hosts if host.scrapes]
    fleet = evidence.limits.claim == "hosts-like-these" and len(hosts) >= MIN_FLEET
    return ratio_of(evidence.batches, evidence.minutes, hosts if fleet else ())


def blocked_by_hosts(measured: Measured) -> bool:
    """Whether hosts differ so much that more minutes cannot decide a claim about hosts like these: more hosts can."""
    ratio = reduction_ratio(measured.evidence)
    return ratio is not None and ratio.host_width > abs(log((1 - measured.evidence.limits.target) / ratio.value))


def decide(measured: Measured) -> Decision:
    """The first rule that applies, in the order of the design: could not measure, harm, too little data, success.

    A guardrail that touches its limit, a critical process that waits for its second scrape, and whatever could not be
    measured yet hold back a promotion. They do not hold back "not worth it": the baseline stays either way.
    """
    evidence = measured.evidence
    if evidence.cannot_measure:
        return Decision(Verdict.ERROR, Reason.CANNOT_MEASURE)
    if harm := _harm(measured):
        return Decision(Verdict.REJECT, harm)
    last = evidence.window.last
    if short := _shortages(measured):
        return Decision(Verdict.INSUFFICIENT_DATA if last else None, short[0], short)
    limits = evidence.limits
    said = answer(reduction_ratio(evidence), limits.target, evidence.minutes, limits.min_minutes, last)
    if said == "reject":
        return Decision(Verdict.REJECT, Reason.NOT_WORTH_IT)
    holds = _holds(measured)
    if said == "promote":
        return _held(holds, last) if holds else Decision(Verdict.PROMOTE, Reason.TARGET_REACHED)
    if last:
        return Decision(Verdict.INCONCLUSIVE, Reason.DEADLINE)
    return Decision(None, Reason.UNDECIDED, (Reason.UNDECIDED, *holds))


def _held(holds: tuple[Reason, ...], last: bool) -> Decision:
    if not last:
        return Decision(None, holds[0], holds)
    return Decision(Verdict.INSUFFICIENT_DATA if holds[0] in _NO_DATA else Verdict.INCONCLUSIVE, holds[0], holds)


def _harm(measured: Measured) -> Reason | None:
    if measured.evidence.host_problems:
        return Reason.COLLECTOR_PROBLEM
    if measured.critical.breaches:
        return Reason.CRITICAL_MISSING
    broken = [_LIMIT_BROKEN[kind] for kind, state in _guardrail_states(measured) if state == "beyond"]
    return broken[0] if broken else None


def _guardrail_states(measured: Measured) -> list[tuple[str, str]]:
    return [(g.kind, guardrail_state(guardrail_ratio(g.batches, g.minutes))) for g in measured.overhead.guardrails]


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


def _holds(measured: Measured) -> tuple[Reason, ...]:
    states = {state for _, state in _guardrail_states(measured)}
    checks = (
        (not any(pattern.seen for pattern in measured.critical.patterns), Reason.NO_CRITICAL_SEEN),
        ("unmeasured" in states, Reason.GUARDRAIL_UNMEASURED),
        (bool(measured.evidence.silent), Reason.STREAM_SILENT),
        ("near" in states, Reason.GUARDRAIL_NEAR_LIMIT),
        (any(miss.pending for miss in measured.critical.unconfirmed), Reason.CRITICAL_UNCONFIRMED),
    )
    return tuple(reason for applies, reason in checks if applies)
