"""The item store port on every engine: many threads on the same items."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier
from typing import TypeVar

from chalicelib.domain.errors import Conflict
from chalicelib.ports.items import ABSENT, Item, ItemStore, Put, Table

THREADS = 16
DEADLINE = 120
T = TypeVar("T")


def together(work: Callable[[int], T], threads: int = THREADS) -> list[T]:
    """The answers of `work(0..threads-1)`, begun at the same moment."""
    barrier = Barrier(threads)

    def begin(n: int) -> T:
        barrier.wait(DEADLINE)
        return work(n)

    with ThreadPoolExecutor(threads) as pool:
        return [f.result(DEADLINE) for f in [pool.submit(begin, n) for n in range(threads)]]


def won(write: Callable[[], None]) -> bool:
    try:
        write()
    except Conflict:
        return False
    return True


def counter(version: int, n: int = 0, sk: str = "counter") -> Item:
    return Item(Table.STATE, "p", sk, {"n": n}, version=version)


def test_of_sixteen_writers_of_one_version_exactly_one_wins(store: ItemStore) -> None:
    for version in range(1, 13):
        wins = together(lambda n, v=version: won(lambda: store.put(counter(v, n), v - 1)))
        assert wins.count(True) == 1
        found = store.get(Table.STATE, "p", "counter")
        assert found == counter(version, wins.index(True))


def test_of_sixteen_transactions_on_one_version_exactly_one_wins(store: ItemStore) -> None:
    for version in range(1, 9):

        def run(n: int, v: int = version) -> bool:
            log = Item(Table.AUDIT, "log", f"{v:03}", {"n": n})
            return won(lambda: store.transact([Put(counter(v, n), v - 1), Put(log, ABSENT)], f"{v}/{n}"))

        wins = together(run)
        assert wins.count(True) == 1
        winner = wins.index(True)
        assert store.get(Table.STATE, "p", "counter") == counter(version, winner)
        assert store.get(Table.AUDIT, "log", f"{version:03}").body == {"n": winner}


def add_one(store: ItemStore, sk: str) -> None:
    for _ in range(500):
        old = store.get(Table.STATE, "p", sk)
        new = counter(1, 1, sk) if old is None else replace(old, version=old.version + 1, body={"n": old.body["n"] + 1})
        if won(lambda: store.put(new, ABSENT if old is None else old.version)):  # noqa: B023 - called at once
            return
    raise AssertionError("never won in 500 rounds")


def test_loops_of_read_change_and_write_end_at_the_right_sum(store: ItemStore) -> None:
    together(lambda _: [add_one(store, "counter") for _ in range(5)], threads=8)
    assert store.get(Table.STATE, "p", "counter") == counter(40, 40)


def transfer(store: ItemStore, n: int) -> None:
    """Both counters up by one, in one transaction."""
    for attempt in range(500):
        a, b = (store.get(Table.STATE, "p", sk) for sk in ("a", "b"))
        up = [Put(counter(i.version + 1, i.body["n"] + 1, i.sk), i.version) for i in (a, b)]
        if won(lambda: store.transact(up, f"{n}/{attempt}")):  # noqa: B023 - called at once
            return
    raise AssertionError("never won in 500 rounds")


def test_concurrent_transactions_over_two_items_lose_nothing(store: ItemStore) -> None:
    for sk in ("a", "b"):
        store.put(counter(1, 0, sk))
    together(lambda n: [transfer(store, n * 10 + k) for k in range(5)], threads=8)
    assert [store.get(Table.STATE, "p", sk) for sk in ("a", "b")] == [counter(41, 40, "a"), counter(41, 40, "b")]


def test_one_token_from_many_threads_has_one_effect(store: ItemStore) -> None:
    store.put(counter(1, 0))
    for version in range(1, 6):
        writes = [Put(counter(version + 1, version), version)]
        assert all(together(lambda _, w=writes, v=version: won(lambda: store.transact(w, f"once-{v}"))))
        assert store.get(Table.STATE, "p", "counter") == counter(version + 1, version)


def test_readers_never_see_half_a_transaction_of_the_past(store: ItemStore) -> None:
    """Reads after an acknowledged write see it, from any thread."""
    store.put(counter(1, 0))

    def work(n: int) -> bool:
        for k in range(10):
            sk = f"own-{n}-{k}"
            store.put(counter(1, k, sk), ABSENT)
            if store.get(Table.STATE, "p", sk) != counter(1, k, sk):
                return False
            if sk not in [i.sk for i in store.query(Table.STATE, "p", start=sk, limit=1).items]:
                return False
        return True

    assert all(together(work, threads=8))
