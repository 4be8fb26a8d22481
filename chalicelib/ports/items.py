"""The item store: a small document store in few operations. Repositories map nouns to items on it, once.

Two engines pass one contract suite (tests/contract/test_items.py): SQLite and DynamoDB through PynamoDB.
Nothing here knows a noun of the product.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

MAX_ITEM_BYTES = 400_000
"""Largest item (keys and JSON body in UTF-8), a little under DynamoDB's 400 KiB on every engine."""
MAX_TRANSACT_WRITES = 100
"""Writes in one transaction (DynamoDB's limit, held by every engine)."""
MAX_TRANSACT_BYTES = 4_000_000
"""Bodies of one transaction together, a little under DynamoDB's 4 MiB on every engine."""
ANY_VERSION = -1
"""Expected version that accepts whatever is stored, or nothing."""
ABSENT = 0
"""Expected version that demands that nothing is stored under the key."""


class Table(StrEnum):
    """Three tables by lifetime (architecture.md, Stores)."""

    STATE = "state"
    MEASUREMENTS = "measurements"
    AUDIT = "audit"


@dataclass(frozen=True)
class Item:
    """One stored document.

    pk, sk: partition and sort key, non-empty text, at most 1 024 bytes each. version: 1 for a new item, set by the
    writer. active: shard of the sparse index ("A#7"), or None when the item is not in it. expires: Unix seconds from
    which on (expires <= now) every read and expected version behaves as if the item were not there, or None.
    body: JSON object.
    """

    table: Table
    pk: str
    sk: str
    body: Mapping[str, Any]
    version: int = 1
    active: str | None = None
    expires: int | None = None


@dataclass(frozen=True)
class Put:
    """Write `item` if the stored version equals `expected` (ABSENT, ANY_VERSION, or a version)."""

    item: Item
    expected: int = ANY_VERSION


@dataclass(frozen=True)
class Delete:
    """Delete the key if the stored version equals `expected`. Deleting what is absent with ANY_VERSION is fine."""

    table: Table
    pk: str
    sk: str
    expected: int = ANY_VERSION


@dataclass(frozen=True)
class Check:
    """Write nothing, but fail the transaction unless the stored version equals `expected` (not ANY_VERSION)."""

    table: Table
    pk: str
    sk: str
    expected: int


Write = Put | Delete | Check


@dataclass(frozen=True)
class Page:
    """Items in order, and the cursor of the next page (None: this was the last)."""

    items: Sequence[Item] = field(default_factory=tuple)
    cursor: str | None = None


class ItemStore(Protocol):
    """Errors: `Conflict` when an expected version does not hold, `TooLarge` over a limit, `InvalidInput` for an empty
    or over-long key, the same key twice in a transaction or a broken cursor, `Unavailable` when the engine cannot be
    reached or is locked. An acknowledged write survives kill -9. Reads see every acknowledged write; only `active` may
    lag behind by moments on DynamoDB. After a timeout a write may or may not have happened: read, or `transact` again
    with the same token."""

    def get(self, table: Table, pk: str, sk: str) -> Item | None:
        """The item, or None when absent or expired."""

    def put(self, item: Item, expected: int = ANY_VERSION) -> None:
        """Write one item under an expected version. An expired item counts as absent."""

    def query(
        self,
        table: Table,
        pk: str,
        *,
        start: str = "",
        end: str = "",
        limit: int = 100,
        cursor: str | None = None,
        reverse: bool = False,
    ) -> Page:
        """Items of one partition with start <= sk < end (empty: unbounded), in order of the key's UTF-8 bytes.

        Expired items are left out; a page may hold fewer than `limit` items, even none, and still have a cursor: go on
        until there is none. A page ends after about a megabyte. 1 <= limit <= 1000.
        """

    def active(self, shard: str, *, limit: int = 100, cursor: str | None = None) -> Page:
        """Items of the STATE table whose `active` equals `shard`, in order of pk (items of one pk: in any order).

        The index holds keys only: of each item table, pk, sk, active and expires are filled, body is empty and
        version is 0, on every engine. `get` the item before deciding.
        """

    def transact(self, writes: Sequence[Write], token: str) -> None:
        """All or nothing. The same token with the same writes within ten minutes is acknowledged without a second
        effect; the same token with other writes raises `Conflict`. Same means: the same writes in the same order, with
        the same JSON text. A transaction that failed does not use its token up. token: 1 to 1 024 bytes.

        The one exception: on DynamoDB the repetition of a transaction of exactly 100 writes that replaced or expected
        an item with `expires` raises `Conflict` (there is no room for the record that would tell)."""

    def delete(self, table: Table, pk: str, sk: str, expected: int = ANY_VERSION) -> None:
        """Delete one item under an expected version."""

    def sweep(self, limit: int = 1000) -> int:
        """Delete up to `limit` expired items; returns how many. Correctness never depends on it."""
