"""The way in: measurements and a plan make an evaluation; the evidence of an evaluation makes its verdict again.

Pure: the same measurements give the same evaluation, in whatever order and however often they were delivered.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import ceil

from chalicelib.domain.canary import measuring
from chalicelib.domain.canary.estimate import METHOD as CANARY_METHOD
from chalicelib.domain.evaluation.interval import cut
from chalicelib.domain.evaluation.measures.arms import arms_overhead
from chalicelib.domain.evaluation.measures.levels import Joined, levels, mean_seconds
from chalicelib.domain.evaluation.measures.overhead import (
    COVERS_BOTH,
    COVERS_OWN,
    bytes_sent,
    guardrails,
    host_overhead,
    steps,
)
from chalicelib.domain.evaluation.measures.retention import critical_report
from chalicelib.domain.evaluation.plan import EvaluationPlan
from chalicelib.domain.evaluation.result.result import (
    METHOD,
    Dropped,
    Evaluation,
    Evidence,
    HostSum,
    Levels,
    Measured,
    OverheadReport,
    Reason,
    Rows,
    SeriesReport,
    Unmeasured,
    Verdict,
    Window,
)
from chalicelib.domain.evaluation.scrapes.history import HostHistory, seal
from chalicelib.domain.evaluation.scrapes.scrapes import Gathered, HostScrapes, gather, host_scrapes
from chalicelib.domain.evaluation.verdict.conclusion import conclude, reduction_of
from chalicelib.domain.evaluation.verdict.decision import decide
from chalicelib.domain.measurement import STREAMS, CollectorSample, Count, Variant

__all__ = ["Evaluation", "Reason", "Verdict", "evaluate", "evaluate_gathered", "gather", "recompute", "seal_gathered"]

MAX_ROWS = 1000
SILENT_SCRAPES = 3
"""Scrapes in a row without a stream, while others of the host report, until it counts as not measurable."""


def evaluate(
    plan: EvaluationPlan,
    counts: Iterable[Count],
    samples: Iterable[CollectorSample],
    now_ns: int,
    *,
    last: bool,
    host_problems: Mapping[str, str] | None = None,
) -> Evaluation:
    """The evaluation at `now_ns` (Unix nanoseconds, control plane).

    counts, samples: all of the experiment, the warm-up included, in any order, repeated or not. last: the deadline is
    reached, there will be no other look. host_problems: host to what is wrong with its collector (not running, or not
    with the configuration under test), after the grace that the caller gives.
    """
    return evaluate_gathered(plan, gather(plan, counts, samples, {}), now_ns, last=last, host_problems=host_problems)


def evaluate_gathered(
    plan: EvaluationPlan,
    gathered: Gathered,
    now_ns: int,
    *,
    last: bool,
    host_problems: Mapping[str, str] | None = None,
) -> Evaluation:
    """`evaluate` from what is known for good of each host, and the measurements after that."""
    dropped = gathered.dropped()
    hosts: list[HostScrapes] = []
    for host in plan.hosts:
        found, unused = host_scrapes(plan, host, gathered, now_ns, last=last)
        hosts.append(found)
        dropped += unused
    sampled = {host: (*gathered.histories[host].samples, *gathered.samples[host]) for host in plan.hosts}
    joined = measuring.joined(plan.canary, hosts) if plan.canary else _joined(hosts)
    # A limit is a mark against the candidate: the baseline's hosts of a canary say nothing about that.
    ours = [host for host in hosts if plan.arms.get(host.host) is not Variant.BASELINE]
    evidence = _evidence(plan, hosts, joined, dropped, Window(start_ns=plan.window_start_ns, end_ns=now_ns, last=last))
    evidence = evidence.model_copy(update={"host_problems": dict(sorted((host_problems or {}).items()))})
    overhead = _overhead(plan, hosts, sampled)
    measured = Measured(
        series=measuring.series_report(plan.canary, hosts) if plan.canary else _series(hosts),
        reduction=reduction_of(evidence),
        critical=(
            measuring.critical_of(plan.canary, plan.critical, hosts)
            if plan.canary
            else critical_report(plan.critical, hosts)
        ),
        overhead=overhead,
        coverage=tuple(host.coverage for host in hosts),
        evidence=evidence,
        judged=tuple(levels(evidence, joined, ours, overhead.bytes_sent)),
    )
    return conclude(measured, plan.price_book)


def seal_gathered(plan: EvaluationPlan, gathered: Gathered, now_ns: int) -> dict[str, HostHistory]:
    """By host, what can be added to its history now: it need not be read again."""
    return {
        host: seal(
            plan, history, gathered.clusters[host], gathered.samples[host], gathered.refused_of(host), now_ns
        )
        for host, history in gathered.histories.items()
    }  # fmt: skip


def recompute(evaluation: Measured) -> tuple[Verdict | None, Reason]:
    """Verdict and reason from the evidence alone: sums, misses, coverage, limits; no conclusion is read."""
    decision = decide(evaluation)
    return decision.verdict, decision.reason


def _evidence(
    plan: EvaluationPlan, hosts: Sequence[HostScrapes], joined: Joined, dropped: Iterable[Dropped], window: Window
) -> Evidence:
    priced = plan.limits.cost is not None or plan.limits.cost_reduction is not None
    silent = [gap for host in hosts for gap in _silent(host)]
    interval = plan.limits.interval_s
    return Evidence(
        method=CANARY_METHOD if plan.canary else METHOD,
        scope=plan.scope,
        name=plan.name,
        mode=plan.mode,
        spec_hash=plan.spec_hash,
        source=plan.source.words if plan.source.decides else "measurements",
        source_problem=plan.source_problem,
        baseline=plan.baseline,
        candidate=plan.candidate,
        configs=plan.configs,
        limits=plan.limits,
        window=window,
        scrapes=len(joined),
        minutes=len(joined) * interval / 60,
        batches=cut([row[2] for row in joined], [row[3] for row in joined]),
        hosts=tuple(_host_sum(host) for host in hosts),
        rows=_rows(joined, interval),
        dropped=tuple(dropped),
        cannot_measure=tuple(gap for gap in silent if gap.scrapes >= SILENT_SCRAPES),
        silent=tuple(gap for gap in silent if gap.scrapes < SILENT_SCRAPES),
        host_problems={},
        canary=plan.canary,
        price_book=plan.price_book if priced else None,
    )


_Row = tuple[int, float, float, float]


def _joined(hosts: Iterable[HostScrapes]) -> list[_Row]:
    """(slot, raw, baseline, candidate) summed over the hosts that have a complete scrape in the slot, oldest first."""
    sums: dict[int, list[int]] = {}
    for host in hosts:
        for scrape in host.complete:
            row = sums.setdefault(scrape.slot, [0, 0, 0])
            for i, variant in enumerate(STREAMS):
                row[i] += scrape.readings[variant].series
    return [(slot, raw, a, b) for slot, (raw, a, b) in sorted(sums.items())]


def _host_sum(host: HostScrapes) -> HostSum:
    raw, a, b = (
        sum(scrape.readings[variant].series for scrape in host.complete if variant in scrape.readings)
        for variant in STREAMS
    )
    made = HostSum(
        host=host.host,
        scrapes=len(host.complete),
        raw=raw,
        baseline=a,
        candidate=b,
        scrape_seconds=mean_seconds(host),
    )
    if Variant.CANDIDATE_RAW not in host.streams:
        return made
    own = sum(scrape.raw_of(Variant.CANDIDATE).series for scrape in host.complete)
    return made.model_copy(update={"candidate_raw": own})


def _rows(joined: Sequence[_Row], interval_s: float) -> Rows:
    each = max(1, ceil(len(joined) / MAX_ROWS))
    groups = [joined[i : i + each] for i in range(0, len(joined), each)]

    def column(i: int) -> tuple[float, ...]:
        return tuple(round(sum(row[i] for row in group) / len(group), 1) for group in groups)

    seconds = tuple(round(group[0][0] * interval_s, 3) for group in groups)
    return Rows(scrapes_per_row=each, seconds=seconds, raw=column(1), baseline=column(2), candidate=column(3))


def _silent(host: HostScrapes) -> list[Unmeasured]:
    found = []
    for variant in host.streams:
        without = []
        for scrape in reversed(host.scrapes):
            if variant in scrape.readings:
                break
            without.append(scrape)
        if without:
            found.append(Unmeasured(host=host.host, variant=variant, since_ns=without[-1].at_ns, scrapes=len(without)))
    return found


def _series(hosts: Sequence[HostScrapes]) -> SeriesReport:
    found = [host.complete for host in hosts if host.complete]
    if not found:
        return SeriesReport()

    def levels(newest: bool) -> Levels:
        raw, a, b = (
            sum(
                scrapes[-1].readings[variant].series
                if newest
                else sum(scrape.readings[variant].series for scrape in scrapes) / len(scrapes)
                for scrapes in found
            )
            for variant in (Variant.RAW, Variant.BASELINE, Variant.CANDIDATE)
        )
        return Levels(raw=raw, baseline=a, candidate=b)

    return SeriesReport(last=levels(True), last_ns=max(scrapes[-1].at_ns for scrapes in found), mean=levels(False))


def _overhead(
    plan: EvaluationPlan, hosts: Iterable[HostScrapes], sampled: Mapping[str, Sequence[CollectorSample]]
) -> OverheadReport:
    if plan.mode == "dedicated":
        return arms_overhead(plan, hosts, sampled)
    taken = {host.host: steps(sampled[host.host], host.start_ns) for host in hosts}
    return OverheadReport(
        covers=COVERS_OWN if plan.canary else COVERS_BOTH,
        hosts=tuple(host_overhead(host, found) for host, found in taken.items()),
        guardrails=tuple(
            limit
            for host, found in taken.items()
            if plan.arms.get(host) is not Variant.BASELINE
            for limit in guardrails(plan.limits, host, found)
        ),
        bytes_sent=bytes_sent(taken.values()),
    )
