"""Writing many items at a time: what a benchmark prepares is not what it measures. Nothing is measured here."""

from __future__ import annotations

import uuid

from chalicelib.ports.items import ANY_VERSION, MAX_TRANSACT_WRITES, Item, ItemStore, Put


class Filling:
    """Takes puts; `flush` at the end."""

    def __init__(self, inner: ItemStore) -> None:
        self._inner = inner
        self._waiting: list[Put] = []
        self._number = 0
        self._name = uuid.uuid4().hex

    def put(self, item: Item, expected: int = ANY_VERSION) -> None:
        """Keep for later."""
        self._waiting.append(Put(item, expected))
        if len(self._waiting) >= MAX_TRANSACT_WRITES:
            self.flush()

    def flush(self) -> None:
        """Write what waits."""
        if self._waiting:
            self._number += 1
            self._inner.transact(self._waiting, f"fill-{self._name}-{self._number}")
            self._waiting.clear()
