"""What becomes of an offer: confirmation, failure, roll back, deadline, the collector's own words."""

from __future__ import annotations

import pytest

from chalicelib.domain.errors import Conflict
from chalicelib.domain.fleet.judge import IDLE_CONFIG, IDLE_HASH, collector_error, marker_of
from chalicelib.domain.fleet.report import ConfigStatus, Effective, Health, RemoteStatus
from chalicelib.domain.fleet.state import FleetPolicy, Purpose
from chalicelib.domain.pipeline.marker import stamp
from tests.unit.fleet.talk import EXIT_CODE, A, B, C, Talk


def deployed(policy: FleetPolicy | None = None) -> Talk:
    """A host with content A confirmed for dep-1."""
    talk = Talk(policy)
    talk.hello()
    talk.want("dep-1", A)
    talk.applies()
    assert talk.status("dep-1").status == "active"
    return talk


def test_markers_are_those_of_stamping() -> None:
    assert stamp(IDLE_CONFIG, 3)[1] == marker_of(IDLE_HASH, 3)


def test_offer_is_made_until_the_supervisor_names_it_and_not_while_it_applies() -> None:
    talk = Talk()
    talk.hello()
    marker = talk.want("dep-1", A)
    offers = [talk.say().reply.offer, talk.say().reply.offer]
    assert [offer.marker if offer else None for offer in offers] == [marker, marker]
    assert talk.say(remote=talk.remote(ConfigStatus.APPLYING)).reply.offer is None
    assert talk.status("dep-1").status == "applying"
    assert talk.kinds().count("offered") == 1


def test_applied_alone_confirms_nothing() -> None:
    talk = Talk()
    talk.hello()
    talk.want("dep-1", A)
    talk.say()
    talk.say(remote=talk.remote(ConfigStatus.APPLIED), health=talk.well())
    assert talk.status("dep-1").status == "applying"


def test_marker_with_the_health_of_the_collector_before_confirms_nothing() -> None:
    talk = deployed()
    talk.want("dep-2", B)
    talk.say()
    talk.say(remote=talk.remote(ConfigStatus.APPLYING), effective=Effective(marker=talk.marker))
    assert talk.status("dep-2").status == "applying"
    talk.say(health=talk.well())
    assert talk.status("dep-2").status == "active"
    assert talk.status("dep-1").status == "superseded"


def test_failure_quarantines_and_restores_with_a_new_revision() -> None:
    talk = deployed()
    first = talk.marker
    marker = talk.want("exp-1", B, Purpose.EXPERIMENT)
    outcome = talk.fails()
    assert talk.status("exp-1").status == "failed"
    assert talk.status("exp-1").error == EXIT_CODE
    assert outcome.reply.offer is not None
    assert outcome.reply.offer.content_hash == A
    assert outcome.reply.offer.marker not in (first, marker)
    talk.applies()
    assert talk.status("exp-1").status == "rolled_back"
    assert talk.status("dep-1").status == "active"
    assert [event.scope for event in talk.events if event.kind == "rolled_back"] == ["exp-1"]


def test_quarantined_content_is_refused_with_its_error_and_time_unless_forced() -> None:
    talk = deployed()
    talk.want("exp-1", B)
    talk.fails("receiver port taken")
    with pytest.raises(Conflict, match=r"1970-01-01T00:16:\d\d.*receiver port taken"):
        talk.want("exp-2", B)
    talk.want("exp-2", B, force=True)
    talk.applies()
    assert talk.status("exp-2").status == "active"


def test_wanting_again_what_is_wanted_changes_nothing_and_everything_else_raises_the_revision() -> None:
    talk = Talk()
    talk.hello()
    markers = [talk.want("dep-1", A), talk.want("dep-1", A), talk.want("dep-2", A), talk.want("dep-2", B)]
    assert [marker.partition(".")[2] for marker in markers] == ["1", "1", "2", "3"]


def test_apply_timeout_of_the_supervisor_is_not_the_last_word() -> None:
    talk = deployed()
    talk.want("dep-2", B)
    talk.say()
    talk.say(remote=talk.remote(ConfigStatus.APPLYING))
    talk.say(health=Health(healthy=False), remote=talk.remote(ConfigStatus.FAILED, "Config apply timeout exceeded"))
    assert talk.status("dep-2").status == "applying"
    talk.say(health=talk.well(), effective=Effective(marker=talk.marker))
    assert talk.status("dep-2").status == "active"


def test_one_crash_may_be_of_the_collector_before_two_are_a_failure() -> None:
    talk = deployed()
    talk.want("dep-2", B)
    talk.say()
    talk.say(remote=talk.remote(ConfigStatus.APPLYING))
    for pid, expected in ((1, "applying"), (1, "applying"), (2, "failed")):
        talk.say(health=Health(healthy=False, last_error=f"Agent process PID={pid} exited, exit code=1"))
        assert talk.status("dep-2").status == expected


def test_failure_soon_after_the_confirmation_counts_and_later_does_not() -> None:
    early, late = deployed(), deployed()
    for talk, pause in ((early, 5), (late, 60)):
        talk.want("dep-2", B)
        talk.applies()
        talk.now += pause
        talk.say(health=Health(healthy=False, last_error="x"), remote=talk.remote(ConfigStatus.FAILED, "gone"))
    assert early.status("dep-2").status == "failed"
    assert early.state.confirmed is not None
    assert early.state.confirmed.content_hash == A
    assert late.status("dep-2").status == "active"


