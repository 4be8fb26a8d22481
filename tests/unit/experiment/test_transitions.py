"""The table of transitions: everything reachable, nothing without a way out, no wait without a deadline."""

from __future__ import annotations

import pytest

from chalicelib.domain.errors import Conflict
from chalicelib.domain.experiment.state import END_STATES, State
from chalicelib.domain.experiment.transitions import (
    DEADLINES,
    MAX_EVENTS,
    TRANSITIONS,
    USER,
    Cause,
    allowed,
    command,
    move,
    overdue,
    settling,
)
from tests.unit.experiment.made import NOW, experiment

ACTIVE = [state for state in State if state not in END_STATES and state is not State.DRAFT]


def reachable(start: State) -> set[State]:
    found, new = {start}, {start}
    while new:
        new = {t.target for t in TRANSITIONS if t.source in new} - found
        found |= new
    return found


def test_every_state_can_be_reached_and_every_state_can_end() -> None:
    assert reachable(State.DRAFT) == set(State)
    for state in State:
        assert reachable(state) & END_STATES


def test_an_end_is_an_end() -> None:
    assert not [t for t in TRANSITIONS if t.source in END_STATES]


def test_every_active_state_has_a_deadline_and_a_transition_for_it() -> None:
    assert set(DEADLINES) == set(ACTIVE)
    for state in ACTIVE:
        assert any(t.source is state and t.cause is Cause.DEADLINE for t in TRANSITIONS), state


def test_every_active_state_is_overdue_some_day() -> None:
    for state in ACTIVE:
        started = experiment(state)
        assert not overdue(started, NOW)
        assert overdue(started, NOW + 10 * 86400)


def test_deciding_has_the_time_that_the_last_measurements_take() -> None:
    slow = experiment(
        State.DECIDING, spec_parts={"interval": 3600, "schedule": {"minDuration": 7200, "maxDuration": 9000}}
    )
    assert settling(slow) == 7202
    assert not overdue(slow, NOW + settling(slow) + 299)
    assert overdue(slow, NOW + settling(slow) + 300)


def test_a_user_can_always_give_up_until_the_winner_rolls_out() -> None:
    for state in set(ACTIVE) - {State.STOPPING, State.ROLLING_BACK, State.PROMOTING}:
        assert any(t.source is state and t.cause is Cause.STOP for t in TRANSITIONS), state


def test_a_command_has_one_meaning_in_a_state() -> None:
    keys = [(t.source, t.cause) for t in TRANSITIONS if t.cause in USER]
    assert len(keys) == len(set(keys))
    rows = [(t.source, t.cause, t.target) for t in TRANSITIONS if t.cause is Cause.DEADLINE]
    assert len({source for source, _, _ in rows}) == len(rows)


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("cause", sorted(USER))
def test_a_command_happens_or_says_what_is_possible(state: State, cause: Cause) -> None:
    before = experiment(state)
    target = next((t.target for t in TRANSITIONS if (t.source, t.cause) == (state, cause)), None)
    if target is None:
        with pytest.raises(Conflict) as refused:
            command(before, cause, "ada", NOW + 1)
        assert refused.value.hint
        return
    after = command(before, cause, "ada", NOW + 1)
    assert (after.state, after.entered_at, after.message) == (target, NOW + 1, f"{cause.value} by ada")
    assert after.promoted_by == ("ada" if cause is Cause.PROMOTE else "")


@pytest.mark.parametrize("state", State)
def test_nothing_but_the_table_happens(state: State) -> None:
    for cause in Cause:
        for target in State:
            if allowed(state, cause, target):
                assert move(experiment(state), cause, target, NOW).state is target
            else:
                with pytest.raises(Conflict):
                    move(experiment(state), cause, target, NOW)


def test_the_clock_stands_still_while_paused() -> None:
    running = experiment(State.RUNNING)
    paused = command(running, Cause.PAUSE, "ada", NOW + 100)
    assert (paused.elapsed(NOW + 100), paused.elapsed(NOW + 5000)) == (100, 100)
    resumed = command(paused, Cause.RESUME, "ada", NOW + 1100)
    assert resumed.paused_seconds == 1000
    assert resumed.elapsed(NOW + 1150) == 150


def test_events_are_bounded_and_the_newest_stay() -> None:
    toggled = experiment(State.RUNNING)
    for second in range(100):
        cause, target = (Cause.PAUSE, State.PAUSED) if second % 2 == 0 else (Cause.RESUME, State.RUNNING)
        toggled = move(toggled, cause, target, NOW + second)
    assert len(toggled.events) == MAX_EVENTS
    assert toggled.events[-1].at == NOW + 99
