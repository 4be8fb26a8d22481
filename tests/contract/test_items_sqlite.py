"""SQLite as an item store: locks of other processes, files that cannot be used, a full disk, threads, reopening."""

from __future__ import annotations

import os
import resource
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from chalicelib.adapters.items.sqlite import SqliteItemStore
from chalicelib.domain.errors import Unavailable
from chalicelib.ports.items import ABSENT, Item, Put, Table
from tests.contract.conftest import SetClock
from tests.contract.test_items_races import add_one, counter, together

ROOT = Path(__file__).resolve().parents[2]
_HOLD = """
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("BEGIN " + sys.argv[2])
db.execute("CREATE TABLE IF NOT EXISTS x (y)")
print("held", flush=True)
sys.stdin.read()
"""


@contextmanager
def locked_by_another_process(path: Path, how: str = "IMMEDIATE") -> Iterator[None]:
    command = [sys.executable, "-c", _HOLD, str(path), how]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdin
        assert other.stdout
        try:
            assert other.stdout.readline() == "held\n"
            yield
        finally:
            other.stdin.close()
            other.wait(20)


def item(n: int = 1) -> Item:
    return Item(Table.STATE, "p", str(n), {"n": n})


def test_a_write_under_anothers_lock_ends_by_its_deadline_and_says_what_to_do(clock: SetClock, tmp_path: Path) -> None:
    path = tmp_path / "items.sqlite"
    store = SqliteItemStore(path, clock, busy_seconds=0.3)
    store.put(item(1))
    with locked_by_another_process(path):
        started = time.monotonic()
        with pytest.raises(Unavailable, match="locked by another process") as caught:
            store.put(item(2))
        assert 0.2 < time.monotonic() - started < 60
        assert str(path) in caught.value.detail
        assert "phoenix down" in caught.value.hint
        with pytest.raises(Unavailable):
            store.transact([Put(item(2))], "t")
        assert store.get(Table.STATE, "p", "1") == item(1)  # reads go on
        assert len(store.query(Table.STATE, "p").items) == 1
        second = SqliteItemStore(path, clock, busy_seconds=0.3)  # so does opening what exists
        assert second.get(Table.STATE, "p", "1") == item(1)
        second.close()
    store.put(item(2))
    store.transact([Put(item(3))], "t")
    assert len(store.query(Table.STATE, "p").items) == 3
    store.close()


def test_a_short_lock_is_waited_for(clock: SetClock, tmp_path: Path) -> None:
    path = tmp_path / "items.sqlite"
    store = SqliteItemStore(path, clock, busy_seconds=30)
    done = threading.Event()

    def write() -> None:
        store.put(item(1))
        done.set()

    writer = threading.Thread(target=write)
    with locked_by_another_process(path):
        writer.start()
        assert not done.wait(0.3)
    assert done.wait(30)
    writer.join(30)
    store.close()


def test_opening_a_file_that_is_being_made_by_another_process_says_so(clock: SetClock, tmp_path: Path) -> None:
    path = tmp_path / "items.sqlite"
    with locked_by_another_process(path, "EXCLUSIVE"), pytest.raises(Unavailable, match="locked by another process"):
        SqliteItemStore(path, clock, busy_seconds=0.3)


