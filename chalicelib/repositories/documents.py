"""The generic repository: one kind of value, one item each, under `T#<tenant>#<KIND>` and the value's own key."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import BaseModel

from chalicelib.domain.errors import NotFound
from chalicelib.ports.items import ABSENT, ANY_VERSION, Delete, Item, ItemStore, Put, Table

V = TypeVar("V", bound=BaseModel)
FEW = 8
"""Values that are read one by one; more are read together with what lies between them."""


@dataclass(frozen=True)
class Stored(Generic[V]):
    """A value and the version it was read at (ABSENT for a value that is not stored yet)."""

    value: V
    version: int


class Documents(Generic[V]):
    """Values of one kind. `active` gives the shard of the stepping index, `expires` the Unix second of the end."""

    def __init__(
        self,
        store: ItemStore,
        kind: str,
        model: type[V],
        key: Callable[[V], str],
        *,
        active: Callable[[str, V], str | None] = lambda tenant, value: None,
        expires: Callable[[V], int | None] = lambda value: None,
    ) -> None:
        self._store, self._kind, self._model, self._key = store, kind, model, key
        self._active, self._expires = active, expires

    def partition(self, tenant: str) -> str:
        """The partition key of this kind."""
        return f"T#{tenant}#{self._kind}"

    def find(self, tenant: str, key: str) -> Stored[V] | None:
        """The value, or None."""
        item = self._store.get(Table.STATE, self.partition(tenant), key)
        return self._read(item) if item else None

    def get(self, tenant: str, key: str) -> Stored[V]:
        """The value. Raises NotFound with the way to see what exists."""
        found = self.find(tenant, key)
        if found is None:
            noun = self._kind.lower()
            raise NotFound(f"no {noun} named {key!r}", hint=f"see what exists: phoenix {noun} list")
        return found

    def page(
        self, tenant: str, limit: int = 100, cursor: str | None = None, *, start: str = "", end: str = ""
    ) -> tuple[list[Stored[V]], str | None]:
        """One page in order of the key (start <= key < end, where given), and the cursor of the next."""
        page = self._store.query(Table.STATE, self.partition(tenant), start=start, end=end, limit=limit, cursor=cursor)
        return [self._read(item) for item in page.items], page.cursor

    def all(self, tenant: str) -> Iterator[Stored[V]]:
        """Every value, page by page."""
        cursor: str | None = None
        while True:
            found, cursor = self.page(tenant, 500, cursor)
            yield from found
            if cursor is None:
                return

    def several(self, tenant: str, keys: Collection[str]) -> dict[str, Stored[V]]:
        """Those of these values that exist, by key. Many are read in pages, not one by one."""
        if len(keys) <= FEW:
            found = {key: self.find(tenant, key) for key in keys}
            return {key: stored for key, stored in found.items() if stored is not None}
        wanted = set(keys)
        out: dict[str, Stored[V]] = {}
        start, last = min(wanted, key=str.encode), max(wanted, key=str.encode)
        cursor: str | None = None
        while True:
            page = self._store.query(
                Table.STATE, self.partition(tenant), start=start, end=f"{last}\x00", limit=1000, cursor=cursor
            )
            out |= {item.sk: self._read(item) for item in page.items if item.sk in wanted}
            if (cursor := page.cursor) is None:
                return out

    def write(self, tenant: str, value: V, expected: int) -> Put:
        """The write of a value, for a transaction. expected: version read, ABSENT or ANY_VERSION."""
        item = Item(
            table=Table.STATE,
            pk=self.partition(tenant),
            sk=self._key(value),
            body=value.model_dump(mode="json", by_alias=True, exclude_defaults=False),
            version=max(expected, 0) + 1,
            active=self._active(tenant, value),
            expires=self._expires(value),
        )
        return Put(item, expected)

    def save(self, tenant: str, value: V, expected: int) -> Stored[V]:
        """Store a value. Raises Conflict when the expected version does not hold."""
        put = self.write(tenant, value, expected)
        self._store.put(put.item, put.expected)
        return Stored(value, put.item.version)

    def create(self, tenant: str, value: V) -> Stored[V]:
        """Store a value that must not exist yet."""
        return self.save(tenant, value, ABSENT)

    def removal(self, tenant: str, key: str, expected: int = ANY_VERSION) -> Delete:
        """The deletion of a value, for a transaction."""
        return Delete(Table.STATE, self.partition(tenant), key, expected)

    def remove(self, tenant: str, key: str) -> None:
        """Delete a value; it is fine if it is gone."""
        self._store.delete(Table.STATE, self.partition(tenant), key)

    def _read(self, item: Item) -> Stored[V]:
        return Stored(self._model.model_validate(item.body), item.version)
