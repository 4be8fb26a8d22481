"""What is done about an Experiment resource: by what the control plane said, and by the time."""

from __future__ import annotations

import pytest

from chalicelib.domain.experiment.state import END_STATES, State
from chalicelib.domain.experiment.transitions import DEADLINES
from chalicelib.domain.kubernetes.experiment_mirror import ExperimentStatus
from chalicelib.domain.kubernetes.resource import Condition, condition
from operators.experiments.plan import (
    ACTIVE_S,
    ENDING_S,
    LONGEST_AWAY_S,
    REFUSED_S,
    WAITING_S,
    Adopt,
    Create,
    Hold,
    Look,
    Plan,
    Release,
    Start,
    Stop,
    plan,
)
from operators.experiments.seen import Absent, Away, Found, NotLooked, Refused
from operators.experiments.status import SYNCED
from tests.unit.operators_experiments.made import NOW, SPEC, resource, shown

ENDED = sorted(END_STATES)
ACTIVE = sorted(set(State) - END_STATES - {State.DRAFT})


def synced(found: Plan) -> tuple[str, str, str]:
    """Status, reason and message of the condition Synced."""
    one = condition(found.status.conditions, SYNCED)
    assert one is not None
    return one.status.value, one.reason, one.message


def following(state: State = State.RUNNING) -> ExperimentStatus:
    """The status of a resource that has followed its experiment."""
    return plan(resource(), Found(shown(state)), NOW - 100).status


def test_nothing_is_made_before_the_finalizer_is_there() -> None:
    assert plan(resource(held=False), NotLooked(), NOW).action == Hold()


def test_a_new_resource_is_looked_for_then_created_then_followed() -> None:
    assert plan(resource(), NotLooked(), NOW).action == Look()
    assert plan(resource(), Absent(), NOW).action == Create()
    last = plan(resource(), Found(shown(State.PENDING)), NOW)
    assert (last.action, last.again, synced(last)) == (None, ACTIVE_S, ("True", "Synced", ""))
    assert (last.status.uid, last.status.state, last.status.hosts) == ("E1", State.PENDING, 2)


def test_a_draft_of_ours_is_started() -> None:
    assert plan(resource(), Found(shown(State.DRAFT)), NOW).action == Start()


@pytest.mark.parametrize("state", ACTIVE)
def test_an_active_experiment_is_looked_at_again(state: State) -> None:
    waits = state in (State.PAUSED, State.AWAITING_PROMOTION)
    assert plan(resource(), Found(shown(state)), NOW).again == (WAITING_S if waits else ACTIVE_S)


@pytest.mark.parametrize("state", ENDED)
def test_an_ended_one_is_not_looked_at_again_not_even_after_a_restart(state: State) -> None:
    last = plan(resource(), Found(shown(state)), NOW)
    assert (last.action, last.again) == (None, None)
    after = plan(resource(status=last.status), NotLooked(), NOW + 1000)
    assert (after.action, after.status) == (None, last.status)


def test_one_of_people_or_of_another_resource_is_not_touched_and_the_message_says_how_to_adopt() -> None:
    for manager, named in (("", "the API and the CLI"), ("kubernetes:prod/b/lean/77", "kubernetes:prod/b/lean/77")):
        found = plan(resource(), Found(shown(managedBy=manager)), NOW)
        assert (found.action, found.again) == (None, REFUSED_S)
        assert synced(found)[:2] == ("False", "NotManaged")
        assert named in synced(found)[2]
        assert 'phoenix.io/adopt: "true"' in synced(found)[2]
        assert (found.status.uid, found.status.state) == ("", None)


def test_the_annotation_takes_it_over_once_and_never_back_and_forth() -> None:
    asks = {"phoenix.io/adopt": "true"}
    assert plan(resource(annotations=asks), Found(shown(managedBy="")), NOW).action == Adopt("")
    lost = resource(annotations=asks, status=following())
    taken = plan(lost, Found(shown(managedBy="kubernetes:other/a/b/c")), NOW)
    assert taken.action is None
    assert "was taken over and is managed by kubernetes:other/a/b/c" in synced(taken)[2]
    assert plan(resource(annotations={"phoenix.io/adopt": "yes"}), Found(shown(managedBy="")), NOW).action is None


