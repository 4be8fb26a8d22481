"""From counts to clusters: which parts are of the same scrape, and what they say together. No window, no clock.

Parts are joined by the time their newest data point has on the host's clock (the rules stand in scrapes.py).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from chalicelib.domain.measurement import Count, CriticalProcess, Variant

STREAMS = (Variant.RAW, Variant.BASELINE, Variant.CANDIDATE)


@dataclass(frozen=True)
class Reading:
    """One variant's output in one scrape."""

    series: int
    critical: frozenset[CriticalProcess]


@dataclass(frozen=True)
class Cluster:
    """The parts of one scrape, as far as they came. first_ns, at_ns: newest data point of its first and last part.
    whole: every stream sent a part, be it an empty one."""

    first_ns: int
    at_ns: int
    readings: Mapping[Variant, Reading]
    whole: bool


def clusters_of(counts: Iterable[Count], interval_ns: int, restarts_ns: Sequence[int]) -> list[Cluster]:
    """Parts of the same scrape together, oldest first. restarts_ns: sorted times at which a collector started."""
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
    return [_cluster(parts) for parts in found]


def _cluster(parts: Sequence[Count]) -> Cluster:
    whole = {part.variant for part in parts} >= set(STREAMS)
    return Cluster(parts[0].end_ns, parts[-1].end_ns, _readings(parts), whole)


def _readings(parts: Iterable[Count]) -> dict[Variant, Reading]:
    ordered = sorted(parts, key=lambda part: part.variant)
    out: dict[Variant, Reading] = {}
    known: dict[frozenset[CriticalProcess], frozenset[CriticalProcess]] = {}
    for variant, group in groupby(ordered, key=lambda part: part.variant):
        same = list(group)
        series = sum(part.series for part in same)
        if series:  # An arm that reports nothing is absent, however that is put.
            critical = frozenset(process for part in same for process in part.critical)
            out[variant] = Reading(series, known.setdefault(critical, critical))
    return out
