"""From counts to scrapes: which parts belong together, which scrapes are complete, which are missing. No statistics.

One scrape arrives as parts (a count per variant, perhaps in several requests, perhaps twice, in any order). Parts of
one collector are joined by the time their newest data point has on the host's clock, never by request:

- exact copies count once;
- parts whose times lie within half an interval are one scrape, unless the collector restarted between them;
- parts of the same variant in one scrape are added up;
- a scrape is used, and a variant that it lacks called missing, once its interval is over: the host has a newer scrape,
  or one interval has passed.

Clocks. The window is given by the control plane's clock, the parts by each host's own. A host's clock is believed until
its own times contradict it: nothing was measured in the future (newest time <= now), and nothing by this configuration
before it was deployed (oldest time >= deployed). Then the smallest correction that removes the contradiction is
applied, and stated. Where no correction removes it (a clock that was set meanwhile, a host that lies) none is applied,
and what lies outside the window is not used. The order in which anything arrived plays no part.

Due scrapes are counted along the host's own rhythm: a gap of k intervals between two scrapes is k - 1 missing ones, and
so are the whole intervals before the first and, less one interval of grace, after the last. They are listed, never
filled. Hosts, and the two collectors of a host in dedicated mode, are joined on the number of the interval since the
window opened (numbering.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from chalicelib.domain.evaluation.plan import EvaluationPlan
from chalicelib.domain.evaluation.result.result import Dropped, Gap, HostCoverage
from chalicelib.domain.evaluation.scrapes.clusters import Cluster, SetKeys, sets_in
from chalicelib.domain.evaluation.scrapes.collectors import Collector, collectors_of, host_clusters, restarts_of
from chalicelib.domain.evaluation.scrapes.history import HostHistory, Tally, sorted_samples, tally
from chalicelib.domain.evaluation.scrapes.numbering import Clock, Scrape, alone, paired
from chalicelib.domain.measurement import STREAMS, CollectorSample, Count, Variant

MAX_GAPS = 100
_SECOND = 1_000_000_000


@dataclass(frozen=True)
class HostScrapes:
    """One host in the window. scrapes: finished ones in order, complete or not."""

    host: str
    start_ns: int
    """Opening of the window by the host's clock."""
    scrapes: tuple[Scrape, ...]
    coverage: HostCoverage
    streams: tuple[Variant, ...] = STREAMS
    """What a complete scrape consists of."""

    @cached_property
    def complete(self) -> tuple[Scrape, ...]:
        """Those with raw and every arm that the host runs: the only ones that numbers are made of."""
        return tuple(scrape for scrape in self.scrapes if not scrape.absent)


def host_clock(plan: EvaluationPlan, host: str, times: Sequence[int], now_ns: int, *, last: bool) -> Clock:
    """The host's clock from the oldest and newest of its times (see above); no times: believed as it is."""
    offset, deployed_ns = 0, plan.deployed(host)
    if times:
        earliest = max(times) - now_ns
        latest = min(times) - deployed_ns if deployed_ns is not None else max(0, earliest)
        if earliest <= latest:
            offset = min(max(0, earliest), latest)
    interval = round(plan.limits.interval_s * _SECOND)
    return Clock(offset, plan.window_start_ns + offset, now_ns + offset, interval, last, plan.streams(host))


@dataclass(frozen=True)
class Gathered:
    """What an evaluation is made of, by host: what was sealed before, and what came after that, without copies.

    clusters: of what came after, oldest first. refused: by host and reason, what is not used; of hosts that are not in
    the plan too.
    """

    histories: Mapping[str, HostHistory]
    clusters: Mapping[str, Sequence[Cluster]]
    samples: Mapping[str, Sequence[CollectorSample]]
    refused: Mapping[tuple[str, str], Sequence[Count]]

    def refused_of(self, host: str) -> dict[str, Sequence[Count]]:
        """By reason."""
        return {reason: counts for (whose, reason), counts in self.refused.items() if whose == host}

    def dropped(self) -> list[Dropped]:
        """Everything that was ever refused, in order of host and reason."""
        now = {key: tally([count.end_ns for count in counts]) for key, counts in self.refused.items()}
        before = {(h, why): one for h, history in self.histories.items() for why, one in history.refused.items()}
        whole = {key: now[key].plus(before.get(key)) if key in now else before[key] for key in {*now, *before}}
        return [_dropped(host, reason, one) for (host, reason), one in sorted(whole.items())][:MAX_GAPS]


def gather(
    plan: EvaluationPlan,
    counts: Iterable[Count],
    samples: Iterable[CollectorSample],
    histories: Mapping[str, HostHistory],
) -> Gathered:
    """Tell what may be used from what may not. Measurements from before a host's line are late."""
    known = {host: histories.get(host, HostHistory()) for host in plan.hosts}
    lines = {host: history.sealed_ns for host, history in known.items()}
    keys = SetKeys()
    unique = {(count.host, count.variant, count.end_ns, count.start_ns, count.marker, count.series, count.scope,
               keys.of(count.critical)): count for count in counts}  # fmt: skip
    used: dict[str, list[Count]] = {host: [] for host in plan.hosts}
    refused: dict[tuple[str, str], list[Count]] = {}
    markers = {
        host: {stream: one.markers for one in collectors_of(plan, host) for stream in one.streams}
        for host in plan.hosts
    }
    earlier = plan.earlier()
    for count in unique.values():
        if reason := _why_not(plan.scope, markers, lines, count):
            reason = "before_window" if reason == "unexpected_config" and count.marker in earlier else reason
            refused.setdefault((count.host, reason), []).append(count)
        else:
            used[count.host].append(count)
    sampled = _samples_of(plan, samples, lines)
    clusters = {
        host: _clusters(plan, collectors_of(plan, host), known[host], used[host], sampled[host]) for host in plan.hosts
    }
    return Gathered(known, clusters, sampled, refused)


