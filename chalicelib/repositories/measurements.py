"""What edges measured, on the MEASUREMENTS table: one item a request (more for a large one), a partition per scope and
host, 30 days.

Keys are by the host's clock, so that a repeated request finds its own item. What comes so late that an evaluation may
have passed its time already lies apart, in one partition per scope, by arrival: nothing old has to be read again to
find it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from chalicelib.domain.measurement import CollectorSample, Count
from chalicelib.ports.items import Item, ItemStore, Table
from chalicelib.repositories.measurement_format import StoredSets, count_of, sample_of

RETENTION_SECONDS = 30 * 86400
MAX_PART = 300_000
"""Characters of JSON that share an item, which holds 400 000 bytes: many critical processes are more than that."""
_SECOND = 1_000_000_000
MAX_SPAN_NS = 60 * _SECOND
"""The moments in one item lie no further apart, so that a range of keys can be trusted."""
LATE_NS = 120 * _SECOND
"""What arrives so long after its newest moment lies with the late; well within the grace of an evaluation."""
OVERLAP_NS = 60 * _SECOND
"""By so much an arrival may become visible late, or the clocks of two writers differ."""


@dataclass(frozen=True)
class Late:
    """How far the late of a scope have been read: from which arrival on again, and which of those were seen."""

    from_ns: int = 0
    seen: tuple[str, ...] = ()


@dataclass(frozen=True)
class Unsealed:
    """What evaluations have not taken in for good. late_at: key of each late item to its host and newest moment."""

    counts: list[Count] = field(default_factory=list)
    samples: list[CollectorSample] = field(default_factory=list)
    late_at: dict[str, tuple[str, int]] = field(default_factory=dict)
    items: int = 0
    """How many were read."""

    def next_late(self, lines: Mapping[str, int], now_ns: int) -> Late:
        """How far the late have been read after everything up to each host's line was taken in."""
        waiting = [_arrival(key) for key, (host, newest) in self.late_at.items() if newest > lines.get(host, -1)]
        start = min([now_ns - OVERLAP_NS, *waiting])
        return Late(start, tuple(sorted(key for key in self.late_at if _arrival(key) >= start)))


class Measurements:
    """Counts and collector samples. A replayed request has the same key and content: stored once."""

    def __init__(self, store: ItemStore) -> None:
        self._store = store

    def add(
        self,
        tenant: str,
        scope: str,
        host: str,
        counts: Sequence[Count],
        samples: Sequence[CollectorSample],
        now: float,
    ) -> None:
        """Keep what one request said about one scope. Idempotent. Raises TooLarge when one count alone is."""
        expires = int(now) + RETENTION_SECONDS
        timed = [(c.end_ns, "counts", c.model_dump(mode="json")) for c in counts]
        timed += [(s.time_ns, "samples", s.model_dump(mode="json")) for s in samples]
        for part in _parts(timed):
            body = {kind: [dumped for _, of, dumped in part if of == kind] for kind in ("counts", "samples")}
            mark = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()[:16]
            times = [time for time, _, _ in part]
            pk, key = _partition(tenant, scope, host), f"{min(times):020d}#{mark}"
            if int(now * _SECOND) - max(times) > LATE_NS:
                pk, key = _partition(tenant, scope, _LATE), f"{int(now * _SECOND):020d}#{host}#{mark}"
            self._store.put(Item(Table.MEASUREMENTS, pk, key, body, expires=expires))

    def read(
        self, tenant: str, scope: str, host: str, start_ns: int = 0, end_ns: int | None = None
    ) -> tuple[list[Count], list[CollectorSample]]:
        """Everything of a host in a scope with start_ns <= time < end_ns (by the host's clock), in order."""
        counts: list[Count] = []
        samples: list[CollectorSample] = []
        sets = StoredSets()
        found = [*self._items(_partition(tenant, scope, host), start_ns, end_ns)]
        marks = {item.sk.rpartition("#")[2] for item in found}
        # The late arrived after their time, so those of this time begin there.
        for item in self._items(_partition(tenant, scope, _LATE), start_ns, None):
            _, whose, mark = item.sk.split("#")
            oldest = min(_times(item))
            if whose == host and mark not in marks and start_ns <= oldest and (end_ns is None or oldest < end_ns):
                marks.add(mark)
                found.append(item)
        for item in found:
            counts += [count_of(c, sets) for c in item.body["counts"]]
            samples += [sample_of(s) for s in item.body["samples"]]
        return sorted(counts, key=lambda c: c.end_ns), sorted(samples, key=lambda s: s.time_ns)

    def unsealed(self, tenant: str, scope: str, lines: Mapping[str, int], late: Late) -> Unsealed:
        """What lies after each host's line, and of the late what was not seen before, wherever it lies."""
        found, sets = Unsealed(), StoredSets()
        read = 0
        for host, line in lines.items():
            for item in self._items(_partition(tenant, scope, host), max(0, line + 1 - MAX_SPAN_NS), None):
                read += 1
                _take(found, item, line, sets)
        for item in self._items(_partition(tenant, scope, _LATE), late.from_ns, None):
            host = item.sk.split("#")[1]
            if host not in lines:
                continue
            read += 1
            _take(found, item, lines[host] if item.sk in late.seen else -1, sets)
            found.late_at[item.sk] = (host, max(_times(item)))
        return Unsealed(found.counts, found.samples, found.late_at, read)

    def _items(self, pk: str, start_ns: int, end_ns: int | None) -> Iterator[Item]:
        cursor: str | None = None
        start, end = f"{start_ns:020d}", "" if end_ns is None else f"{end_ns:020d}"
        while True:
            page = self._store.query(Table.MEASUREMENTS, pk, start=start, end=end, limit=1000, cursor=cursor)
            yield from page.items
            if (cursor := page.cursor) is None:
                return


_Timed = tuple[int, str, dict[str, Any]]
_LATE = "~late"
"""No host has this name."""


def _take(found: Unsealed, item: Item, line: int, sets: StoredSets) -> None:
    found.counts.extend(count_of(c, sets) for c in item.body["counts"] if c["end_ns"] > line)
    found.samples.extend(sample_of(s) for s in item.body["samples"] if s["time_ns"] > line)


def _times(item: Item) -> list[int]:
    return [c["end_ns"] for c in item.body["counts"]] + [s["time_ns"] for s in item.body["samples"]]


def _arrival(key: str) -> int:
    return int(key.partition("#")[0])


def _parts(timed: Sequence[_Timed]) -> Iterator[list[_Timed]]:
    """What fits one item together; always cut the same way, so that a repeated request finds its own keys."""
    part: list[_Timed] = []
    size = oldest = newest = 0
    for one in timed:
        length = len(json.dumps(one[2]))
        oldest, newest = (min(oldest, one[0]), max(newest, one[0])) if part else (one[0], one[0])
        if part and (size + length > MAX_PART or newest - oldest > MAX_SPAN_NS):
            yield part
            part, size, oldest, newest = [], 0, one[0], one[0]
        part.append(one)
        size += length
    if part:
        yield part


def _partition(tenant: str, scope: str, host: str) -> str:
    return f"T#{tenant}#M#{scope}#{host}"
