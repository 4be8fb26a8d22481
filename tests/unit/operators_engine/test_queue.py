"""The keyed queue: once each, never twice at once, deadlines, backoff."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from operators.engine.queue import LONGEST_BACKOFF_S, KeyedQueue, backoff


def test_a_key_is_there_once_and_in_the_order_it_came() -> None:
    queue: KeyedQueue[str] = KeyedQueue()
    for key in "abab":
        queue.add(key)
    assert [queue.take(0), queue.take(0), queue.take(0)] == ["a", "b", None]


def test_a_key_in_work_is_worked_on_once_more_afterwards_and_never_by_two() -> None:
    queue: KeyedQueue[str] = KeyedQueue()
    queue.add("a")
    assert queue.take(0) == "a"
    queue.add("a")
    queue.add("a")
    assert queue.take(0) is None
    queue.done("a")
    assert queue.take(0) == "a"
    queue.done("a")
    assert queue.take(0) is None


def test_a_deadline_brings_a_key_back_and_the_earlier_one_counts() -> None:
    queue: KeyedQueue[str] = KeyedQueue()
    queue.add_at("a", 30)
    queue.add_at("a", 10)
    queue.add_at("a", 20)
    assert queue.soonest() == 10
    assert queue.take(9) is None
    assert queue.take(10) == "a"
    queue.done("a")
    assert queue.soonest() is None, "the later wishes were of the same key"


def test_whoever_works_on_a_key_says_anew_when_to_look_again() -> None:
    queue: KeyedQueue[str] = KeyedQueue()
    queue.add_at("a", 10)
    queue.add("a")
    assert queue.take(0) == "a"
    queue.done("a", again_at=50)
    assert queue.soonest() == 50


def test_a_failure_waits_longer_each_time_and_a_success_forgets_them() -> None:
    queue: KeyedQueue[str] = KeyedQueue()
    waits = []
    for _ in range(10):
        queue.add("a")
        queue.take(0)
        waits.append(queue.failed("a", 0, 1.0))
    assert waits == [0.5, 1, 2, 4, 8, 16, 32, 60, 60, 60]
    queue.add("a")
    queue.take(0)
    queue.done("a")
    queue.add("a")
    queue.take(0)
    assert queue.failed("a", 0, 1.0) == 0.5


def test_what_changed_during_a_failure_is_looked_at_at_once() -> None:
    queue: KeyedQueue[str] = KeyedQueue()
    queue.add("a")
    queue.take(0)
    queue.add("a")
    queue.failed("a", 0, 1.0)
    assert queue.take(0) == "a"


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_a_backoff_is_bounded_and_never_nothing(failures: int, chance: float) -> None:
    assert 0.25 <= backoff(failures, chance) <= LONGEST_BACKOFF_S


@given(st.lists(st.tuples(st.sampled_from(["add", "take", "done", "failed", "later"]), st.integers(0, 3)), max_size=60))
def test_no_key_is_lost_and_none_is_in_work_twice(steps: list[tuple[str, int]]) -> None:
    queue: KeyedQueue[int] = KeyedQueue()
    working: set[int] = set()
    owed: set[int] = set()
    for what, key in steps:
        if what == "add":
            queue.add(key)
            owed.add(key)
        elif what == "later":
            queue.add_at(key, 5)
            owed.add(key)
        elif what == "take":
            taken = queue.take(0)
            if taken is not None:
                assert taken not in working
                working.add(taken)
                owed.discard(taken)
        elif key in working:
            working.discard(key)
            if what == "done":
                queue.done(key)
            else:
                queue.failed(key, 0, 0.5)
                owed.add(key)
    found = set()
    for key in working:
        queue.done(key)
    while (taken := queue.take(1000)) is not None:
        found.add(taken)
        queue.done(taken)
    assert owed <= found