def test_files_that_cannot_be_used_are_named_with_the_reason(clock: SetClock, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("this is no database, but it is longer than the header of one " * 20)
    (tmp_path / "folder").mkdir()
    newer = sqlite3.connect(tmp_path / "newer")
    newer.execute("PRAGMA user_version = 99")
    newer.close()
    for name, why in (
        ("text", "is not a database"),
        ("folder", "cannot be opened"),
        ("none/items.sqlite", "cannot be opened"),
        ("newer", "has schema 99"),
    ):
        with pytest.raises(Unavailable, match=why) as caught:
            SqliteItemStore(tmp_path / name, clock)
        assert str(tmp_path / name) in caught.value.detail
        assert caught.value.hint


def test_the_file_and_its_companions_are_readable_by_the_owner_alone(clock: SetClock, tmp_path: Path) -> None:
    store = SqliteItemStore(tmp_path / "items.sqlite", clock)
    store.put(item())
    modes = {f.name: stat.S_IMODE(f.stat().st_mode) for f in tmp_path.iterdir()}
    assert modes == {"items.sqlite": 0o600, "items.sqlite-wal": 0o600, "items.sqlite-shm": 0o600}
    store.close()


def fill_until_refused(path: Path) -> None:
    """For a child process: a limit on the size of files stands for a disk that is full. Prints what was stored."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))
    store = SqliteItemStore(path, time.time)
    acknowledged = 0
    try:
        for n in range(1000):
            store.put(Item(Table.STATE, "p", f"{n:04}", {"x": "y" * 5000}), ABSENT)
            acknowledged += 1
    except Unavailable as e:
        readable = len(store.query(Table.STATE, "p", limit=1000).items)
        print(f"{acknowledged} {readable} {e.detail} | {e.hint}", flush=True)
    os._exit(0)


def test_a_disk_that_takes_no_more_is_an_error_with_a_name_and_loses_nothing(clock: SetClock, tmp_path: Path) -> None:
    path = tmp_path / "items.sqlite"
    code = (
        "import sys; from pathlib import Path; from tests.contract.test_items_sqlite import fill_until_refused as f; "
    )
    done = subprocess.run(
        [sys.executable, "-c", f"{code} f(Path(sys.argv[1]))", str(path)],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    acknowledged, readable, said = done.stdout.split(" ", 2)
    assert 10 < int(acknowledged) < 1000
    assert int(readable) == int(acknowledged)
    assert str(path) in said
    assert "disk" in said
    store = SqliteItemStore(path, clock)
    assert len(store.query(Table.STATE, "p", limit=1000).items) == int(acknowledged)
    store.put(item())
    store.close()


def test_what_was_stored_is_there_after_closing_and_opening(clock: SetClock, tmp_path: Path) -> None:
    first = SqliteItemStore(tmp_path / "items.sqlite", clock)
    first.transact([Put(item(1)), Put(item(2))], "t")
    first.close()
    with pytest.raises(Unavailable, match="closed"):
        first.get(Table.STATE, "p", "1")
    second = SqliteItemStore(tmp_path / "items.sqlite", clock)
    assert list(second.query(Table.STATE, "p").items) == [item(1), item(2)]
    second.transact([Put(item(1)), Put(item(2))], "t")  # tokens are kept too
    second.close()


def test_two_stores_on_one_file_see_each_others_writes(clock: SetClock, tmp_path: Path) -> None:
    first, second = (SqliteItemStore(tmp_path / "items.sqlite", clock) for _ in range(2))
    first.put(item(1), ABSENT)
    assert second.get(Table.STATE, "p", "1") == item(1)
    second.delete(Table.STATE, "p", "1", 1)
    assert first.get(Table.STATE, "p", "1") is None
    first.close()
    second.close()


def test_writers_of_two_stores_queue_and_lose_nothing(clock: SetClock, tmp_path: Path) -> None:
    """As two processes would: each store has its own queue of writers, only SQLite's lock is between them."""
    stores = [SqliteItemStore(tmp_path / "items.sqlite", clock, busy_seconds=30) for _ in range(2)]
    together(lambda n: [add_one(stores[n % 2], "counter") for _ in range(10)], threads=8)
    assert stores[0].get(Table.STATE, "p", "counter") == counter(80, 80)
    for store in stores:
        store.close()


def test_short_lived_threads_leave_no_connections_behind(clock: SetClock, tmp_path: Path) -> None:
    store = SqliteItemStore(tmp_path / "items.sqlite", clock)
    before = len(os.listdir("/proc/self/fd"))
    for n in range(50):
        thread = threading.Thread(target=store.put, args=(item(n),))
        thread.start()
        thread.join(30)
    assert len(os.listdir("/proc/self/fd")) - before < 10
    store.close()
