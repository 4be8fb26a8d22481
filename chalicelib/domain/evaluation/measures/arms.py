"""What each arm's own collector costs, in dedicated mode: CPU and memory per arm, their ratio, the cost of measuring.

The two collectors report at different moments. Their steps are paired by interval (scrapes/numbering.py), and only
pairs count: a pause of one collector is no saving. The ratio of sums has the interval of every ratio here
(interval.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from chalicelib.domain.evaluation.interval import cut, ratio_of
from chalicelib.domain.evaluation.measures.overhead import (
    Step,
    counter_of,
    grown,
    guardrails,
    host_overhead,
    sent_by_hosts,
    steps,
)
from chalicelib.domain.evaluation.plan import EvaluationPlan
from chalicelib.domain.evaluation.result.arm_costs import ArmRatio, Measuring
from chalicelib.domain.evaluation.result.result import HostOverhead, OverheadReport
from chalicelib.domain.evaluation.scrapes.collectors import Collector, collectors_of, restarts_of
from chalicelib.domain.evaluation.scrapes.numbering import slots_of
from chalicelib.domain.evaluation.scrapes.scrapes import HostScrapes
from chalicelib.domain.measurement import CollectorSample, Variant
from chalicelib.domain.pipeline.kpi import EXPORTER
from chalicelib.domain.pipeline.telemetry import SMALLEST_PUSH_S

COVERS_EACH = "each arm by itself: in dedicated mode each has a collector of its own"
_SECOND = 1_000_000_000
_Sums = dict[int, tuple[float, float]]
"""By number of the interval: baseline, candidate."""


def arms_overhead(
    plan: EvaluationPlan, hosts: Iterable[HostScrapes], sampled: Mapping[str, Sequence[CollectorSample]]
) -> OverheadReport:
    """The report of dedicated mode. Limits hold for the candidate's collector: it is what a promotion would leave."""
    push_s = max(plan.limits.interval_s, SMALLEST_PUSH_S)
    totals, limits = [], []
    sent: list[list[tuple[float, float, float]]] = []
    cpu: _Sums = {}
    memory: _Sums = {}
    for host in hosts:
        collectors = collectors_of(plan, host.host)
        taken = [steps(one.own(sampled[host.host]), host.start_ns) for one in collectors]
        for one, found in zip(collectors, taken, strict=True):
            totals.append(host_overhead(host.host, found).model_copy(update={"arm": one.arm}))
        limits += guardrails(plan.limits, host.host, taken[1])
        pairs = _pairs(collectors, taken, sampled[host.host], host.start_ns, push_s)
        sent.append([row for one in pairs.values() if (row := _sent(*one, push_s)) is not None])
        _add(cpu, {slot: (_cpu(a, push_s), _cpu(b, push_s)) for slot, (a, b) in pairs.items()})
        _add(memory, {slot: (a.after.rss_bytes, b.after.rss_bytes) for slot, (a, b) in pairs.items()})
    return OverheadReport(
        covers=COVERS_EACH,
        hosts=tuple(totals),
        guardrails=tuple(limits),
        bytes_sent=sent_by_hosts(sent),
        ratios=(_ratio("cpu", cpu, push_s), _ratio("memory", memory, push_s)),
        measuring=measuring_of(totals),
    )


def _pairs(
    collectors: Sequence[Collector],
    taken: Sequence[Sequence[Step]],
    samples: Sequence[CollectorSample],
    start_ns: int,
    push_s: float,
) -> dict[int, tuple[Step, Step]]:
    """Steps of the baseline's and the candidate's collector that end in the same interval."""
    sides: list[dict[int, Step]] = []
    for one, found in zip(collectors, taken, strict=True):
        times = [step.after.time_ns for step in found]
        slots = slots_of(times, restarts_of(one, samples), start_ns, round(push_s * _SECOND))
        sides.append(dict(zip(reversed(slots), reversed(found), strict=True)))
    baseline, candidate = sides
    return {slot: (baseline[slot], candidate[slot]) for slot in sorted(baseline.keys() & candidate.keys())}


def _cpu(step: Step, push_s: float) -> float | None:
    """CPU-seconds an interval; a step over several intervals (a report was lost) counts with its rate."""
    return None if step.cpu_seconds is None else step.cpu_seconds / step.seconds * push_s


def _sent(baseline: Step, candidate: Step, push_s: float) -> tuple[float, float, float] | None:
    """Seconds, and the bytes that each arm sent in an interval; None where an exporter has not reported."""
    sides = ((Variant.BASELINE, baseline), (Variant.CANDIDATE, candidate))
    a, b = ((octets, step.seconds) for arm, step in sides for octets in [grown(step, counter_of(arm, "sent_bytes"))])
    if a[0] is None or b[0] is None:
        return None
    return push_s, a[0] / a[1] * push_s, b[0] / b[1] * push_s


def _add(sums: _Sums, more: Mapping[int, tuple[float | None, float | None]]) -> None:
    for slot, (a, b) in more.items():
        if a is not None and b is not None:
            before = sums.get(slot, (0.0, 0.0))
            sums[slot] = (before[0] + a, before[1] + b)


def _ratio(kind: str, sums: _Sums, push_s: float) -> ArmRatio:
    rows = [sums[slot] for slot in sorted(sums)]
    batches = cut([a for a, _ in rows], [b for _, b in rows])
    made = ArmRatio.model_validate(
        {"kind": kind, "pairs": len(rows), "minutes": len(rows) * push_s / 60, "batches": batches}
    )
    return ratio_again(made)


def ratio_again(stated: ArmRatio) -> ArmRatio:
    """The ratio with what follows from its batches."""
    found = ratio_of(stated.batches, stated.minutes) if stated.minutes > 0 else None
    update = {
        "value": found.value if found else None,
        "low": found.low if found else None,
        "high": found.high if found else None,
    }
    return stated.model_copy(update=update)


def measuring_of(hosts: Iterable[HostOverhead]) -> Measuring | None:
    """What the second collectors cost, and what was sent to Phoenix; None where no arm has a collector of its own."""
    kept = [host for host in hosts if host.arm is not None]
    if not kept:
        return None
    second = [host for host in kept if host.arm is Variant.CANDIDATE]
    sent = [host.exporters[EXPORTER].sent_bytes for host in kept if EXPORTER in host.exporters]
    return Measuring(
        cpu_share=_total(host.cpu_share for host in second),
        rss_mean_bytes=_total(host.rss_mean_bytes for host in second),
        sent_bytes=sum(known) if (known := [octets for octets in sent if octets is not None]) else None,
    )


def _total(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None
