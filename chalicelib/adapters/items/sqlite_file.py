"""One SQLite file: opening, schema, connections, the write lock, and its errors in our words.

No item and no rule of the store port here. Every wait ends after `busy_seconds`.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from chalicelib.domain.errors import Unavailable
from chalicelib.ports.items import Table

_SCHEMA = 1
_TABLE = """
CREATE TABLE {t} (pk TEXT NOT NULL, sk TEXT NOT NULL, version INTEGER NOT NULL, active TEXT, expires INTEGER,
                  body TEXT NOT NULL, PRIMARY KEY (pk, sk))"""
_STATEMENTS = [
    *(_TABLE.format(t=t) for t in Table),
    *(f"CREATE INDEX {t}_expires ON {t} (expires) WHERE expires IS NOT NULL" for t in Table),
    "CREATE INDEX state_active ON state (active, pk, sk, expires) WHERE active IS NOT NULL",
    "CREATE TABLE tokens (token TEXT PRIMARY KEY, digest TEXT NOT NULL, until REAL NOT NULL) WITHOUT ROWID",
    "CREATE INDEX tokens_until ON tokens (until)",
    f"PRAGMA user_version = {_SCHEMA}",
]
_CAUSES = (
    ("SQLITE_BUSY", "is locked by another process", "end the other process that uses it (`phoenix down`), then retry"),
    ("SQLITE_LOCKED", "is locked by another process", "end the other process that uses it, then retry"),
    ("SQLITE_FULL", "cannot grow: the disk is full", "free space on its file system, then retry"),
    ("SQLITE_CANTOPEN", "cannot be opened", "check that its folder exists and that this user may write there"),
    ("SQLITE_READONLY", "cannot be written", "give this user the right to write the file and its folder"),
    ("SQLITE_PERM", "may not be accessed", "give this user the right to read and write it"),
    ("SQLITE_NOTADB", "is not a database", "move the file away, or restore it from a backup"),
    ("SQLITE_CORRUPT", "is damaged", "restore it from a backup"),
    ("SQLITE_IOERR", "cannot be read or written", "check the disk, its free space and its quota"),
)


class SqliteFile:
    """Connections to one file. `reading` and `writing` lend one for a block; any number of threads may ask."""

    def __init__(self, path: Path, busy_seconds: float) -> None:
        self._path = path
        self._busy_seconds = busy_seconds
        self._idle: deque[sqlite3.Connection] = deque()
        # Writers of this process queue here: SQLite's own wait polls, which is slow and unfair under contention.
        self._writer = threading.Lock()
        self._closed = False
        with self._translated():
            self._make_private()
            self._prepare()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection for one statement; it takes no write lock. Raises `Unavailable`."""
        with self._translated(), self._lent() as db:
            yield db

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A connection inside a write transaction: committed at the end of the block, rolled back on any error."""
        if not self._writer.acquire(timeout=self._busy_seconds):
            raise self._unavailable(f"has been locked for {self._busy_seconds} s", "retry; if it stays, restart")
        try:
            with self._translated(), self._lent() as db:
                db.execute("BEGIN IMMEDIATE")
                yield db
                db.execute("COMMIT")
        finally:
            self._writer.release()

    def close(self) -> None:
        """Close every idle connection; one that is lent is closed on its return."""
        self._closed = True
        while self._idle:
            with suppress(IndexError):
                self._idle.pop().close()

    @contextmanager
    def _lent(self) -> Iterator[sqlite3.Connection]:
        if self._closed:
            raise self._unavailable("is closed", "this process is stopping; start it again")
        try:
            db = self._idle.pop()
        except IndexError:
            db = self._open()
        try:
            yield db
        except sqlite3.Error:
            # Whatever state the failed connection is in: closing it rolls back and frees its locks.
            db.close()
            raise
        except BaseException:
            if db.in_transaction:
                db.execute("ROLLBACK")
            self._return(db)
            raise
        self._return(db)

    def _return(self, db: sqlite3.Connection) -> None:
        self._idle.append(db)
        if self._closed:
            self.close()

    def _open(self) -> sqlite3.Connection:
        db = sqlite3.connect(self._path, timeout=self._busy_seconds, isolation_level=None, check_same_thread=False)
        db.execute("PRAGMA synchronous = FULL")
        return db

    def _make_private(self) -> None:
        """Make a missing file readable by its owner alone; SQLite gives its -wal and -shm the same mode."""
        try:
            os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))
        except OSError as e:
            raise self._unavailable(
                f"cannot be opened ({e.strerror})", "check that its folder exists and that this user may write there"
            ) from e

    def _prepare(self) -> None:
        with self._lent() as db:
            mode = db.execute("PRAGMA journal_mode = WAL").fetchone()[0]
            if mode != "wal":
                raise self._unavailable("is on a file system without shared memory", "put it on a local disk")
            found = self._schema(db)
            if found == 0:
                self._create(db)
            elif found != _SCHEMA:
                raise self._unavailable(f"has schema {found}, this version knows {_SCHEMA}", "use the matching version")

    def _create(self, db: sqlite3.Connection) -> None:
        db.execute("BEGIN IMMEDIATE")
        if self._schema(db) == 0:  # another process may have been first
            for statement in _STATEMENTS:
                db.execute(statement)
        db.execute("COMMIT")

    @staticmethod
    def _schema(db: sqlite3.Connection) -> int:
        return int(db.execute("PRAGMA user_version").fetchone()[0])

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as e:
            name = getattr(e, "sqlite_errorname", "") or ""
            for code, what, fix in _CAUSES:
                if name.startswith(code):
                    raise self._unavailable(what, fix) from e
            raise self._unavailable(f"failed: {e}", "see the message, then retry") from e

    def _unavailable(self, what: str, fix: str) -> Unavailable:
        return Unavailable(f"database {self._path} {what}", hint=fix)
