"""What was acknowledged survives kill -9, and what was not is there whole or not at all.

SQLite: the process that writes is killed. dynoxide: the server is killed while a client writes to its file.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from chalicelib.adapters.items.dynamodb import DynamoItemStore
from chalicelib.adapters.items.sqlite import SqliteItemStore
from chalicelib.domain.errors import Unavailable
from chalicelib.ports.items import ABSENT, Item, ItemStore, Put, Table
from tests.engines import dynoxide

ROOT = Path(__file__).resolve().parents[2]
DEADLINE = 60
ENOUGH = 6
"""Transactions acknowledged before the death, at least."""


def writes(n: int) -> list[Put]:
    """Transaction n: three items in three tables and a counter from n to n + 1."""
    new = [Put(Item(table, "p", f"{n:06}", {"n": n, "x": "y" * 500}), ABSENT) for table in Table]
    return [*new, Put(Item(Table.STATE, "counter", "c", {"n": n + 1}, version=n + 1), ABSENT if n == 0 else n)]


def write_forever(path: Path) -> None:
    """For the child process: prints a line for each acknowledged transaction, until it is killed."""
    store = SqliteItemStore(path, time.time)
    for n in range(10**9):
        store.transact(writes(n), f"t{n}")
        print(n, flush=True)


def check(store: ItemStore, acknowledged: int) -> int:
    """Every acknowledged transaction is there, whole; at most one more is. Returns how many there are."""
    found = []
    for table in Table:
        cursor, keys = None, []
        while True:
            page = store.query(table, "p", limit=1000, cursor=cursor)
            keys += [i.sk for i in page.items]
            cursor = page.cursor
            if cursor is None:
                break
        found.append(keys)
    assert found[0] == found[1] == found[2] == [f"{n:06}" for n in range(len(found[0]))]
    counter = store.get(Table.STATE, "counter", "c")
    assert (counter.version if counter else 0) == len(found[0])
    assert acknowledged <= len(found[0]) <= acknowledged + 1
    return len(found[0])


@pytest.mark.parametrize("milliseconds", [150, 400, 900])
def test_sqlite_survives_the_death_of_its_process(tmp_path: Path, milliseconds: int) -> None:
    path = tmp_path / "items.sqlite"
    code = "import sys; from pathlib import Path; from tests.contract.test_items_crash import write_forever as w; "
    command = [sys.executable, "-c", f"{code} w(Path(sys.argv[1]))", str(path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout
        before = [child.stdout.readline() for _ in range(ENOUGH)]  # it is at work, however slow the machine
        assert before[0] == "0\n"
        time.sleep(milliseconds / 1000)
        child.kill()
        lines = child.stdout.read().splitlines()
        child.wait(DEADLINE)
    acknowledged = len(before) + len([line for line in lines if line])
    store = SqliteItemStore(path, time.time)
    there = check(store, acknowledged)
    assert there >= ENOUGH
    store.transact(writes(there - 1), f"t{there - 1}")  # the last one, repeated after the crash, is acknowledged
    store.transact(writes(there), f"t{there}")
    assert check(store, there + 1) == there + 1
    store.close()


def test_dynoxide_survives_its_own_death(tmp_path: Path) -> None:
    binary = dynoxide.resolve(os.environ)
    server = dynoxide.start(binary, tmp_path / "state.sqlite")
    try:
        acknowledged = write_until_gone(server)
    finally:
        server.kill()
    with dynoxide.running(binary, tmp_path / "state.sqlite") as again:
        store = DynamoItemStore(time.time, endpoint=again.endpoint)
        there = check(store, acknowledged)
        assert there >= ENOUGH
        store.transact(writes(there), f"t{there}")
        assert check(store, there + 1) == there + 1
        store.close()


def write_until_gone(server: dynoxide.Dynoxide) -> int:
    """Acknowledged transactions until the server, killed half a second after there were enough, is gone."""
    store = DynamoItemStore(time.time, endpoint=server.endpoint, retries=0)
    store.create_tables()
    killer = threading.Timer(0.5, server.kill)
    acknowledged = 0
    started = time.monotonic()
    try:
        while time.monotonic() - started < DEADLINE:
            store.transact(writes(acknowledged), f"t{acknowledged}")
            acknowledged += 1
            if acknowledged == ENOUGH:
                killer.start()
    except Unavailable:
        return acknowledged
    finally:
        if killer.is_alive():
            killer.join(DEADLINE)
        store.close()
    raise AssertionError("the server outlived its kill")
