"""The keeper's decisions, as lists of actions."""

from loadsim.population.keeper import FAILURES_ALLOWED, MAX_ENDS_AT_ONCE, MAX_STARTING, RETRY_S, End, Keeper, Start
from loadsim.population.profiles import population


def keeper(count: int = 10, critical: int = 1, rate: float = 6.0, seed: int = 1) -> Keeper:
    return Keeper(population("high-cardinality", count=count, busy=2, critical=critical, seed=seed), rate, seed)


def started(kept: Keeper) -> Keeper:
    for action in kept.decide(0.0):
        kept.up(action.slot, 100 + action.slot)
    return kept


def test_first_everything_is_started_once() -> None:
    kept = keeper()
    assert kept.decide(0.0) == [Start(slot) for slot in range(10)]
    assert kept.decide(1.0) == []
    assert not kept.complete
    for slot in range(10):
        kept.up(slot, 100 + slot)
    assert kept.complete
    assert (kept.spawned, kept.restarts) == (10, 0)


def test_only_so_many_starts_are_under_way() -> None:
    kept = keeper(count=MAX_STARTING + 5)
    assert len(kept.decide(0.0)) == MAX_STARTING
    kept.up(0, 1)
    kept.up(1, 2)
    assert len(kept.decide(0.0)) == 2


def test_restarts_come_at_the_asked_rate_and_take_each_idle_slot_in_turn() -> None:
    kept = started(keeper(rate=6.0))
    ended: list[int] = []
    for tick in range(282):  # 70 s in quarter seconds: one every 10 s
        for action in kept.decide(tick / 4):
            if isinstance(action, End):
                ended.append(action.slot)
                kept.down(action.slot, tick / 4)
            else:
                kept.up(action.slot, 1000 + tick)
    assert len(ended) == kept.restarts == 7
    assert sorted(ended) == [3, 4, 5, 6, 7, 8, 9]  # not the critical one (0), not the busy ones (1, 2)
    assert kept.spawned == 17


def test_the_order_of_restarts_is_the_seed_s() -> None:
    def first(seed: int) -> list[int]:
        kept = started(keeper(count=40, rate=60.0, seed=seed))
        kept.decide(0.0)
        return [action.slot for action in kept.decide(15.0)]

    assert first(1) == first(1) != first(2)


def test_no_restart_before_the_population_is_complete_nor_at_rate_zero() -> None:
    kept = keeper(rate=600.0)
    for action in kept.decide(0.0)[1:]:
        kept.up(action.slot, 1)
    assert kept.decide(100.0) == []
    assert started(keeper(rate=0.0)).decide(1000.0) == []


def test_a_machine_that_stood_still_gets_no_storm() -> None:
    kept = started(keeper(count=200, rate=600.0))
    kept.decide(0.0)
    assert len(kept.decide(60.0)) == MAX_ENDS_AT_ONCE


def test_a_process_that_ended_unasked_comes_back_after_a_pause_and_is_no_restart() -> None:
    kept = started(keeper(rate=0.0))
    kept.down(4, 5.0)
    assert kept.decide(5.0) == []
    assert kept.decide(5.0 + RETRY_S) == [Start(4)]
    kept.up(4, 999)
    assert (kept.spawned, kept.restarts, len(kept.alive)) == (11, 0, 10)


def test_starts_that_keep_failing_end_in_a_reason() -> None:
    kept = keeper()
    now = 0.0
    while not kept.hopeless:
        for action in kept.decide(now):
            kept.failed(action.slot, "fork: Resource temporarily unavailable", now)
        now += RETRY_S
        assert now < 60
    assert kept.failures > FAILURES_ALLOWED
    assert kept.last_error.startswith("fork")


def test_a_population_that_only_shrinks_is_complete_when_the_last_has_left() -> None:
    kept = started(keeper(count=10, rate=0.0))
    kept.become(kept.specs[:8], 0.0)
    assert not kept.complete
    assert kept.decide(1.0) == [End(8), End(9)]
    kept.down(8, 1.0)
    assert kept.decide(1.0) == []
    assert not kept.complete
    kept.down(9, 1.0)
    assert kept.decide(1.0) == []
    assert (kept.complete, len(kept.alive), kept.restarts) == (True, 8, 0)


def test_one_population_gives_way_to_another_without_ever_more_processes() -> None:
    kept = started(keeper(count=10, rate=0.0))
    kept.become(population("realistic", count=10, busy=2, critical=1, seed=1), 0.0)
    ends = kept.decide(1.0)
    assert ends == [End(slot) for slot in range(10)]
    for number, action in enumerate(ends, start=1):
        kept.down(action.slot, 1.0)
        assert kept.decide(1.0) == [Start(action.slot)]
        assert kept.occupied == 10
        kept.up(action.slot, 500 + number)
    assert kept.complete
