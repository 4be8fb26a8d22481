"""SQLite against the plain dictionary: any sequence of calls has the same outcomes on both, errors included."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from chalicelib.adapters.items.sqlite import SqliteItemStore
from chalicelib.domain.errors import PhoenixError
from chalicelib.ports.items import Check, Delete, Item, ItemStore, Put, Table
from tests.fakes.items import MemoryItemStore

START = 1_800_000_000
TABLES = st.sampled_from([Table.STATE, Table.STATE, Table.STATE, Table.AUDIT])
KEYS = st.sampled_from(["a", "a\x00", "aa", "b", "é", "\uffff", "😀"])
BOUNDS = st.sampled_from(["", "a", "aa", "b", "é", "😀"])
EXPECTED = st.sampled_from([-1, 0, 1, 2])
SHARDS = st.sampled_from(["A#1", "A#1", "A#2", None])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
ITEMS = st.builds(
    Item,
    table=TABLES,
    pk=st.sampled_from(["p", "p", "p", "q"]),
    sk=KEYS,
    body=st.dictionaries(st.text(max_size=3), JSON, max_size=2),
    version=st.integers(1, 2),
    active=SHARDS,
    expires=st.sampled_from([None, None, None, START + 5, START + 10, START + 50]),
)
WRITES = st.one_of(
    st.builds(Put, item=ITEMS, expected=EXPECTED),
    st.builds(Delete, table=TABLES, pk=st.just("p"), sk=KEYS, expected=EXPECTED),
    st.builds(Check, table=TABLES, pk=st.just("p"), sk=KEYS, expected=EXPECTED),
)


def outcome(call: Callable[[], Any]) -> Any:
    """What a call gave, or the class and words of its error."""
    try:
        return call()
    except PhoenixError as e:
        return type(e), e.detail


class BothStores(RuleBasedStateMachine):
    """One rule a method of the port; the clock moves too."""

    @initialize(items=st.lists(ITEMS, min_size=4, max_size=12))
    def open(self, items: list[Item]) -> None:
        self.time = float(START)
        self.folder = tempfile.TemporaryDirectory()
        self.sqlite = SqliteItemStore(Path(self.folder.name) / "items.sqlite", lambda: self.time)
        self.memory = MemoryItemStore(lambda: self.time)
        self.put_several(items)

    def both(self, call: Callable[[ItemStore], Any]) -> Any:
        expected = outcome(lambda: call(self.memory))
        assert outcome(lambda: call(self.sqlite)) == expected
        return expected

    @rule(items=st.lists(ITEMS, min_size=1, max_size=5))
    def put_several(self, items: list[Item]) -> None:
        for item in items:
            self.both(lambda s, i=item: s.put(i))

    @rule(item=ITEMS, expected=EXPECTED)
    def put(self, item: Item, expected: int) -> None:
        self.both(lambda s: s.put(item, expected))

    @rule(table=TABLES, sk=KEYS, expected=EXPECTED)
    def delete(self, table: Table, sk: str, expected: int) -> None:
        self.both(lambda s: s.delete(table, "p", sk, expected))

    @rule(table=TABLES, sk=KEYS)
    def get(self, table: Table, sk: str) -> None:
        self.both(lambda s: s.get(table, "p", sk))

    @rule(
        writes=st.lists(WRITES, max_size=4), token=st.sampled_from([f"t{n}" for n in range(6)]), times=st.integers(1, 2)
    )
    def transact(self, writes: list[Any], token: str, times: int) -> None:
        for _ in range(times):
            self.both(lambda s: s.transact(writes, token))

    @rule(table=TABLES, start=BOUNDS, end=BOUNDS, limit=st.integers(1, 3), reverse=st.booleans())
    def walk(self, table: Table, start: str, end: str, limit: int, reverse: bool) -> None:
        cursor = None
        for _ in range(20):
            how: dict[str, Any] = {"start": start, "end": end, "limit": limit, "reverse": reverse, "cursor": cursor}
            cursor = self.both(lambda s, h=how: s.query(table, "p", **h)).cursor
            if cursor is None:
                return
        raise AssertionError("no end")

    @rule(shard=st.sampled_from(["A#1", "A#2"]), limit=st.integers(1, 3))
    def walk_active(self, shard: str, limit: int) -> None:
        cursor = None
        for _ in range(20):
            cursor = self.both(lambda s, c=cursor: s.active(shard, limit=limit, cursor=c)).cursor
            if cursor is None:
                return
        raise AssertionError("no end")

    @rule(seconds=st.sampled_from([5, 5, 0.5, 4.5, 595, 600]))
    def wait(self, seconds: float) -> None:
        self.time += seconds

    @rule()
    def sweep(self) -> None:
        self.both(lambda s: s.sweep())

    @rule()
    def reopen(self) -> None:
        self.sqlite.close()
        self.sqlite = SqliteItemStore(Path(self.folder.name) / "items.sqlite", lambda: self.time)

    @invariant()
    def same_content(self) -> None:
        for table in (Table.STATE, Table.AUDIT):
            self.both(lambda s, t=table: s.query(t, "p"))

    def teardown(self) -> None:
        self.sqlite.close()
        self.folder.cleanup()


class TestBothStores(BothStores.TestCase):
    """Steps enough that a token is reused, a page is turned and an item expires in most runs."""

    settings = settings(
        max_examples=50,
        stateful_step_count=40,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
