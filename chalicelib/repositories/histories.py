"""What evaluations know for good of an experiment's hosts, on the MEASUREMENTS table: a head, and segments.

A segment holds what one look sealed, of many hosts; small segments are merged, and what is very little waits in the
head. The head names the segments, in order, with each host's line. It is written under its version and together with
the evaluation: who dies before has changed nothing, and of two at once one wins. Segments are named by their content,
so that no two writers meet in one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from chalicelib.domain.evaluation.scrapes.clusters import CriticalSet
from chalicelib.domain.evaluation.scrapes.history import HostHistory
from chalicelib.ports.items import ABSENT, Item, ItemStore, Put, Table
from chalicelib.repositories.history_format import history_json, history_of, line_json, line_of
from chalicelib.repositories.measurements import RETENTION_SECONDS, Late
from chalicelib.repositories.packed import mark, pack, packs, unpack

FORMAT = 1
SMALL = 100_000
"""Packed characters; smaller segments are merged when there are many."""
MANY = 24
INLINE = 4_000
"""Packed characters that the head itself holds: an experiment of few hosts needs no segment for an hour."""
_HEAD = "head"
_Row = tuple[str, HostHistory]


@dataclass(frozen=True)
class Segment:
    """rows: hosts with what was sealed of them at once. size: packed characters. key: "" for what waits in the head."""

    key: str
    size: int
    rows: Sequence[_Row]


@dataclass(frozen=True)
class Known:
    """version: of the head, ABSENT for none. items: how many were read."""

    version: int = ABSENT
    histories: Mapping[str, HostHistory] = field(default_factory=dict)
    late: Late = field(default_factory=Late)
    segments: tuple[Segment, ...] = ()
    items: int = 0


class Histories:
    """One history for each experiment (scope)."""

    def __init__(self, store: ItemStore) -> None:
        self._store = store

    def load(self, tenant: str, scope: str) -> Known:
        """What is known; nothing where there is no head, it is of another form, or a segment is gone: then everything
        is read from the measurements again."""
        head = self._store.get(Table.MEASUREMENTS, _partition(tenant, scope), _HEAD)
        if head is None:
            return Known()
        if head.body.get("format") != FORMAT:
            return Known(version=head.version)
        segments: list[Segment] = []
        sets: dict[Any, CriticalSet] = {}
        for key, size in head.body["segments"]:
            item = self._store.get(Table.MEASUREMENTS, _partition(tenant, scope), key)
            if item is None:
                return Known(version=head.version)
            segments.append(Segment(key, size, [history_of(row, scope, sets) for row in unpack(item.body["rows"])]))
        if waiting := head.body.get("inline"):
            rows = [history_of(row, scope, sets) for row in unpack(waiting)]
            segments.append(Segment("", len(waiting), rows))
        kept = unpack(head.body["lines"])
        late = Late(kept["late"][0], tuple(kept["late"][1]))
        histories = _joined(segments, kept["hosts"])
        return Known(head.version, histories, late, tuple(segments), 1 + sum(bool(one.key) for one in segments))

    def write(
        self, tenant: str, scope: str, known: Known, more: Mapping[str, HostHistory], late: Late, now: float
    ) -> Put:
        """Store the new segments, and give the write of the head that makes them count, for a transaction."""
        expires = int(now) + RETENTION_SECONDS
        stored = [segment for segment in known.segments if segment.key]
        waiting = [row for segment in known.segments if not segment.key for row in segment.rows]
        rows = _by_host([*waiting, *((host, one) for host, one in more.items() if one.clusters or one.samples)])
        inline = pack(_as_json(rows))
        if len(inline) > INLINE:
            stored, inline = [*stored, *self._stored(tenant, scope, rows, expires)], ""
        segments = self._merged(tenant, scope, stored, expires)
        lines = {host: line_json(one) for host, one in sorted(more.items())}
        body = {
            "format": FORMAT,
            "segments": [[segment.key, segment.size] for segment in segments],
            "inline": inline,
            "lines": pack({"hosts": lines, "late": [late.from_ns, list(late.seen)]}),
        }
        pk = _partition(tenant, scope)
        return Put(Item(Table.MEASUREMENTS, pk, _HEAD, body, version=known.version + 1, expires=expires), known.version)

    def _stored(self, tenant: str, scope: str, rows: Sequence[_Row], expires: int) -> Iterator[Segment]:
        for part, text in packs(rows, _as_json):
            key = f"segment#{mark(text)}"
            self._store.put(Item(Table.MEASUREMENTS, _partition(tenant, scope), key, {"rows": text}, expires=expires))
            yield Segment(key, len(text), part)

    def _merged(self, tenant: str, scope: str, segments: list[Segment], expires: int) -> list[Segment]:
        """The small ones at the end as one, or few, once there are many. The old ones expire."""
        large = max((i + 1 for i, segment in enumerate(segments) if segment.size >= SMALL), default=0)
        small = segments[large:]
        if len(small) <= MANY:
            return segments
        rows = _by_host([row for segment in small for row in segment.rows])
        return [*segments[:large], *self._stored(tenant, scope, rows, expires)]


def _by_host(rows: Sequence[_Row]) -> list[_Row]:
    """What was sealed of each host one after the other, as one row of each."""
    joined: dict[str, HostHistory] = {}
    for host, one in rows:
        joined[host] = joined[host].plus(one) if host in joined else one
    return sorted(joined.items())


def _as_json(rows: Sequence[_Row]) -> list[Any]:
    return [history_json(host, one) for host, one in rows]


def _joined(segments: Sequence[Segment], lines: Mapping[str, list[Any]]) -> dict[str, HostHistory]:
    parts: dict[str, list[HostHistory]] = {host: [] for host in lines}
    for segment in segments:
        for host, one in segment.rows:
            parts.setdefault(host, []).append(one)
    out = {}
    for host, found in parts.items():
        sealed_ns, refused = line_of(lines[host])
        clusters = tuple(cluster for one in found for cluster in one.clusters)
        samples = tuple(sample for one in found for sample in one.samples)
        out[host] = HostHistory(sealed_ns, clusters, samples, refused)
    return out


def _partition(tenant: str, scope: str) -> str:
    return f"T#{tenant}#M#{scope}#~history"
