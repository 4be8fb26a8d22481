"""The item store port on every engine: transactions, their tokens and their limits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from chalicelib.adapters.items.dynamodb import DynamoItemStore
from chalicelib.adapters.items.sqlite import SqliteItemStore
from chalicelib.domain.errors import Conflict, InvalidInput, TooLarge
from chalicelib.ports.items import (
    ABSENT,
    ANY_VERSION,
    MAX_ITEM_BYTES,
    MAX_TRANSACT_BYTES,
    MAX_TRANSACT_WRITES,
    Check,
    Delete,
    Item,
    ItemStore,
    Put,
    Table,
    Write,
)
from tests.contract.conftest import SetClock
from tests.fakes.items import MemoryItemStore


def item(sk: str, version: int = 1, *, table: Table = Table.STATE, **body: object) -> Item:
    return Item(table, "p", sk, body, version=version)


def stored(store: ItemStore, *keys: str) -> list[int | None]:
    """Versions below partition p; None for what is not there."""
    found = [store.get(Table.STATE, "p", k) for k in keys]
    return [None if i is None else i.version for i in found]


def test_puts_deletes_and_checks_over_three_tables_happen_together(store: ItemStore) -> None:
    store.put(item("a", 3))
    store.put(item("b", 1))
    store.put(item("c", 2))
    writes: list[Write] = [
        Put(item("a", 4, n=1), 3),
        Put(item("new"), ABSENT),
        Put(item("log", table=Table.AUDIT), ABSENT),
        Put(item("m", table=Table.MEASUREMENTS)),
        Delete(Table.STATE, "p", "b", 1),
        Delete(Table.STATE, "p", "never", ANY_VERSION),
        Check(Table.STATE, "p", "c", 2),
        Check(Table.STATE, "p", "none", ABSENT),
    ]
    store.transact(writes, "t")
    assert stored(store, "a", "new", "b", "c", "none") == [4, 1, None, 2, None]
    assert store.get(Table.AUDIT, "p", "log") is not None
    assert store.get(Table.MEASUREMENTS, "p", "m") is not None


FAILING: list[Write] = [
    Put(item("a", 9), 2),
    Put(item("a", 9), ABSENT),
    Put(item("none", 9), 1),
    Delete(Table.STATE, "p", "a", 2),
    Delete(Table.STATE, "p", "none", 1),
    Delete(Table.STATE, "p", "a", ABSENT),
    Check(Table.STATE, "p", "a", 2),
    Check(Table.STATE, "p", "a", ABSENT),
    Check(Table.STATE, "p", "none", 1),
]


def test_one_failing_write_stops_all_wherever_it_stands(store: ItemStore) -> None:
    good: list[Write] = [Put(item("x")), Put(item("y"), ABSENT), Delete(Table.STATE, "p", "z")]
    store.put(item("a", 1))
    store.put(item("z", 5))
    for n, failing in enumerate(FAILING):
        for at in range(4):
            with pytest.raises(Conflict, match=r"'a'|'none'"):
                store.transact([*good[:at], failing, *good[at:]], f"t{n}.{at}")
            assert stored(store, "a", "x", "y", "z", "none") == [1, None, None, 5, None]


def test_a_failed_transaction_does_not_use_its_token_up(store: ItemStore) -> None:
    writes = [Put(item("a", 2), 1), Put(item("b"), ABSENT)]
    with pytest.raises(Conflict):
        store.transact(writes, "t")
    store.put(item("a", 1))
    store.transact(writes, "t")
    assert stored(store, "a", "b") == [2, 1]


# --- tokens ---


def test_a_repetition_is_acknowledged_without_a_second_effect(store: ItemStore) -> None:
    store.put(item("a", 1))
    writes = [Put(item("a", 2), 1), Put(item("b"), ABSENT), Delete(Table.STATE, "p", "c")]
    store.transact(writes, "t")
    store.put(item("a", 7))  # the world went on; the repetition must not set it back
    store.put(item("c", 1))
    for _ in range(3):
        store.transact(list(writes), "t")
    assert stored(store, "a", "b", "c") == [7, 1, 1]


OTHERS: list[list[Write]] = [
    [Put(item("a", 1, n=2))],
    [Put(item("a", 2, n=1))],
    [Put(item("a", 1, n=1), ABSENT)],
    [Put(item("b", 1, n=1))],
    [Put(replace(item("a", 1, n=1), active="A#1"))],
    [Put(replace(item("a", 1, n=1), expires=1_900_000_000))],
    [Put(replace(item("a", 1, n=1), table=Table.AUDIT))],
    [Put(item("a", 1, n=1)), Delete(Table.STATE, "p", "x")],
    [Delete(Table.STATE, "p", "a")],
]


def test_a_token_with_other_writes_is_a_conflict(store: ItemStore) -> None:
    writes = [Put(item("a", 1, n=1))]
    store.transact(writes, "t")
    for other in OTHERS:
        with pytest.raises(Conflict, match="token"):
            store.transact(other, "t")
        assert store.get(Table.STATE, "p", "a") == item("a", 1, n=1)
    store.transact(writes, "t")


def test_tokens_of_any_text_are_told_apart(store: ItemStore) -> None:
    tokens = ["t" * 36 + "1", "t" * 36 + "2", "x" * 1024, "é" * 512, "😀", "a\x00b", "a\x00c"]
    for n, token in enumerate(tokens):
        store.transact([Put(item(str(n)), ABSENT)], token)
        store.transact([Put(item(str(n)), ABSENT)], token)
    assert stored(store, *map(str, range(len(tokens)))) == [1] * len(tokens)
    for token in ("", "x" * 1025, "\ud800"):
        with pytest.raises(InvalidInput, match="token"):
            store.transact([Put(item("a"))], token)


def test_items_that_expire_take_part_as_if_they_were_plain(store: ItemStore, clock: SetClock) -> None:
    """DynamoDB needs a second form of the request here: see dynamodb_transact.py."""
    soon = int(clock.time) + 100
    for key, expires in (("lives", soon), ("gone", soon - 50), ("goes", soon)):
        store.put(replace(item(key, 3), expires=expires))
    clock.time += 60
    writes: list[Write] = [
        Put(replace(item("lives", 4), expires=soon), 3),
        Put(item("gone", 1, n=2), ABSENT),
        Delete(Table.STATE, "p", "goes", 3),
    ]
    store.transact(writes, "t")
    assert stored(store, "lives", "gone", "goes") == [4, 1, None]
    store.put(item("lives", 9))
    clock.time += 1
    store.transact(writes, "t")
    assert stored(store, "lives", "gone", "goes") == [9, 1, None]
    with pytest.raises(Conflict, match="token"):
        store.transact(writes[:1], "t")
    with pytest.raises(Conflict, match="token"):
        store.transact([Put(item("elsewhere"))], "t")
    assert stored(store, "lives", "elsewhere") == [9, None]


def test_a_conflict_over_an_item_that_expires_names_it(store: ItemStore, clock: SetClock) -> None:
    store.put(replace(item("lease", 3), expires=int(clock.time) + 100))
    writes: list[Write] = [Put(item("x"), ABSENT), Check(Table.STATE, "p", "lease", 2)]
    with pytest.raises(Conflict, match="'lease'"):
        store.transact(writes, "t")
    assert stored(store, "x", "lease") == [None, 3]


@pytest.mark.parametrize("engine", ["memory", "sqlite"])
def test_a_token_is_forgotten_after_ten_minutes(engine: str, clock: SetClock, tmp_path: Path) -> None:
    """Not on DynamoDB: the window there is the engine's own, on its own clock."""
    store = MemoryItemStore(clock) if engine == "memory" else SqliteItemStore(tmp_path / "db", clock)
    store.transact([Put(item("a", 1))], "t")
    clock.time += 599
    with pytest.raises(Conflict):
        store.transact([Put(item("a", 2))], "t")
    clock.time += 1
    store.transact([Put(item("a", 2))], "t")
    assert stored(store, "a") == [2]
    store.close()


