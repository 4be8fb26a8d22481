"""The item store on SQLite from the standard library: one file, in process, durable (WAL, synchronous=FULL).

Opening, locking and errors of the file are in sqlite_file.py; the rules all engines share are in limits.py. Reads take
no write lock. Expired items are filtered by every read.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path

from chalicelib.adapters.items import cursor as cursors
from chalicelib.adapters.items import limits
from chalicelib.adapters.items.body import fingerprint, load
from chalicelib.adapters.items.sqlite_file import SqliteFile
from chalicelib.domain.errors import Conflict
from chalicelib.ports.items import ANY_VERSION, Check, Delete, Item, Page, Put, Table, Write

TOKEN_SECONDS = 600
"""How long a transaction's token is remembered; DynamoDB's idempotency window."""


class SqliteItemStore:
    """`ItemStore` on one SQLite file. Safe to share between threads; other processes may use the file too.

    path: the database file, made when missing (its folder must exist). now: Unix seconds. busy_seconds: how long a
    call waits for a lock before it raises `Unavailable`.
    """

    def __init__(self, path: Path | str, now: Callable[[], float], *, busy_seconds: float = 5.0) -> None:
        self._now = now
        self._file = SqliteFile(Path(path), busy_seconds)

    def get(self, table: Table, pk: str, sk: str) -> Item | None:
        limits.check_key(pk, sk)
        with self._file.reading() as db:
            row = db.execute(
                _GET[table],
                (pk, sk, self._now()),
            ).fetchone()
        return None if row is None else _item(table, pk, row)

    def put(self, item: Item, expected: int = ANY_VERSION) -> None:
        limits.check_expected(expected)
        text = limits.check_item(item)
        with self._file.writing() as db:
            self._demand(db, item.table, item.pk, item.sk, expected)
            _insert(db, item, text)

    def delete(self, table: Table, pk: str, sk: str, expected: int = ANY_VERSION) -> None:
        limits.check_expected(expected)
        limits.check_key(pk, sk)
        with self._file.writing() as db:
            self._demand(db, table, pk, sk, expected)
            db.execute(_DELETE[table], (pk, sk))

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
        after = cursors.decode(scope, cursor, 1)[0] if cursor is not None else None
        where, values = _range(start, end, after, reverse)
        order = "DESC" if reverse else "ASC"
        with self._file.reading() as db:
            rows = db.execute(
                f"{_ROWS[table]} AND {where} ORDER BY sk {order} LIMIT ?",
                (pk, self._now(), *values, limit + 1),
            )
            items, more = _page(table, pk, rows, limit)
        return Page(items, cursors.encode(scope, [items[-1].sk]) if more else None)

    def active(self, shard: str, *, limit: int = 100, cursor: str | None = None) -> Page:
        limits.check_text("active", shard)
        limits.check_limit(limit)
        scope = cursors.active_scope(shard)
        pk, sk = cursors.decode(scope, cursor, 2) if cursor is not None else ("", "")
        with self._file.reading() as db:
            rows = db.execute(_ACTIVE, (shard, self._now(), pk, sk, limit + 1)).fetchall()
        items = [
            Item(Table.STATE, pk=row[0], sk=row[1], body={}, version=0, active=shard, expires=row[2])
            for row in rows[:limit]
        ]
        more = len(rows) > limit
        return Page(tuple(items), cursors.encode(scope, [items[-1].pk, items[-1].sk]) if more else None)

    def transact(self, writes: Sequence[Write], token: str) -> None:
        texts = limits.check_writes(writes, token)
        digest = fingerprint(writes, texts)
        with self._file.writing() as db:
            if self._repeated(db, token, digest):
                return
            for write in writes:
                self._demand(db, *_target(write), write.expected)
            for write, text in zip(writes, texts, strict=True):
                _apply(db, write, text)

    def sweep(self, limit: int = 1000) -> int:
        now, swept = self._now(), 0
        for table in Table:
            if swept >= limit:
                break
            with self._file.writing() as db:
                swept += db.execute(_SWEEP[table], (now, limit - swept)).rowcount
        return swept

    def close(self) -> None:
        """Close the file. A call that comes after it raises `Unavailable`."""
        self._file.close()

    def _demand(self, db: sqlite3.Connection, table: Table, pk: str, sk: str, expected: int) -> None:
        if expected == ANY_VERSION:
            return
        row = db.execute(_VERSION[table], (pk, sk, self._now())).fetchone()
        if not limits.holds(None if row is None else row[0], expected):
            raise Conflict(limits.conflict_detail(table.value, pk, sk, expected), hint=limits.READ_AGAIN)

    def _repeated(self, db: sqlite3.Connection, token: str, digest: str) -> bool:
        """Whether this very transaction was acknowledged within the window; remembers it when not."""
        now = self._now()
        db.execute("DELETE FROM tokens WHERE until <= ?", (now,))
        row = db.execute("SELECT digest FROM tokens WHERE token = ?", (token,)).fetchone()
        if row is None:
            db.execute(
                "INSERT INTO tokens (token, digest, until) VALUES (?, ?, ?)", (token, digest, now + TOKEN_SECONDS)
            )
            return False
        if row[0] != digest:
            raise Conflict(limits.TOKEN_REUSED, hint=limits.NEW_TOKEN)
        return True


# The only texts put into these statements are the three table names of the port.
_GET = {
    t: f"SELECT sk, version, active, expires, body FROM {t} WHERE pk = ? AND sk = ? "  # noqa: S608
    "AND (expires IS NULL OR expires > ?)"
    for t in Table
}
_ROWS = {
    t: f"SELECT sk, version, active, expires, body FROM {t} WHERE pk = ? "  # noqa: S608
    "AND (expires IS NULL OR expires > ?)"
    for t in Table
}
_VERSION = {
    t: f"SELECT version FROM {t} WHERE pk = ? AND sk = ? AND (expires IS NULL OR expires > ?)"  # noqa: S608
    for t in Table
}
_PUT = {
    t: f"INSERT INTO {t} (pk, sk, version, active, expires, body) VALUES (?, ?, ?, ?, ?, ?) "  # noqa: S608
    "ON CONFLICT (pk, sk) DO UPDATE SET version = excluded.version, active = excluded.active, "
    "expires = excluded.expires, body = excluded.body"
    for t in Table
}
_DELETE = {t: f"DELETE FROM {t} WHERE pk = ? AND sk = ?" for t in Table}  # noqa: S608
_SWEEP = {
    t: f"DELETE FROM {t} WHERE rowid IN (SELECT rowid FROM {t} WHERE expires <= ? LIMIT ?)"  # noqa: S608
    for t in Table
}
_ACTIVE = (
    "SELECT pk, sk, expires FROM state WHERE active = ? AND (expires IS NULL OR expires > ?) "
    "AND (pk, sk) > (?, ?) ORDER BY pk, sk LIMIT ?"
)


def _range(start: str, end: str, after: str | None, reverse: bool) -> tuple[str, list[str]]:
    where, values = ["sk >= ?"], [start]
    if end:
        where.append("sk < ?")
        values.append(end)
    if after is not None:
        where.append("sk < ?" if reverse else "sk > ?")
        values.append(after)
    return " AND ".join(where), values


def _page(table: Table, pk: str, rows: sqlite3.Cursor, limit: int) -> tuple[tuple[Item, ...], bool]:
    """At most `limit` items and about one megabyte, and whether there was more."""
    items: list[Item] = []
    size = 0
    for row in rows:
        if len(items) == limit or size > limits.MAX_PAGE_BYTES:
            return tuple(items), True
        items.append(_item(table, pk, row))
        size += len(row[4])
    return tuple(items), False


def _item(table: Table, pk: str, row: tuple[str, int, str | None, int | None, str]) -> Item:
    sk, version, active, expires, body = row
    return Item(table, pk=pk, sk=sk, body=load(body), version=version, active=active, expires=expires)


def _target(write: Write) -> tuple[Table, str, str]:
    target = write.item if isinstance(write, Put) else write
    return target.table, target.pk, target.sk


def _insert(db: sqlite3.Connection, item: Item, text: str) -> None:
    db.execute(_PUT[item.table], (item.pk, item.sk, item.version, item.active, item.expires, text))


def _apply(db: sqlite3.Connection, write: Write, text: str) -> None:
    match write:
        case Put(item=item):
            _insert(db, item, text)
        case Delete(table=table, pk=pk, sk=sk):
            db.execute(_DELETE[table], (pk, sk))
        case Check():
            pass