def test_failure_of_another_offer_is_not_ours() -> None:
    talk = deployed()
    talk.want("dep-2", B)
    talk.say(remote=RemoteStatus(status=ConfigStatus.FAILED, marker="0123456789abcdef.9", error="no"))
    assert talk.status("dep-2").status == "offered"


def test_deadline_fails_a_host_that_polls_and_spares_one_that_is_gone() -> None:
    there, gone = deployed(), deployed()
    for talk in (there, gone):
        talk.want("dep-2", B)
        talk.say()
        talk.say(remote=talk.remote(ConfigStatus.APPLYING))
    for _ in range(31):
        there.say()
        there.expire()
    assert there.status("dep-2").status == "failed"
    assert there.status("dep-2").error.startswith("not confirmed within 30 s")
    gone.now += 200
    gone.expire()
    away = gone.status("dep-2")
    assert (away.status, away.without_absence) == ("away", "applying")
    gone.say()
    gone.expire()
    assert gone.status("dep-2").status == "applying"


def test_host_that_falls_silent_again_and_again_does_not_get_time_without_end() -> None:
    talk = deployed()
    talk.want("dep-2", B)
    talk.say()
    for _ in range(40):
        talk.now += 20
        talk.say()
        talk.expire()
    assert talk.status("dep-2").status == "failed"


def test_roll_back_that_fails_is_tried_again_then_the_one_before_then_idle() -> None:
    talk = deployed()
    talk.want("dep-2", B)
    talk.applies()
    talk.want("exp-1", C, Purpose.EXPERIMENT)
    wanted = []
    for _ in range(6):
        talk.fails()
        assert talk.state.desired is not None
        wanted.append((talk.state.desired.content_hash[:1], talk.state.desired.attempt))
    idle = IDLE_HASH[:1]
    assert wanted == [("b", 1), ("b", 2), ("a", 1), ("a", 2), (idle, 1), (idle, 1)]
    assert "idle configuration failed too" in talk.status("exp-1").error
    assert talk.say().reply.offer is None
    talk.say(health=talk.well(), effective=Effective(marker=talk.marker))
    assert talk.status("exp-1").status == "rolled_back"
    assert talk.status("dep-2").error == EXIT_CODE


def test_supervisor_that_names_another_configuration_gets_the_confirmed_one_again() -> None:
    talk = deployed()
    outcome = talk.say(remote=RemoteStatus(status=ConfigStatus.UNSET))
    assert outcome.reply.offer is not None
    assert outcome.reply.offer.marker == talk.marker
    assert talk.kinds()[-2:] == ["drifted", "offered"]


def test_restored_store_recognises_what_the_host_already_runs() -> None:
    """A database put back may hand out a revision that the host has had."""
    talk = Talk()
    talk.hello()
    talk.want("dep-1", A)
    held = talk.remote(ConfigStatus.APPLIED)
    outcome = talk.say(remote=held, effective=Effective(marker=talk.marker), health=talk.well())
    assert outcome.reply.offer is None
    talk.say()
    assert talk.status("dep-1").status == "active"


@pytest.mark.parametrize("first", ["words", "report"])
@pytest.mark.parametrize("named", [True, False])
def test_collectors_own_words_replace_an_exit_code_whenever_they_come(first: str, named: bool) -> None:
    talk = deployed()
    marker = talk.want("exp-1", B)
    talk.say()
    words = "listen tcp 127.0.0.1:4318: bind: address already in use"
    if first == "report":
        talk.fails()
    talk.state = collector_error(talk.state, words, talk.now + 1, marker if named else None)
    if first == "words":
        talk.fails()
    assert talk.status("exp-1").error == words
    assert talk.state.last_failure is not None
    assert talk.state.last_failure.error == words


def test_collectors_words_change_no_clear_text_and_nothing_unrelated() -> None:
    talk = deployed()
    talk.want("exp-1", B)
    talk.fails("yaml: line 1: did not find expected ','")
    assert collector_error(talk.state, "other", talk.now, None) == talk.state
    assert collector_error(talk.state, "other", talk.now + 3600, None) == talk.state
    assert collector_error(talk.state, "other", talk.now, "ffffffffffffffff.9") == talk.state


def test_host_texts_are_bounded() -> None:
    talk = deployed()
    talk.want("exp-1", B)
    talk.fails("\x1b[31m" + "x" * 100_000)
    error = talk.status("exp-1").error
    assert len(error) == 2000
    assert "\x1b" not in error


def test_scope_whose_later_try_succeeded_is_superseded_by_the_next_and_not_failed() -> None:
    talk = deployed()
    talk.want("dep-2", B)
    talk.fails()
    talk.applies()
    talk.want("dep-2", C)
    talk.applies()
    talk.want("dep-3", A)
    assert talk.status("dep-2").status == "superseded"
    talk.applies()
    assert [talk.status(f"dep-{number}").status for number in (1, 2, 3)] == ["superseded", "superseded", "active"]


def test_failed_update_within_one_scope_shows_as_failed_although_the_scope_is_active_again() -> None:
    talk = deployed()
    marker = talk.want("dep-1", B)
    talk.fails()
    talk.applies()
    status = talk.status("dep-1")
    assert (status.status, status.marker) == ("rolled_back", marker)
    assert status.running == talk.marker


def test_idle_configuration_that_fails_is_given_up_until_it_is_wanted_again() -> None:
    talk = deployed()
    talk.want("dep-1", IDLE_HASH)
    talk.fails("no such binary")
    assert talk.status("dep-1").status == "failed"
    assert talk.status("dep-1").error == "no such binary"
    assert talk.say().reply.offer is None
    talk.want("dep-1", IDLE_HASH)
    assert talk.say().reply.offer is not None