def test_another_process_on_dynamodb_knows_the_token(
    make_dynamo: Callable[..., DynamoItemStore], clock: SetClock
) -> None:
    first = make_dynamo(clock)
    lease = replace(item("lease", 1), expires=int(clock.time) + 100)
    first.put(lease)
    writes = [Put(replace(lease, version=2), 1), Put(item("b"), ABSENT)]
    first.transact(writes, "t")
    later = SetClock(clock.time + 30)
    second = DynamoItemStore(later, endpoint=first.endpoint, prefix=first.prefix)
    second.transact(writes, "t")
    assert stored(second, "lease", "b") == [2, 1]
    second.close()


def test_two_stores_on_one_dynamodb_do_not_share_tokens(
    make_dynamo: Callable[..., DynamoItemStore], clock: SetClock
) -> None:
    first, second = make_dynamo(clock), make_dynamo(clock)
    first.transact([Put(item("a", 1))], "t")
    second.transact([Put(item("a", 1))], "t")
    assert stored(second, "a") == [1]


# --- limits ---


def test_a_hundred_writes_are_fine_and_one_more_is_refused(store: ItemStore) -> None:
    writes = [Put(item(f"{n:03}"), ABSENT) for n in range(MAX_TRANSACT_WRITES)]
    store.transact(writes, "t")
    store.transact(writes, "t")
    assert len(store.query(Table.STATE, "p", limit=1000).items) == MAX_TRANSACT_WRITES
    with pytest.raises(TooLarge, match="101"):
        store.transact([*writes, Put(item("x"))], "u")
    assert stored(store, "x") == [None]


