"""From clusters to scrapes with the number of their interval; and which scrapes of two collectors are a pair.

One collector (shared mode): its scrapes are counted along its own rhythm, a gap of k intervals is k further.

Two collectors (dedicated mode) have the same interval and never the same moment. Each one's scrapes are numbered by
the clock, from the first one after each start of the collector, so that no late scrape shifts those after it; of two in
one interval the first stays. Scrapes of the same number are a pair, complete when every stream of both is there. A
number that one of the two lacks is open until that one has a newer scrape, or two intervals have passed.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from chalicelib.domain.evaluation.scrapes.clusters import Cluster, Reading
from chalicelib.domain.evaluation.scrapes.collectors import Collector
from chalicelib.domain.measurement import STREAMS, Variant


@dataclass(frozen=True)
class Scrape:
    """One scrape of one host. at_ns: its newest data point. slot: number of its interval since the window opened.
    streams: all that it needs to be complete. In dedicated mode it is a pair, and at_ns that of the candidate's."""

    at_ns: int
    slot: int
    readings: Mapping[Variant, Reading]
    streams: tuple[Variant, ...] = STREAMS
    took_ns: int | None = None
    """From the oldest to the newest point of the raw stream (in dedicated mode of the baseline's collector)."""

    @cached_property
    def absent(self) -> tuple[Variant, ...]:
        """Streams that did not report: not measured, which is neither zero nor a miss."""
        return tuple(variant for variant in self.streams if variant not in self.readings)

    def raw_of(self, arm: Variant) -> Reading:
        """The untouched stream that an arm was made from. Only of a complete scrape."""
        own = self.readings.get(Variant.CANDIDATE_RAW) if arm is Variant.CANDIDATE else None
        return own if own is not None else self.readings[Variant.RAW]


@dataclass(frozen=True)
class Clock:
    """One host's clock against the window, in nanoseconds of its own. streams: what its scrapes consist of."""

    offset_ns: int
    start_ns: int
    now_ns: int
    interval_ns: int
    last: bool
    streams: tuple[Variant, ...] = STREAMS


@dataclass(frozen=True)
class Numbered:
    """scrapes: those whose time is over, in order. waiting: times of those whose is not. surplus: times of scrapes that
    came second in their interval."""

    scrapes: tuple[Scrape, ...]
    waiting: tuple[int, ...]
    surplus: tuple[int, ...] = ()


def alone(inside: Sequence[Cluster], clock: Clock) -> Numbered:
    """The scrapes of one collector. inside: its clusters in the window, in order."""
    done = [one for i, one in enumerate(inside) if _finished(one, i == len(inside) - 1, clock)]
    out: list[Scrape] = []
    for cluster in done:
        at = cluster.at_ns
        if out:
            slot = out[-1].slot + max(1, round((at - out[-1].at_ns) / clock.interval_ns))
        else:
            slot = (at - clock.start_ns) // clock.interval_ns
        out.append(Scrape(at, slot, cluster.readings, clock.streams, cluster.took_ns))
    return Numbered(tuple(out), tuple(one.at_ns for one in inside[len(done) :]))


def paired(
    inside: Sequence[Cluster], collectors: Sequence[Collector], restarts: Sequence[Sequence[int]], clock: Clock
) -> Numbered:
    """The scrapes of two collectors, pair by pair. restarts: sorted starts of each collector."""
    sides = [
        _side([one for one in inside if collector.counted(one)], starts, clock)
        for collector, starts in zip(collectors, restarts, strict=True)
    ]
    scrapes: list[Scrape] = []
    waiting: list[int] = []
    for slot in sorted({slot for side in sides for slot in side.at}):
        parts = [side.at[slot] for side in sides if slot in side.at]
        if all(side.over(slot, parts[0].at_ns, clock) for side in sides):
            readings = {variant: reading for part in parts for variant, reading in part.readings.items()}
            scrapes.append(Scrape(parts[-1].at_ns, slot, readings, clock.streams, parts[-1].took_ns))
        else:
            waiting += [part.at_ns for part in parts]
    return Numbered(tuple(scrapes), tuple(waiting), tuple(at for side in sides for at in side.surplus))


def slots_of(times: Sequence[int], restarts: Sequence[int], start_ns: int, interval_ns: int) -> list[int]:
    """Number of the interval of each time, by the clock from the first time after each restart. All sorted."""
    out: list[int] = []
    run, anchor = -1, 0
    for at in times:
        if (here := bisect_right(restarts, at)) != run:
            run, anchor = here, at
        out.append((anchor - start_ns) // interval_ns + round((at - anchor) / interval_ns))
    return out


@dataclass(frozen=True)
class _Side:
    """One collector's scrapes by number. open: the number of its newest one, when its time is not over."""

    at: Mapping[int, Cluster]
    open: int | None
    surplus: tuple[int, ...]

    def over(self, slot: int, other_ns: int, clock: Clock) -> bool:
        """Whether nothing more can come for a number. other_ns: when the other collector scraped in it."""
        if slot in self.at:
            return slot != self.open
        newer = bool(self.at) and max(self.at) > slot
        return newer or clock.now_ns - other_ns >= 2 * clock.interval_ns


def _side(clusters: Sequence[Cluster], restarts: Sequence[int], clock: Clock) -> _Side:
    slots = slots_of([one.at_ns for one in clusters], restarts, clock.start_ns, clock.interval_ns)
    at: dict[int, Cluster] = {}
    surplus = []
    for slot, one in zip(slots, clusters, strict=True):
        if at.setdefault(slot, one) is not one:
            surplus.append(one.at_ns)
    newest = clusters[-1] if clusters else None
    unfinished = newest is not None and not _finished(newest, True, clock) and at[slots[-1]] is newest
    return _Side(at, slots[-1] if unfinished else None, tuple(surplus))


def _finished(cluster: Cluster, newest: bool, clock: Clock) -> bool:
    """Late parts had their time. At the deadline nothing more is waited for, and what came in full is used."""
    if not newest or clock.now_ns - cluster.at_ns >= clock.interval_ns:
        return True
    # A host of a canary runs one arm: its scrape is all there without the other.
    return clock.last and (cluster.whole or cluster.readings.keys() >= set(clock.streams))