def _clusters(
    plan: EvaluationPlan,
    collectors: Sequence[Collector],
    history: HostHistory,
    used: Sequence[Count],
    samples: Sequence[CollectorSample],
) -> list[Cluster]:
    interval_ns, sampled = round(plan.limits.interval_s * _SECOND), (*history.samples, *samples)
    return host_clusters(collectors, used, sampled, interval_ns, sets_in(history.clusters))


_Markers = Mapping[str, Mapping[Variant, frozenset[str]]]
"""By host and stream, what its counts may carry."""


def _why_not(scope: str, markers: _Markers, lines: Mapping[str, int], count: Count) -> str:
    if count.host not in markers:
        return "unknown_host"
    if count.scope != scope:
        return "other_scope"
    if count.end_ns <= lines[count.host]:
        return "late"
    # A count of no configuration is none of ours, though a sample may be.
    expected = markers[count.host].get(count.variant, frozenset())
    return "" if count.marker and count.marker in expected else "unexpected_config"


def _samples_of(
    plan: EvaluationPlan, samples: Iterable[CollectorSample], lines: Mapping[str, int]
) -> dict[str, list[CollectorSample]]:
    """The collector samples that may be used, by host, without copies and in order of time."""
    used: dict[str, list[CollectorSample]] = {host: [] for host in plan.hosts}
    markers = {host: frozenset().union(*(x.markers for x in collectors_of(plan, host))) for host in plan.hosts}
    for sample in samples:
        if sample.scope != plan.scope or sample.marker not in markers.get(sample.host, frozenset()):
            continue
        if sample.time_ns > lines[sample.host]:
            used[sample.host].append(sample)
    keyed = {host: {sample.model_dump_json(): sample for sample in found} for host, found in used.items()}
    return {host: sorted_samples(found.values()) for host, found in keyed.items()}


def _dropped(host: str, reason: str, of: Tally) -> Dropped:
    return Dropped.model_validate(
        {"host": host, "reason": reason, "count": of.count, "start_ns": of.start_ns, "end_ns": of.end_ns}
    )


def host_scrapes(
    plan: EvaluationPlan, host: str, gathered: Gathered, now_ns: int, *, last: bool
) -> tuple[HostScrapes, list[Dropped]]:
    """One host's scrapes in the window with their coverage, and the scrapes that are not used with the reason."""
    history, found = gathered.histories[host], gathered.clusters[host]
    times = [time for one in found for time in (one.first_ns, one.at_ns)]
    times += [sample.time_ns for sample in gathered.samples[host]]
    clock = host_clock(plan, host, [*history.times(), *times], now_ns, last=last)
    clusters = (*history.clusters, *found)
    inside = [one for one in clusters if clock.start_ns <= one.at_ns <= clock.now_ns]
    collectors, sampled = collectors_of(plan, host), (*history.samples, *gathered.samples[host])
    if len(collectors) == 1:
        numbered = alone(inside, clock)
    else:
        numbered = paired(inside, collectors, [restarts_of(one, sampled) for one in collectors], clock)
    scrapes = numbered.scrapes
    seen_ns = max((one.at_ns for one in inside), default=None)
    coverage = _coverage(host, scrapes, seen_ns, clock)
    unused = (
        ("before_window", [one.at_ns for one in clusters if one.at_ns < clock.start_ns]),
        ("in_future", [one.at_ns for one in clusters if one.at_ns > clock.now_ns]),
        ("incomplete", [scrape.at_ns for scrape in scrapes if scrape.absent]),
        ("newest", numbered.waiting),
        ("same_interval", numbered.surplus),
    )
    return HostScrapes(host, clock.start_ns, scrapes, coverage, clock.streams), [
        _dropped(host, why, tally(times)) for why, times in unused if times
    ]


def _coverage(host: str, scrapes: Sequence[Scrape], seen_ns: int | None, clock: Clock) -> HostCoverage:
    gaps: list[Gap] = []
    expected = 0
    for scrape in scrapes:
        back = scrape.slot - expected
        first = max(0, back - MAX_GAPS)
        gaps += [
            Gap(at_ns=scrape.at_ns - (back - i) * clock.interval_ns, absent=clock.streams) for i in range(first, back)
        ]
        if scrape.absent:
            gaps.append(Gap(at_ns=scrape.at_ns, absent=scrape.absent))
        expected = scrape.slot + 1
    since = clock.start_ns if seen_ns is None else seen_ns
    silent = max(0, (clock.now_ns - clock.interval_ns - since) // clock.interval_ns)
    gaps += [Gap(at_ns=since + (i + 1) * clock.interval_ns, absent=clock.streams) for i in range(min(silent, MAX_GAPS))]
    due = expected + silent
    received = sum(not scrape.absent for scrape in scrapes)
    return HostCoverage(
        host=host,
        due=due,
        received=received,
        missing=due - received,
        share=received / due if due else None,
        gaps=tuple(gaps[-MAX_GAPS:]),
        last_ns=seen_ns,
        clock_offset_s=clock.offset_ns / _SECOND,
    )