def test_a_hundred_writes_over_items_that_expire(store: ItemStore, clock: SetClock) -> None:
    lease = replace(item("lease", 1), expires=int(clock.time) + 100)
    store.put(lease)
    writes = [Put(replace(lease, version=2), 1), *(Put(item(f"{n:03}"), ABSENT) for n in range(99))]
    store.transact(writes, "t")
    assert stored(store, "lease", "098") == [2, 1]


def test_the_same_key_twice_is_refused(store: ItemStore) -> None:
    for second in (Put(item("a")), Delete(Table.STATE, "p", "a"), Check(Table.STATE, "p", "a", ABSENT)):
        with pytest.raises(InvalidInput, match="twice"):
            store.transact([Put(item("a")), Put(item("b")), second], "t")
    assert stored(store, "a", "b") == [None, None]


def test_the_same_key_in_two_tables_is_fine(store: ItemStore) -> None:
    store.transact([Put(item("a", table=table)) for table in Table], "t")
    assert [store.get(t, "p", "a") is not None for t in Table] == [True] * 3


def test_bad_writes_are_refused_before_anything_happens(store: ItemStore) -> None:
    for writes, error in (
        ([], InvalidInput),
        ([Put(item("a")), Put(item(""))], InvalidInput),
        ([Put(item("a")), Put(item("b", 0))], InvalidInput),
        ([Put(item("a")), Put(item("b"), -2)], InvalidInput),
        ([Put(item("a")), Check(Table.STATE, "p", "b", ANY_VERSION)], InvalidInput),
        ([Put(item("a")), Put(item("b", x="y" * MAX_ITEM_BYTES))], TooLarge),
        ([Put(item("a")), Put(item("b", x=float("nan")))], InvalidInput),
    ):
        with pytest.raises(error):
            store.transact(writes, "t")
    assert stored(store, "a", "b") == [None, None]


def test_the_largest_transaction_fits(store: ItemStore) -> None:
    each = MAX_TRANSACT_BYTES // 11 - len('{"x":""}')
    writes = [Put(item(f"{n:02}", x="y" * each)) for n in range(11)]
    store.transact(writes, "t")
    assert stored(store, "00", "10") == [1, 1]
    with pytest.raises(TooLarge, match="transaction"):
        store.transact([*writes, Put(item("x", x="y" * 100))], "u")
