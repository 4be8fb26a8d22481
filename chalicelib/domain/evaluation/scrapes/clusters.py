"""From counts to clusters: which parts are of the same scrape, and what they say together. No window, no clock.

Parts are joined by the time their newest data point has on the host's clock (the rules stand in scrapes.py).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from chalicelib.domain.measurement import STREAMS, Count, CriticalProcess, Variant

_LONGEST_NS = 3600 * 1_000_000_000
"""A host may claim any time; no scrape takes longer than the longest interval between two."""


@dataclass(frozen=True)
class Reading:
    """One variant's output in one scrape."""

    series: int
    critical: frozenset[CriticalProcess]


@dataclass(frozen=True)
class Cluster:
    """The parts of one scrape, as far as they came. first_ns, at_ns: newest data point of its first and last part.
    whole: every stream of its collector sent a part, be it an empty one."""

    first_ns: int
    at_ns: int
    readings: Mapping[Variant, Reading]
    whole: bool
    took_ns: int | None = None
    """From the oldest to the newest point of the raw stream; None where it is absent, or no time that can be."""


CriticalSet = frozenset[CriticalProcess]
SetKey = frozenset[tuple[str, str, int]]
_NOTHING: SetKey = frozenset()


def set_key(processes: Iterable[CriticalProcess]) -> SetKey:
    """What tells sets of processes apart, and compares faster than the values do."""
    return frozenset((process.pattern, process.name, process.pid) for process in processes)


class SetKeys:
    """`set_key` of tuples, computed once for each tuple object: stored counts share theirs."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[tuple[CriticalProcess, ...], SetKey]] = {}

    def of(self, processes: tuple[CriticalProcess, ...]) -> SetKey:
        """The key. The tuple is held on to, so that nothing else gets its identity."""
        found = self._known.get(id(processes))
        if found is None:
            found = self._known[id(processes)] = (processes, set_key(processes))
        return found[1]


def sets_in(clusters: Iterable[Cluster]) -> dict[SetKey, CriticalSet]:
    """The different sets of critical processes in clusters, so that equal ones can be one object."""
    found = {id(one.critical): one.critical for cluster in clusters for one in cluster.readings.values()}
    return {set_key(critical): critical for critical in found.values()}


def clusters_of(
    counts: Iterable[Count],
    interval_ns: int,
    restarts_ns: Sequence[int],
    known: dict[SetKey, CriticalSet] | None = None,
    streams: Sequence[Variant] = STREAMS,
) -> list[Cluster]:
    """Parts of the same scrape of one collector together, oldest first. restarts_ns: sorted times at which it started.
    known: sets of critical processes that are used again where they are equal; it grows. streams: what it counts."""
    found: list[list[Count]] = []
    for count in sorted(counts, key=lambda part: part.end_ns):
        first = found[-1][0].end_ns if found else None
        if (
            first is not None
            and (count.end_ns - first) * 2 <= interval_ns
            and bisect_right(restarts_ns, first) == bisect_right(restarts_ns, count.end_ns)
        ):
            found[-1].append(count)
        else:
            found.append([count])
    sets = {} if known is None else known
    keys, every = SetKeys(), frozenset(streams)
    return [_cluster(parts, sets, keys, every) for parts in found]


def _cluster(
    parts: Sequence[Count], sets: dict[SetKey, CriticalSet], keys: SetKeys, streams: frozenset[Variant]
) -> Cluster:
    whole = {part.variant for part in parts} >= streams
    return Cluster(parts[0].end_ns, parts[-1].end_ns, _readings(parts, sets, keys), whole, _took(parts))


def _took(parts: Iterable[Count]) -> int | None:
    raw = [part for part in parts if part.variant in (Variant.RAW, Variant.CANDIDATE_RAW) and part.series]
    if not raw:
        return None
    took = max(part.end_ns for part in raw) - min(part.start_ns for part in raw)
    return took if 0 <= took <= _LONGEST_NS else None


def _readings(parts: Iterable[Count], sets: dict[SetKey, CriticalSet], keys: SetKeys) -> dict[Variant, Reading]:
    ordered = sorted(parts, key=lambda part: part.variant)
    out: dict[Variant, Reading] = {}
    for variant, group in groupby(ordered, key=lambda part: part.variant):
        same = list(group)
        series = sum(part.series for part in same)
        if series:  # An arm that reports nothing is absent, however that is put.
            key = _NOTHING.union(*(keys.of(part.critical) for part in same))
            critical = sets.get(key)
            if critical is None:
                critical = sets[key] = frozenset(process for part in same for process in part.critical)
            out[variant] = Reading(series, critical)
    return out
