"""An item store whose process dies at its n-th write: before it, or right after it and before anyone hears of it.

Death is a BaseException, so that no `except Exception` of ours can outlive it; every call after it fails as well.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from chalicelib.ports.items import ANY_VERSION, Delete, Item, ItemStore, Page, Put, Table, Write


class Died(BaseException):
    """The process is gone."""


class DyingStore:
    """`ItemStore` around a real one. at: number of the deadly write, 0 for none. after: whether it still happens.
    matters: whether a write counts at all; of a transaction its first one is asked about."""

    def __init__(
        self,
        inner: ItemStore,
        at: int = 0,
        *,
        after: bool = False,
        matters: Callable[[Write], bool] = lambda write: True,
    ) -> None:
        self._inner, self._at, self._after, self._matters = inner, at, after, matters
        self.writes = 0
        self.dead = False

    def get(self, table: Table, pk: str, sk: str) -> Item | None:
        self._alive()
        return self._inner.get(table, pk, sk)

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
        self._alive()
        return self._inner.query(table, pk, start=start, end=end, limit=limit, cursor=cursor, reverse=reverse)

    def active(self, shard: str, *, limit: int = 100, cursor: str | None = None) -> Page:
        self._alive()
        return self._inner.active(shard, limit=limit, cursor=cursor)

    def put(self, item: Item, expected: int = ANY_VERSION) -> None:
        deadly = self._next(Put(item))
        self._inner.put(item, expected)
        self._fall(deadly)

    def transact(self, writes: Sequence[Write], token: str) -> None:
        deadly = self._next(writes[0])
        self._inner.transact(writes, token)
        self._fall(deadly)

    def delete(self, table: Table, pk: str, sk: str, expected: int = ANY_VERSION) -> None:
        deadly = self._next(Delete(table, pk, sk))
        self._inner.delete(table, pk, sk, expected)
        self._fall(deadly)

    def sweep(self, limit: int = 1000) -> int:
        self._alive()
        return self._inner.sweep(limit)

    def _alive(self) -> None:
        if self.dead:
            raise Died

    def _next(self, write: Write) -> bool:
        self._alive()
        if not self._matters(write):
            return False
        self.writes += 1
        deadly = self.writes == self._at
        if deadly and not self._after:
            self._fall(True)
        return deadly

    def _fall(self, deadly: bool) -> None:
        if deadly:
            self.dead = True
            raise Died
