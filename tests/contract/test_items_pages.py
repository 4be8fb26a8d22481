"""The item store port on every engine: ranges, pages and cursors, the sparse index, expiry and the sweep."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from chalicelib.domain.errors import Conflict, InvalidInput
from chalicelib.ports.items import ABSENT, Check, Item, ItemStore, Page, Put, Table
from tests.contract.conftest import SetClock

_MOST_PAGES = 200


def fill(store: ItemStore, keys: list[str], pk: str = "p") -> None:
    for key in keys:
        store.put(Item(Table.STATE, pk, key, {"k": key}))


def walk(page: Callable[[str | None], Page]) -> list[Item]:
    """All items, page after page."""
    items: list[Item] = []
    cursor = None
    for _ in range(_MOST_PAGES):
        got = page(cursor)
        items += got.items
        cursor = got.cursor
        if cursor is None:
            return items
    raise AssertionError(f"no end after {_MOST_PAGES} pages")


def keys_of(store: ItemStore, **how: object) -> list[str]:
    return [i.sk for i in walk(lambda c: store.query(Table.STATE, "p", cursor=c, **how))]


KEYS = ["a", "a\x00", "aa", "b", "b#1", "b#10", "b#2", "c", "z", "é", "漢", "\uffff", "😀"]
"""In order of their UTF-8 bytes; in UTF-16 the last two would change places."""


@pytest.mark.parametrize("reverse", [False, True])
def test_pages_hold_every_item_once_in_order(store: ItemStore, reverse: bool) -> None:
    fill(store, KEYS[::-1])
    fill(store, ["other"], pk="p2")
    for limit in (1, 2, 5, 13, 14, 1000):
        assert keys_of(store, limit=limit, reverse=reverse) == (KEYS[::-1] if reverse else KEYS)
        assert len(store.query(Table.STATE, "p", limit=limit, reverse=reverse).items) <= limit


RANGES = [
    ("", "", KEYS),
    ("b", "", KEYS[3:]),
    ("", "b", KEYS[:3]),
    ("b", "c", ["b", "b#1", "b#10", "b#2"]),
    ("b#", "b$", ["b#1", "b#10", "b#2"]),
    ("a", "a", []),
    ("c", "a", []),
    ("a\x00", "aa", ["a\x00"]),
    ("bb", "bc", []),
    ("é", "\uffff", ["é", "漢"]),
]


def test_ranges_take_the_start_and_leave_the_end(store: ItemStore) -> None:
    fill(store, KEYS)
    for start, end, expected in RANGES:
        for limit in (1, 3, 100):
            assert keys_of(store, start=start, end=end, limit=limit) == expected
            assert keys_of(store, start=start, end=end, limit=limit, reverse=True) == expected[::-1]


def test_items_of_a_page_are_whole(store: ItemStore) -> None:
    item = Item(Table.AUDIT, "p", "s", {"a": [1, 0.1, None]}, version=4, expires=1_900_000_000)
    store.put(item)
    assert tuple(store.query(Table.AUDIT, "p").items) == (item,)
    assert not store.query(Table.STATE, "p").items


def test_a_partition_of_megabytes_comes_in_several_pages(store: ItemStore) -> None:
    for n in range(8):
        store.put(Item(Table.STATE, "p", f"{n}", {"x": "y" * 300_000}))
    first = store.query(Table.STATE, "p")
    assert 1 <= len(first.items) < 8
    assert first.cursor
    assert keys_of(store) == [str(n) for n in range(8)]
    assert keys_of(store, reverse=True) == [str(n) for n in reversed(range(8))]


def test_a_cursor_goes_on_although_items_came_and_went(store: ItemStore) -> None:
    fill(store, ["a", "b", "c", "d"])
    page = store.query(Table.STATE, "p", limit=2)
    for gone in ("a", "b"):
        store.delete(Table.STATE, "p", gone)
    fill(store, ["aa", "bb"])
    rest = walk(lambda c: store.query(Table.STATE, "p", limit=2, cursor=c or page.cursor))
    assert [i.sk for i in rest] == ["bb", "c", "d"]


def test_a_limit_out_of_bounds_is_refused(store: ItemStore) -> None:
    for limit in (0, -1, 1001):
        with pytest.raises(InvalidInput, match="limit"):
            store.query(Table.STATE, "p", limit=limit)
        with pytest.raises(InvalidInput, match="limit"):
            store.active("A#1", limit=limit)


BROKEN = ["", "x", "!!", "e30", "bm90IGpzb24", "é", "\x00", "a" * 20_000, "AAAAAAAAAABbXQ", "[" * 9000]


def test_a_broken_cursor_is_refused(store: ItemStore) -> None:
    fill(store, KEYS)
    for cursor in BROKEN:
        with pytest.raises(InvalidInput, match="cursor"):
            store.query(Table.STATE, "p", cursor=cursor)
        with pytest.raises(InvalidInput, match="cursor"):
            store.active("A#1", cursor=cursor)


def test_a_cursor_of_another_query_or_a_changed_one_is_refused(store: ItemStore) -> None:
    fill(store, KEYS)
    cursor = store.query(Table.STATE, "p", limit=3).cursor
    assert cursor is not None
    others: list[tuple[Table, str, dict[str, object]]] = [
        (Table.AUDIT, "p", {}),
        (Table.STATE, "q", {}),
        (Table.STATE, "p", {"reverse": True}),
        (Table.STATE, "p", {"start": "a"}),
        (Table.STATE, "p", {"end": "z"}),
    ]
    for table, pk, how in others:
        with pytest.raises(InvalidInput, match="cursor"):
            store.query(table, pk, cursor=cursor, **how)
    with pytest.raises(InvalidInput, match="cursor"):
        store.active("A#1", cursor=cursor)
    for at in range(0, len(cursor), 5):
        changed = cursor[:at] + ("A" if cursor[at] != "A" else "B") + cursor[at + 1 :]
        with pytest.raises(InvalidInput, match="cursor"):
            store.query(Table.STATE, "p", cursor=changed)


# --- the sparse index ---


def shard(store: ItemStore, name: str, limit: int = 100) -> list[tuple[str, str]]:
    return [(i.pk, i.sk) for i in walk(lambda c: store.active(name, limit=limit, cursor=c))]


def test_items_enter_move_and_leave_the_index(store: ItemStore) -> None:
    item = Item(Table.STATE, "p", "s", {"a": 1}, active="A#1", expires=1_900_000_000)
    assert shard(store, "A#1") == []
    store.put(item)
    assert tuple(store.active("A#1").items) == (replace(item, body={}, version=0),)
    store.transact([Put(replace(item, active="A#2", version=2), 1)], "move")
    assert (shard(store, "A#1"), shard(store, "A#2")) == ([], [("p", "s")])
    store.put(replace(item, active=None, version=3))
    assert shard(store, "A#2") == []
    store.put(replace(item, version=4))
    store.delete(Table.STATE, "p", "s")
    assert shard(store, "A#1") == []


def test_the_index_is_of_the_state_table_alone(store: ItemStore) -> None:
    store.put(Item(Table.AUDIT, "p", "s", {}, active="A#1"))
    store.put(Item(Table.MEASUREMENTS, "p", "s", {}, active="A#1"))
    assert shard(store, "A#1") == []


@pytest.mark.parametrize("limit", [1, 3, 10, 100])
def test_the_index_pages_in_order_of_pk_with_none_twice_and_none_missing(store: ItemStore, limit: int) -> None:
    pks = [f"T#a#{n:02}" for n in range(10)] + ["é", "\uffff", "😀"]
    for pk in reversed(pks):
        store.put(Item(Table.STATE, pk, "s", {}, active="A#1"))
        store.put(Item(Table.STATE, pk, "idle", {}))
    for sk in ("s1", "s2", "s3"):
        store.put(Item(Table.STATE, "T#a#05", sk, {}, active="A#1"))
    store.put(Item(Table.STATE, "T#a#00", "x", {}, active="A#10"))
    found = shard(store, "A#1", limit)
    assert [pk for pk, _ in found] == sorted([*pks, *["T#a#05"] * 3], key=str.encode)
    assert len(set(found)) == len(pks) + 3


# --- expiry ---


def test_expired_items_are_not_there_for_any_read(store: ItemStore, clock: SetClock) -> None:
    soon = int(clock.time) + 10
    store.put(Item(Table.STATE, "p", "a", {}, active="A#1", expires=soon))
    store.put(Item(Table.STATE, "p", "b", {}, active="A#1"))
    clock.time = soon - 0.25
    assert (keys_of(store), len(shard(store, "A#1"))) == (["a", "b"], 2)
    assert store.get(Table.STATE, "p", "a") is not None
    clock.time = soon
    assert store.get(Table.STATE, "p", "a") is None
    assert keys_of(store) == ["b"]
    assert keys_of(store, limit=1, reverse=True) == ["b"]
    assert shard(store, "A#1", limit=1) == [("p", "b")]


def test_an_expired_item_counts_as_absent_for_every_expected_version(store: ItemStore, clock: SetClock) -> None:
    item = Item(Table.STATE, "p", "s", {"v": 1}, version=3, expires=int(clock.time) + 10)
    fresh = replace(item, version=1, expires=None)
    store.put(item, ABSENT)
    with pytest.raises(Conflict):
        store.put(fresh, ABSENT)
    clock.time += 10
    for write in (
        lambda: store.put(fresh, 3),
        lambda: store.delete(Table.STATE, "p", "s", 3),
        lambda: store.transact([Put(fresh, 3)], "t1"),
        lambda: store.transact([Check(Table.STATE, "p", "s", 3), Put(replace(fresh, sk="x"))], "t2"),
    ):
        with pytest.raises(Conflict):
            write()
    store.delete(Table.STATE, "p", "s", ABSENT)
    store.put(item)
    store.put(fresh, ABSENT)
    assert store.get(Table.STATE, "p", "s") == fresh


def test_sweep_deletes_expired_items_alone_up_to_its_limit(store: ItemStore, clock: SetClock) -> None:
    for table in Table:
        for n in range(4):
            store.put(Item(table, "p", f"gone-{n}", {}, expires=int(clock.time) + 1, active="A#1"))
        store.put(Item(table, "p", "later", {}, expires=int(clock.time) + 100))
        store.put(Item(table, "p", "stays", {}))
    assert store.sweep() == 0
    clock.time += 5
    assert store.sweep(limit=5) == 5
    assert store.sweep(limit=100) == 7
    assert store.sweep() == 0
    clock.time -= 5  # back in time nothing of the expired is left to be seen
    for table in Table:
        assert [i.sk for i in store.query(table, "p").items] == ["later", "stays"]
