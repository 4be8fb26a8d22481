"""Uids, numbers, repeated messages, full states, poll intervals."""

from __future__ import annotations

from chalicelib.domain.fleet.receive import MAX_ASKS
from chalicelib.domain.fleet.report import MAX_ATTRIBUTES, AgentReport, Description, Effective, Health
from chalicelib.domain.fleet.state import MAX_PREVIOUS, MAX_QUARANTINE, AgentState, FleetPolicy, Purpose
from chalicelib.ports.items import MAX_ITEM_BYTES
from tests.unit.fleet.talk import STEERABLE, UID, A, B, Talk


def test_complete_first_message_needs_no_full_state() -> None:
    talk = Talk()
    outcome = talk.hello()
    assert not outcome.reply.report_full_state
    assert talk.state.version == "0.155.0"
    assert talk.kinds() == ["connected"]


def test_unknown_agent_that_tells_only_changes_is_asked_for_everything() -> None:
    talk = Talk()
    assert talk.say(sequence=7, health=Health(healthy=True)).reply.report_full_state


def test_gap_is_asked_for_everything_and_its_news_are_taken() -> None:
    talk = Talk()
    talk.hello()
    outcome = talk.say(sequence=5, health=Health(healthy=False, last_error="gone"))
    assert outcome.reply.report_full_state
    assert talk.state.health == Health(healthy=False, last_error="gone")


def test_lower_number_with_changes_only_is_asked_for_everything_and_not_believed() -> None:
    talk = Talk()
    talk.hello()
    talk.say()
    outcome = talk.say(sequence=1, digest="other", health=Health(healthy=False, last_error="old news"))
    assert outcome.reply.report_full_state
    assert talk.state.healthy


def test_restarted_supervisor_begins_again_with_everything() -> None:
    talk = Talk()
    talk.hello()
    for _ in range(5):
        talk.say()
    outcome = talk.hello(description=Description(identifying={"service.version": "0.156.0"}))
    assert not outcome.reply.report_full_state
    assert talk.state.version == "0.156.0"


def test_another_uid_forgets_what_the_old_one_said_but_not_what_is_wanted() -> None:
    talk = Talk()
    talk.hello()
    talk.want("dep-1", A)
    talk.applies()
    outcome = talk.say(uid="02" * 16, sequence=3)
    assert outcome.reply.report_full_state
    assert outcome.reply.offer is None
    assert (talk.state.health, talk.state.effective, talk.state.description) == (None, None, None)
    assert talk.state.confirmed is not None


def test_nothing_is_concluded_or_offered_before_the_full_state_came() -> None:
    talk = Talk()
    talk.hello()
    talk.want("dep-1", A)
    talk.say()
    outcome = talk.say(sequence=talk.sequence + 2, effective=Effective(marker=talk.marker), health=talk.well())
    assert outcome.events == ()
    assert talk.status("dep-1").status == "offered"


def test_agent_that_never_tells_everything_is_taken_as_it_is() -> None:
    """Asking is answered at once; without an end to it both sides would spin."""
    talk = Talk()
    flags = [talk.say(health=Health(healthy=True)).reply.report_full_state for _ in range(MAX_ASKS + 3)]
    assert flags == [True] * MAX_ASKS + [False] * 3


def test_repeated_message_is_answered_again_and_has_its_effect_once() -> None:
    talk = Talk()
    talk.hello()
    talk.want("dep-1", A)
    report = AgentReport(instance_uid=UID, sequence=2, capabilities=STEERABLE, digest="d")
    first = talk.take(report)
    second = talk.take(report)
    assert second.reply == first.reply
    assert second.reply.offer is not None
    assert second.events == ()
    assert second.state == first.state.model_copy(update={"last_seen": talk.now})


def test_good_bye_is_remembered_and_ends_with_the_next_message() -> None:
    talk = Talk()
    talk.hello()
    talk.say(disconnect=True)
    assert talk.status("x").status == "unassigned"
    assert not talk.state.connected
    talk.say()
    assert talk.kinds() == ["connected", "connected"]


def test_polls_are_quick_only_while_something_is_going_on() -> None:
    talk = Talk(FleetPolicy(idle_heartbeat=30, probation=5))
    assert talk.hello().reply.heartbeat_seconds == 30
    talk.want("dep-1", A)
    assert talk.say().reply.heartbeat_seconds == 1
    talk.applies()
    talk.now += 10
    assert talk.say().reply.heartbeat_seconds == 30
    talk.want("exp-1", B, Purpose.EXPERIMENT)
    talk.applies()
    talk.now += 10
    assert talk.say().reply.heartbeat_seconds == 1


def test_supervisor_that_cannot_be_steered_gets_no_offer_and_its_owner_a_reason() -> None:
    talk = Talk()
    talk.hello()
    talk.want("dep-1", A)
    assert talk.say(capabilities=STEERABLE & ~0x2).reply.offer is None
    assert "accepts_remote_config" in talk.status("dep-1").error


def test_a_crash_of_a_settled_collector_is_told_and_its_recovery_too() -> None:
    talk = Talk()
    talk.hello()
    talk.want("dep-1", A)
    talk.applies()
    talk.say(health=Health(healthy=False, last_error="exited, exit code=137"))
    talk.say(health=talk.well())
    assert talk.kinds()[-2:] == ["unhealthy", "recovered"]
    assert talk.status("dep-1").status == "active"


def test_largest_state_that_a_hostile_host_can_cause_fits_one_item() -> None:
    talk = Talk()
    widest = "\U0001f4a3"
    attributes = {f"{index:03}{widest * 300}": widest * 300 for index in range(MAX_ATTRIBUTES)}
    talk.hello(description=Description(identifying=attributes, non_identifying=attributes))
    for index in range(2 * MAX_PREVIOUS):
        talk.want(f"{index:03}{'x' * 125}", f"{index:064x}")
        talk.applies()
    for index in range(2 * MAX_QUARANTINE):
        talk.want(f"{index:03}{'y' * 125}", f"{index + 100:064x}")
        talk.fails(f"{index}{widest * 3000}")
    assert len(talk.state.quarantine) == MAX_QUARANTINE
    assert len(talk.state.previous) == MAX_PREVIOUS
    assert 200_000 < len(talk.state.model_dump_json(by_alias=True).encode()) < MAX_ITEM_BYTES


def test_state_survives_its_own_json() -> None:
    talk = Talk()
    talk.hello()
    talk.want("dep-1", A)
    talk.applies()
    talk.want("exp-1", B)
    talk.fails()
    assert AgentState.model_validate_json(talk.state.model_dump_json()) == talk.state
