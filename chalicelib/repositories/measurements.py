"""What edges measured, on the MEASUREMENTS table: one item a request, a partition per scope and host, 30 days."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from chalicelib.domain.measurement import CollectorSample, Count
from chalicelib.ports.items import Item, ItemStore, Table

RETENTION_SECONDS = 30 * 86400


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
        """Keep what one request said about one scope. Idempotent."""
        times = [c.end_ns for c in counts] + [s.time_ns for s in samples]
        if not times:
            return
        body = {
            "counts": [c.model_dump(mode="json") for c in counts],
            "samples": [s.model_dump(mode="json") for s in samples],
        }
        mark = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()[:16]
        key = f"{min(times):020d}#{mark}"
        expires = int(now) + RETENTION_SECONDS
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


def _partition(tenant: str, scope: str, host: str) -> str:
    return f"T#{tenant}#M#{scope}#{host}"
