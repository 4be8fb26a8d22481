"""What edges measured, on the MEASUREMENTS table: one item a request (more for a large one), a partition per scope and
host, 30 days."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from typing import Any

from chalicelib.domain.measurement import CollectorSample, Count
from chalicelib.ports.items import Item, ItemStore, Table

RETENTION_SECONDS = 30 * 86400
MAX_PART = 300_000
"""Characters of JSON that share an item, which holds 400 000 bytes: many critical processes are more than that."""


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
            key = f"{min(time for time, _, _ in part):020d}#{mark}"
            self._store.put(Item(Table.MEASUREMENTS, _partition(tenant, scope, host), key, body, expires=expires))

    def read(
        self, tenant: str, scope: str, host: str, start_ns: int = 0, end_ns: int | None = None
    ) -> tuple[list[Count], list[CollectorSample]]:
        """Everything of a host in a scope with start_ns <= time < end_ns (by the host's clock), in order."""
        counts: list[Count] = []
        samples: list[CollectorSample] = []
        cursor: str | None = None
        start, end = f"{start_ns:020d}", "" if end_ns is None else f"{end_ns:020d}"
        while True:
            page = self._store.query(
                Table.MEASUREMENTS, _partition(tenant, scope, host), start=start, end=end, limit=1000, cursor=cursor
            )
            for item in page.items:
                counts += [Count.model_validate(c) for c in item.body["counts"]]
                samples += [CollectorSample.model_validate(s) for s in item.body["samples"]]
            if (cursor := page.cursor) is None:
                return counts, samples


_Timed = tuple[int, str, dict[str, Any]]


def _parts(timed: Sequence[_Timed]) -> Iterator[list[_Timed]]:
    """What fits one item together; always cut the same way, so that a repeated request finds its own keys."""
    part: list[_Timed] = []
    size = 0
    for one in timed:
        length = len(json.dumps(one[2]))
        if part and size + length > MAX_PART:
            yield part
            part, size = [], 0
        part.append(one)
        size += length
    if part:
        yield part


def _partition(tenant: str, scope: str, host: str) -> str:
    return f"T#{tenant}#M#{scope}#{host}"
