"""An item store that counts what is asked of it, in requests and in DynamoDB's units. It changes no answer.

Units as DynamoDB bills on demand (Amazon DynamoDB pricing and "Read/write capacity mode" of its developer guide): a
strongly consistent read costs one read unit per 4 KiB begun, a query the same for the sum of its items, an eventually
consistent read (the sparse index) half; a write costs one write unit per KiB begun, in a transaction two.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import Any

from chalicelib.ports.items import ANY_VERSION, Item, ItemStore, Page, Put, Table, Write

READ_BYTES, WRITE_BYTES = 4096, 1024
KEY_BYTES = 200
"""Of a key and its index entry, generously."""


@dataclass
class Counted:
    """requests: by operation. reads, writes: units."""

    requests: Counter[str] = field(default_factory=Counter)
    reads: float = 0.0
    writes: float = 0.0

    @property
    def total(self) -> int:
        return sum(self.requests.values())


class CountedStore:
    """Implements ports.items.ItemStore over another."""

    def __init__(self, store: ItemStore) -> None:
        self._store = store
        self.counted = Counted()

    def get(self, table: Table, pk: str, sk: str) -> Item | None:
        found = self._store.get(table, pk, sk)
        self._read("get", _size(found) if found else 1)
        return found

    def put(self, item: Item, expected: int = ANY_VERSION) -> None:
        self._store.put(item, expected)
        self.counted.requests["put"] += 1
        self._write(item, 1)

    def query(self, table: Table, pk: str, **how: Any) -> Page:
        page = self._store.query(table, pk, **how)
        self._read("query", sum(map(_size, page.items)))
        return page

    def active(self, shard: str, *, limit: int = 100, cursor: str | None = None) -> Page:
        page = self._store.active(shard, limit=limit, cursor=cursor)
        self._read("active", len(page.items) * KEY_BYTES, 0.5)
        return page

    def transact(self, writes: Sequence[Write], token: str) -> None:
        self._store.transact(writes, token)
        self.counted.requests["transact"] += 1
        for write in writes:
            if isinstance(write, Put):
                self._write(write.item, 2)
            else:
                self.counted.writes += 2

    def delete(self, table: Table, pk: str, sk: str, expected: int = ANY_VERSION) -> None:
        self._store.delete(table, pk, sk, expected)
        self.counted.requests["delete"] += 1
        self.counted.writes += 1

    def sweep(self, limit: int = 1000) -> int:
        return self._store.sweep(limit)

    def _read(self, operation: str, size: int, share: float = 1.0) -> None:
        self.counted.requests[operation] += 1
        self.counted.reads += share * max(1, ceil(size / READ_BYTES))

    def _write(self, item: Item, times: int) -> None:
        self.counted.writes += times * max(1, ceil(_size(item) / WRITE_BYTES))


def _size(item: Item) -> int:
    return KEY_BYTES + len(json.dumps(item.body).encode())
