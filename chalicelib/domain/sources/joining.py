"""Which samples belong to which scrape. The edge says when each scrape's data points lie, to the nanosecond; a part
that was read elsewhere belongs to the one scrape that it overlaps.

A part that overlaps two scrapes cannot be divided: neither of them is measured there, then. A part that overlaps none
belongs to a scrape that the edge has not reported.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from chalicelib.domain.measurement import Count, CriticalProcess, Variant

ARMS = (Variant.BASELINE, Variant.CANDIDATE)


@dataclass(frozen=True)
class Span:
    """One scrape of one host as the edge counted it. counts: its parts, without copies."""

    start_ns: int
    end_ns: int
    counts: tuple[Count, ...]

    @property
    def series(self) -> int:
        return sum(count.series for count in self.counts)

    @property
    def critical(self) -> frozenset[CriticalProcess]:
        return frozenset(process for count in self.counts for process in count.critical)


@dataclass(frozen=True)
class Joined:
    """by_span: parts of each scrape by its place. shared: scrapes that share a part. alone: parts of no scrape."""

    by_span: Mapping[int, Sequence[Count]]
    shared: frozenset[int]
    alone: Sequence[Count]


def spans(counts: Iterable[Count], interval_ns: int) -> list[Span]:
    """Scrapes of one stream of one host, oldest first. Parts whose ends lie within half an interval are one scrape."""
    unique = {count.model_dump_json(): count for count in counts}
    groups: list[list[Count]] = []
    for count in sorted(unique.values(), key=lambda one: one.end_ns):
        if groups and (count.end_ns - groups[-1][0].end_ns) * 2 <= interval_ns:
            groups[-1].append(count)
        else:
            groups.append([count])
    return [
        Span(min(one.start_ns for one in group), max(one.end_ns for one in group), tuple(group)) for group in groups
    ]


def joined(scrapes: Sequence[Span], parts: Iterable[Count]) -> Joined:
    """Parts to scrapes of the same host, both in time order of the host's clock."""
    by_span: dict[int, list[Count]] = {}
    shared: set[int] = set()
    alone: list[Count] = []
    first = 0
    for part in sorted(parts, key=lambda one: (one.start_ns, one.end_ns)):
        while first < len(scrapes) and scrapes[first].end_ns < part.start_ns:
            first += 1
        over = []
        for place in range(first, len(scrapes)):
            if scrapes[place].start_ns > part.end_ns:
                break
            over.append(place)
        if len(over) == 1:
            by_span.setdefault(over[0], []).append(part)
        elif over:
            shared.update(over)
        else:
            alone.append(part)
    return Joined(by_span, frozenset(shared), alone)


def replaced(edge: Iterable[Count], parts: Iterable[Count], interval_s: float) -> list[Count]:
    """The edge's counts with both arms as they were read elsewhere.

    Raw stays as the edge counted it: it is sent nowhere. An arm's count carries the marker and the time of the raw
    count of its scrape, which prove the configuration that made it. Scrapes that the source cannot tell apart, or does
    not have, lack that arm: not measured.
    """
    interval_ns = round(interval_s * 1e9)
    by_host: dict[str, list[Count]] = {}
    for count in edge:
        by_host.setdefault(count.host, []).append(count)
    read: dict[tuple[str, Variant], list[Count]] = {}
    for part in parts:
        read.setdefault((part.host, part.variant), []).append(part)
    out: list[Count] = []
    for host, counts in by_host.items():
        raw = [count for count in counts if count.variant is Variant.RAW]
        out += raw
        scrapes = spans(raw, interval_ns)
        for variant in ARMS:
            found = joined(scrapes, read.get((host, variant), ()))
            places = sorted(set(found.by_span) - found.shared)
            out += [_counted(scrapes[place], found.by_span[place]) for place in places]
    return out


def _counted(scrape: Span, parts: Sequence[Count]) -> Count:
    there = {process for part in parts for process in part.critical}
    return parts[0].model_copy(
        update={
            "scope": scrape.counts[-1].scope,
            "marker": scrape.counts[-1].marker,
            "start_ns": scrape.start_ns,
            "end_ns": scrape.end_ns,
            "series": sum(part.series for part in parts),
            "critical": tuple(sorted(there, key=lambda one: (one.pattern, one.name, one.pid))),
        }
    )