def test_one_that_was_deleted_in_the_control_plane_is_not_run_once_more() -> None:
    found = plan(resource(status=following()), Absent(), NOW)
    assert (found.action, found.again, synced(found)[:2]) == (None, None, ("False", "Gone"))
    assert found.status.state is State.RUNNING


def test_a_changed_spec_is_named_and_the_experiment_still_followed() -> None:
    changed = {**SPEC, "interval": 30}
    found = plan(resource(spec=changed, generation=2), Found(shown(State.RUNNING)), NOW)
    assert synced(found)[:2] == ("False", "Rejected")
    assert "/spec/interval" in synced(found)[2]
    assert (found.status.state, found.status.observed_generation, found.again) == (State.RUNNING, 2, ACTIVE_S)


def test_a_refusal_is_shown_in_the_control_planes_words_and_tried_again() -> None:
    found = plan(resource(), Refused("Rejected", "/spec/candidate/parameters/k: at most 500"), NOW)
    assert (found.action, found.again) == (None, REFUSED_S)
    assert synced(found) == ("False", "Rejected", "/spec/candidate/parameters/k: at most 500")


def test_away_says_since_when_keeps_what_is_known_and_waits_ever_longer_up_to_a_minute() -> None:
    first = plan(resource(status=following()), Away("cannot be reached"), NOW)
    assert synced(first) == ("Unknown", "Unreachable", "since 2027-01-15T08:00:00Z: cannot be reached")
    assert first.status.state is State.RUNNING
    later = plan(resource(status=first.status), Away("cannot be reached"), NOW + 40)
    assert later.status == first.status
    last = plan(resource(status=first.status), Away("cannot be reached"), NOW + 4000)
    assert first.again is not None
    assert later.again is not None
    assert last.again is not None
    assert 0 < first.again <= ACTIVE_S < later.again < last.again <= LONGEST_AWAY_S
    back = plan(resource(status=last.status), Found(shown()), NOW + 4060)
    assert synced(back)[:2] == ("True", "Synced")
    assert plan(resource(), Absent(), NOW).action == Create()


def test_a_deleted_resource_stops_its_experiment_waits_and_goes() -> None:
    cr = resource(deleted_at=NOW, status=following())
    assert plan(cr, NotLooked(), NOW).action == Look()
    assert plan(cr, Found(shown(State.RUNNING)), NOW).action == Stop()
    waits = plan(cr, Found(shown(State.STOPPING), stop_asked=True), NOW + 1)
    assert (waits.action, waits.again, synced(waits)[:2]) == (None, ACTIVE_S, ("True", "Stopping"))
    assert plan(cr, Found(shown(State.STOPPED)), NOW + 5).action == Release()


@pytest.mark.parametrize("seen", [Absent(), Found(shown(managedBy="")), Found(shown(managedBy="kubernetes:x/y/z/1"))])
def test_a_deleted_resource_whose_experiment_is_not_its_own_just_goes(seen: Absent | Found) -> None:
    assert plan(resource(deleted_at=NOW), seen, NOW).action == Release()


def test_a_deleted_resource_whose_experiment_has_ended_goes_without_a_question() -> None:
    ended = following(State.COMPLETED)
    assert plan(resource(deleted_at=NOW, status=ended), NotLooked(), NOW).action == Release()
    assert plan(resource(deleted_at=NOW, status=ended, held=False), NotLooked(), NOW) == Plan(None, ended)


def test_a_stop_that_was_refused_is_asked_for_again_later_and_not_at_once() -> None:
    waits = plan(resource(deleted_at=NOW, status=following()), Found(shown(State.RUNNING), stop_asked=True), NOW)
    assert (waits.action, waits.again) == (None, ACTIVE_S)


