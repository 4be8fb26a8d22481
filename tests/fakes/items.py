"""The item store in memory: the plainest thing that keeps the port's promises, for tests of what uses the port.

It shares the request rules (limits, cursors, JSON text) with the real engines and nothing else, so that it can be
compared with them. No file, no network; `now` is an argument.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace

from chalicelib.adapters.items import cursor as cursors
from chalicelib.adapters.items import limits
from chalicelib.adapters.items.body import fingerprint, load
from chalicelib.domain.errors import Conflict
from chalicelib.ports.items import ANY_VERSION, Check, Delete, Item, Page, Put, Table, Write

_TOKEN_SECONDS = 600


class MemoryItemStore:
    """`ItemStore` in a dictionary, safe to share between threads."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._rows: dict[tuple[Table, str, str], tuple[Item, str]] = {}
        self._tokens: dict[str, tuple[str, float]] = {}

    def get(self, table: Table, pk: str, sk: str) -> Item | None:
        limits.check_key(pk, sk)
        with self._lock:
            row = self._rows.get((table, pk, sk))
        return _whole(row) if row is not None and self._alive(row[0]) else None

    def put(self, item: Item, expected: int = ANY_VERSION) -> None:
        limits.check_expected(expected)
        text = limits.check_item(item)
        with self._lock:
            self._demand(item.table, item.pk, item.sk, expected)
            self._rows[item.table, item.pk, item.sk] = (item, text)

    def delete(self, table: Table, pk: str, sk: str, expected: int = ANY_VERSION) -> None:
        limits.check_expected(expected)
        limits.check_key(pk, sk)
        with self._lock:
            self._demand(table, pk, sk, expected)
            self._rows.pop((table, pk, sk), None)

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
        limits.check_query(pk, start, end, limit)
        scope = cursors.query_scope(table.value, pk, start, end, reverse)
        after = cursors.decode(scope, cursor, 1)[0].encode() if cursor is not None else None
        with self._lock:
            rows = [row for (t, p, _), row in self._rows.items() if t == table and p == pk and self._alive(row[0])]
        rows.sort(key=lambda row: row[0].sk.encode(), reverse=reverse)
        items: list[Item] = []
        size = 0
        for row in rows:
            sk = row[0].sk.encode()
            if sk < start.encode() or (end and sk >= end.encode()):
                continue
            if after is not None and not (sk < after if reverse else sk > after):
                continue
            if len(items) == limit or size > limits.MAX_PAGE_BYTES:
                return Page(tuple(items), cursors.encode(scope, [items[-1].sk]))
            items.append(_whole(row))
            size += len(row[1])
        return Page(tuple(items))

    def active(self, shard: str, *, limit: int = 100, cursor: str | None = None) -> Page:
        limits.check_text("active", shard)
        limits.check_limit(limit)
        scope = cursors.active_scope(shard)
        after = [p.encode() for p in cursors.decode(scope, cursor, 2)] if cursor is not None else []
        with self._lock:
            found = [i for i, _ in self._rows.values() if i.table is Table.STATE and i.active == shard]
        found = [replace(i, body={}, version=0) for i in found if self._alive(i)]
        found.sort(key=lambda i: [i.pk.encode(), i.sk.encode()])
        found = [i for i in found if [i.pk.encode(), i.sk.encode()] > after]
        items = tuple(found[:limit])
        return Page(items, cursors.encode(scope, [items[-1].pk, items[-1].sk]) if len(found) > limit else None)

    def transact(self, writes: Sequence[Write], token: str) -> None:
        texts = limits.check_writes(writes, token)
        digest = fingerprint(writes, texts)
        with self._lock:
            used = self._tokens.get(token)
            if used is not None and used[1] > self._now():
                if used[0] != digest:
                    raise Conflict(limits.TOKEN_REUSED, hint=limits.NEW_TOKEN)
                return
            for write in writes:
                target = write.item if isinstance(write, Put) else write
                self._demand(target.table, target.pk, target.sk, write.expected)
            for write, text in zip(writes, texts, strict=True):
                self._apply(write, text)
            self._tokens[token] = (digest, self._now() + _TOKEN_SECONDS)

    def sweep(self, limit: int = 1000) -> int:
        with self._lock:
            dead = [key for key, (item, _) in self._rows.items() if not self._alive(item)][:limit]
            for key in dead:
                del self._rows[key]
        return len(dead)

    def close(self) -> None:
        """Nothing to close."""

    def _apply(self, write: Write, text: str) -> None:
        match write:
            case Put(item=item):
                self._rows[item.table, item.pk, item.sk] = (item, text)
            case Delete(table=table, pk=pk, sk=sk):
                self._rows.pop((table, pk, sk), None)
            case Check():
                pass

    def _alive(self, item: Item) -> bool:
        return item.expires is None or item.expires > self._now()

    def _demand(self, table: Table, pk: str, sk: str, expected: int) -> None:
        row = self._rows.get((table, pk, sk))
        stored = row[0].version if row is not None and self._alive(row[0]) else None
        if not limits.holds(stored, expected):
            raise Conflict(limits.conflict_detail(table.value, pk, sk, expected), hint=limits.READ_AGAIN)


def _whole(row: tuple[Item, str]) -> Item:
    """The item with a body of its own, as if it had been read from a disk."""
    return replace(row[0], body=load(row[1]))