def test_an_ending_that_takes_too_long_is_left_to_the_control_plane() -> None:
    assert DEADLINES[State.STOPPING] < ENDING_S
    cr = resource(deleted_at=NOW, status=following())
    seen = Found(shown(State.STOPPING))
    assert plan(cr, seen, NOW + ENDING_S - 1).action is None
    late = plan(cr, seen, NOW + ENDING_S).action
    assert isinstance(late, Release)
    assert "takes too long" in late.note


def test_the_time_to_end_begins_anew_when_the_control_plane_is_back() -> None:
    away = plan(resource(deleted_at=NOW, status=following()), Away("x"), NOW).status
    back = plan(resource(deleted_at=NOW, status=away), Found(shown(State.STOPPING), stop_asked=True), NOW + 5000)
    assert back.action is None
    waits = plan(resource(deleted_at=NOW, status=back.status), Found(shown(State.STOPPING)), NOW + 5000 + ENDING_S - 1)
    assert waits.action is None
    late = plan(resource(deleted_at=NOW, status=back.status), Found(shown(State.STOPPING)), NOW + 5000 + ENDING_S)
    assert isinstance(late.action, Release)


@pytest.mark.parametrize("seen", [Away("cannot be reached"), Refused("NotAllowed", "token unknown")])
def test_away_while_it_is_deleted_the_finalizer_stays_and_the_message_says_how_to_let_go(seen: Away | Refused) -> None:
    waits = plan(resource(deleted_at=NOW, status=following()), seen, NOW)
    assert waits.action is None
    assert 'phoenix.io/abandon: "true"' in synced(waits)[2]
    assert waits.again is not None
    gone = plan(resource(deleted_at=NOW, status=following(), annotations={"phoenix.io/abandon": "true"}), seen, NOW)
    assert gone.action == Release("abandoned: the experiment was not stopped")


def test_abandoning_stops_it_all_the_same_while_the_control_plane_can_be_asked() -> None:
    cr = resource(deleted_at=NOW, status=following(), annotations={"phoenix.io/abandon": "true"})
    assert plan(cr, NotLooked(), NOW).action == Look()
    assert plan(cr, Found(shown(State.RUNNING)), NOW).action == Stop()
    assert plan(resource(annotations={"phoenix.io/abandon": "true"}), Absent(), NOW).action == Create()


def test_without_a_control_plane_what_was_never_made_goes_and_what_was_waits() -> None:
    nowhere = Refused("NotConfigured", "none")
    assert synced(plan(resource(), nowhere, NOW))[:2] == ("False", "NotConfigured")
    assert plan(resource(deleted_at=NOW), nowhere, NOW).action == Release()
    assert plan(resource(deleted_at=NOW, status=following()), nowhere, NOW).action is None


@pytest.mark.parametrize("name", ["a.b", "x" * 64, "-a"])
def test_a_name_that_no_experiment_can_have_is_refused_and_never_holds_the_resource(name: str) -> None:
    found = plan(resource(name=name, held=False), NotLooked(), NOW)
    assert (found.action, synced(found)[:2]) == (None, ("False", "Rejected"))
    assert plan(resource(name=name, deleted_at=NOW), NotLooked(), NOW).action == Release()


def test_conditions_keep_the_time_of_their_last_change() -> None:
    def since(found: Plan) -> dict[str, str]:
        return {one.type: one.last_transition_time for one in found.status.conditions}

    first = plan(resource(), Found(shown(State.WARMING_UP)), NOW)
    second = plan(resource(status=first.status), Found(shown(State.RUNNING)), NOW + 60)
    assert since(first) == since(second)
    third = plan(resource(status=second.status), Found(shown(State.COMPLETED)), NOW + 120)
    assert {kind for kind, at in since(third).items() if at != since(first)[kind]} == {"Ready", "Complete"}
    assert all(isinstance(one, Condition) for one in third.status.conditions)
