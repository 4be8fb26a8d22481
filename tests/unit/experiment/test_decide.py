"""`decide` as a specification: what is seen in which state leads to which state and which effects."""

from __future__ import annotations

import pytest

from chalicelib.domain.evaluation.evaluation import Evaluation
from chalicelib.domain.evaluation.result.result import Verdict
from chalicelib.domain.experiment.decide import Decision, decide
from chalicelib.domain.experiment.observed import (
    ActivateDeployment,
    Assign,
    PreparePromotion,
    Restore,
    StartLoad,
    StopLoad,
)
from chalicelib.domain.experiment.state import END_STATES, State
from chalicelib.domain.experiment.transitions import DEADLINES
from chalicelib.domain.fleet.judge import IDLE_HASH
from chalicelib.domain.load import LoadPhase
from tests.unit.experiment.made import (
    AB,
    BEFORE,
    BLIND,
    HARM,
    HOSTS,
    NOW,
    OPEN,
    PROMOTE,
    THIN,
    VAGUE,
    WEAK,
    WINNER,
    experiment,
    loads,
    outcome,
    seen,
    view,
)

LOAD = {"load": {"count": 10}}
AUTOMATIC = {"promotion": "automatic"}


def last(decision: Decision) -> tuple[State, str, str]:
    """State, cause and sentence of the transition that was decided."""
    event = decision.experiment.events[-1]
    assert event.state is decision.experiment.state
    return event.state, event.cause, event.detail


def stays(decision: Decision, state: State) -> None:
    assert decision.experiment.state is state
    assert decision.experiment.events == ()


def test_ends_and_drafts_are_left_alone() -> None:
    for state in (*END_STATES, State.DRAFT):
        before = experiment(state, entered=0)
        assert decide(before, seen(evaluation=HARM), 1e12) == Decision(before)


def test_pending_goes_on_at_once_and_fails_when_nobody_came() -> None:
    decision = decide(experiment(State.PENDING), seen(view()), NOW + 1)
    assert last(decision)[:2] == (State.DEPLOYING, "clock")
    assert decision.experiment.deployed_at == NOW + 1
    assert decision.effects == ()
    late = decide(experiment(State.PENDING), seen(view()), NOW + DEADLINES[State.PENDING])
    assert last(late)[:2] == (State.FAILED, "deadline")
    assert late.experiment.ended_at == NOW + 600


def test_deploying_offers_both_arms_to_every_host_that_does_not_want_them_yet() -> None:
    hosts = {"h1": view(AB), "h2": view(BEFORE, BEFORE)}
    decision = decide(experiment(State.DEPLOYING), seen(hosts=hosts), NOW + 1)
    stays(decision, State.DEPLOYING)
    assert decision.effects == (Assign("h2", AB),)


def test_deploying_waits_for_the_marker_of_every_host_and_keeps_it_as_proof() -> None:
    one = seen(hosts={"h1": view(AB, AB), "h2": view(AB)})
    stays(decide(experiment(State.DEPLOYING), one, NOW + 1), State.DEPLOYING)
    decision = decide(experiment(State.DEPLOYING), seen(), NOW + 1)
    assert last(decision)[:2] == (State.WARMING_UP, "evidence")
    assert [(proof.host, proof.content_hash) for proof in decision.experiment.proofs] == [("h1", AB), ("h2", AB)]


def test_deploying_that_is_refused_rolls_back_with_host_and_words() -> None:
    hosts = {"h1": view(AB, AB), "h2": view(BEFORE, error="no such exporter")}
    decision = decide(experiment(State.DEPLOYING), seen(hosts=hosts), NOW + 1)
    assert last(decision) == (State.ROLLING_BACK, "evidence", "collector refused it: h2: no such exporter")


def test_deploying_that_is_not_confirmed_in_time_names_the_late_host() -> None:
    hosts = {"h1": view(AB, AB), "h2": view(AB, away=True)}
    limit = NOW + DEADLINES[State.DEPLOYING]
    stays(decide(experiment(State.DEPLOYING), seen(hosts=hosts), limit - 1), State.DEPLOYING)
    decision = decide(experiment(State.DEPLOYING), seen(hosts=hosts), limit)
    assert last(decision) == (State.ROLLING_BACK, "deadline", "not confirmed in time: h2 (away)")


def test_a_confirmation_at_the_last_moment_counts() -> None:
    assert decide(experiment(State.DEPLOYING), seen(), NOW + 10_000).experiment.state is State.WARMING_UP


def test_evidence_counts_from_the_end_of_the_warm_up() -> None:
    stays(decide(experiment(State.WARMING_UP), seen(), NOW + 59), State.WARMING_UP)
    decision = decide(experiment(State.WARMING_UP), seen(), NOW + 60)
    assert last(decision)[:2] == (State.RUNNING, "clock")
    assert decision.experiment.window_start == NOW + 60


@pytest.mark.parametrize("late", [61, 239, 240, 100_000])
def test_a_warm_up_without_load_never_fails_however_late_the_step(late: float) -> None:
    assert decide(experiment(State.WARMING_UP), seen(), NOW + late).experiment.state is State.RUNNING


def test_the_load_is_asked_of_every_host_once_and_waited_for() -> None:
    warming = experiment(State.WARMING_UP, spec_parts=LOAD)
    decision = decide(warming, seen(load=loads(None)), NOW + 1)
    assert decision.effects == (StartLoad("h1"), StartLoad("h2"))
    for phase in (LoadPhase.STARTING, LoadPhase.STOPPED):
        decision = decide(warming, seen(load=loads(phase)), NOW + 100)
        stays(decision, State.WARMING_UP)
        assert decision.effects == ()
    assert decide(warming, seen(load=loads(LoadPhase.RUNNING)), NOW + 60).experiment.state is State.RUNNING


def test_a_load_that_fails_or_never_runs_ends_it() -> None:
    warming = experiment(State.WARMING_UP, spec_parts=LOAD)
    failed = decide(warming, seen(load=loads(LoadPhase.FAILED)), NOW + 1)
    assert last(failed) == (State.ROLLING_BACK, "evidence", "the load failed on h1: why")
    late = decide(warming, seen(load=loads(LoadPhase.STARTING)), NOW + 60 + DEADLINES[State.WARMING_UP])
    assert last(late) == (State.ROLLING_BACK, "deadline", "the load did not start in time")


@pytest.mark.parametrize("found", [PROMOTE, WEAK, THIN, BLIND, VAGUE])
def test_a_verdict_while_running_is_recorded_and_decided(found: Evaluation) -> None:
    decision = decide(experiment(State.RUNNING), seen(evaluation=found), NOW + 400)
    assert last(decision)[:2] == (State.DECIDING, "evidence")
    assert decision.experiment.outcome is not None
    assert decision.experiment.outcome.verdict == found.verdict
    assert decision.experiment.evaluated_at == NOW + 400


def test_harm_rolls_back_at_once_wherever_evidence_is_looked_at() -> None:
    for state in (State.RUNNING, State.PAUSED, State.AWAITING_PROMOTION):
        decision = decide(experiment(state), seen(evaluation=HARM), NOW + 30)
        assert last(decision) == (State.ROLLING_BACK, "evidence", "says critical_missing")
        assert decision.experiment.outcome is not None
        assert decision.experiment.outcome.verdict == "reject"


def test_an_open_evaluation_only_moves_the_date_of_the_last_look() -> None:
    decision = decide(experiment(State.RUNNING), seen(evaluation=OPEN), NOW + 30)
    stays(decision, State.RUNNING)
    assert decision.experiment.evaluated_at == NOW + 30
    assert decision.experiment.outcome is None


def test_a_verdict_other_than_harm_waits_while_it_is_paused() -> None:
    stays(decide(experiment(State.PAUSED), seen(evaluation=PROMOTE), NOW + 30), State.PAUSED)


def test_the_end_of_the_time_asks_for_a_last_evaluation() -> None:
    stays(decide(experiment(State.RUNNING), seen(), NOW + 599), State.RUNNING)
    decision = decide(experiment(State.RUNNING), seen(), NOW + 600)
    assert last(decision)[:2] == (State.DECIDING, "deadline")
    assert decision.experiment.outcome is None


def test_time_spent_paused_is_not_the_experiments_time() -> None:
    paused = experiment(State.RUNNING, paused_seconds=1000.0)
    stays(decide(paused, seen(), NOW + 1599), State.RUNNING)
    assert decide(paused, seen(), NOW + 1600).experiment.state is State.DECIDING


def test_a_pause_ends_by_itself() -> None:
    assert last(decide(experiment(State.PAUSED), seen(), NOW + 7 * 86400)) == (
        State.STOPPING,
        "deadline",
        "paused for too long",
    )


@pytest.mark.parametrize("verdict", [v for v in Verdict if v is not Verdict.PROMOTE])
def test_only_promote_can_promote(verdict: Verdict) -> None:
    deciding = experiment(State.DECIDING, outcome=outcome(verdict), spec_parts=AUTOMATIC)
    assert last(decide(deciding, seen(evaluation=PROMOTE), NOW + 1))[:2] == (State.ROLLING_BACK, "evidence")


def test_promote_waits_for_a_person_unless_it_is_automatic() -> None:
    asked = decide(experiment(State.DECIDING, outcome=outcome(Verdict.PROMOTE)), seen(), NOW + 1)
    assert last(asked)[:2] == (State.AWAITING_PROMOTION, "evidence")
    alone = decide(experiment(State.DECIDING, outcome=outcome(Verdict.PROMOTE), spec_parts=AUTOMATIC), seen(), NOW + 1)
    assert last(alone)[:2] == (State.PROMOTING, "evidence")
    assert alone.experiment.promoted_by == "automatic"
    assert (asked.effects, alone.effects) == ((), ())


def test_deciding_waits_for_the_last_evaluation_and_not_for_ever() -> None:
    waiting = experiment(State.DECIDING)
    stays(decide(waiting, seen(), NOW + 100), State.DECIDING)
    decided = decide(waiting, seen(evaluation=THIN), NOW + 100)
    assert decided.experiment.outcome is not None
    assert decided.experiment.outcome.verdict == "insufficient_data"
    assert decided.experiment.state is State.ROLLING_BACK
    late = decide(waiting, seen(), NOW + DEADLINES[State.DECIDING] + 2 * 5 + 2)
    assert last(late)[:2] == (State.ROLLING_BACK, "deadline")
    assert late.experiment.outcome is not None
    assert late.experiment.outcome.verdict == "error"


def test_a_winner_that_waits_lets_the_load_go_and_is_given_up_in_time() -> None:
    waiting = experiment(State.AWAITING_PROMOTION, spec_parts=LOAD)
    decision = decide(waiting, seen(load=loads(LoadPhase.RUNNING)), NOW + 1)
    stays(decision, State.AWAITING_PROMOTION)
    assert decision.effects == (StopLoad("h1"), StopLoad("h2"))
    late = decide(waiting, seen(), NOW + DEADLINES[State.AWAITING_PROMOTION])
    assert last(late) == (State.STOPPING, "deadline", "nobody promoted it in time")


def promoting(**parts: object):  # type: ignore[no-untyped-def]
    return experiment(State.PROMOTING, deployment="web", winner_configs=dict.fromkeys(HOSTS, WINNER), **parts)  # type: ignore[arg-type]


def test_a_promotion_is_prepared_then_offered_then_proven_then_made_current() -> None:
    unprepared = decide(experiment(State.PROMOTING), seen(), NOW + 1)
    stays(unprepared, State.PROMOTING)
    assert unprepared.effects == (PreparePromotion(),)
    offered = decide(promoting(), seen(), NOW + 1)
    assert offered.effects == (Assign("h1", WINNER, True), Assign("h2", WINNER, True))
    half = decide(promoting(), seen(hosts={"h1": view(WINNER, WINNER), "h2": view(WINNER)}), NOW + 2)
    stays(half, State.PROMOTING)
    assert half.effects == ()
    proven = decide(promoting(), seen(view(WINNER, WINNER)), NOW + 3)
    stays(proven, State.PROMOTING)
    assert proven.effects == (ActivateDeployment(),)
    done = decide(promoting(), seen(view(WINNER, WINNER), deployment_active=True), NOW + 4)
    assert last(done) == (State.COMPLETED, "evidence", "promoted as deployment web")
    assert {proof.content_hash for proof in done.experiment.proofs} == {WINNER}


def test_a_winner_that_is_refused_or_late_is_rolled_back() -> None:
    refused = decide(promoting(), seen(view(AB, AB, "bad", of=WINNER)), NOW + 1)
    assert last(refused) == (State.ROLLING_BACK, "evidence", "collector refused it: h1: bad; h2: bad")
    late = NOW + DEADLINES[State.PROMOTING]
    assert last(decide(promoting(), seen(view(WINNER)), late))[2] == "not confirmed in time: h1, h2"
    assert last(decide(experiment(State.PROMOTING), seen(), late))[2] == "it could not be prepared in time"


def test_a_promotion_waits_for_the_load_to_end_but_not_for_ever() -> None:
    on = seen(view(WINNER, WINNER), load=loads(LoadPhase.RUNNING))
    waiting = decide(promoting(), on, NOW + 1)
    stays(waiting, State.PROMOTING)
    assert waiting.effects == (StopLoad("h1"), StopLoad("h2"))
    late = NOW + DEADLINES[State.PROMOTING]
    assert decide(promoting(), on, late).effects == (ActivateDeployment(),)
    active = seen(view(WINNER, WINNER), load=loads(LoadPhase.RUNNING), deployment_active=True)
    done = decide(promoting(), active, late)
    assert last(done)[0] is State.COMPLETED
    assert "load is not known to have ended on h1, h2" in last(done)[2]
    assert done.effects == (StopLoad("h1"), StopLoad("h2"))


@pytest.mark.parametrize(("state", "end"), [(State.STOPPING, State.STOPPED), (State.ROLLING_BACK, State.ROLLED_BACK)])
def test_the_way_back_is_asked_for_proven_and_ends(state: State, end: State) -> None:
    asked = decide(experiment(state), seen(load=loads(LoadPhase.RUNNING)), NOW + 1)
    stays(asked, state)
    assert asked.effects == (Restore("h1", BEFORE), Restore("h2", BEFORE), StopLoad("h1"), StopLoad("h2"))
    stays(decide(experiment(state), seen(view(BEFORE)), NOW + 2), state)
    done = decide(experiment(state), seen(view(BEFORE, BEFORE), load=loads(LoadPhase.STOPPED)), NOW + 3)
    assert last(done) == (end, "evidence", "because")
    assert {proof.content_hash for proof in done.experiment.proofs} == {BEFORE}


def test_a_host_that_is_away_is_named_at_the_deadline_and_gets_it_on_return() -> None:
    late = NOW + DEADLINES[State.ROLLING_BACK]
    unasked = seen(hosts={"h1": view(BEFORE, BEFORE), "h2": view(AB, AB, away=True)})
    decision = decide(experiment(State.ROLLING_BACK), unasked, late)
    assert decision.effects == (Restore("h2", BEFORE),)
    stays(decision, State.ROLLING_BACK)
    asked = seen(hosts={"h1": view(BEFORE, BEFORE), "h2": view(BEFORE, away=True)})
    ended = decide(experiment(State.ROLLING_BACK), asked, late)
    assert last(ended) == (State.ROLLED_BACK, "deadline", "because; not confirmed in time: h2 (away)")
    assert [proof.host for proof in ended.experiment.proofs] == ["h1"]


def test_a_previous_configuration_that_has_failed_gives_way_to_the_idle_one() -> None:
    broken = {"h1": view(BEFORE, BEFORE), "h2": view(AB, AB, "gone bad", of=BEFORE)}
    decision = decide(experiment(State.STOPPING), seen(hosts=broken), NOW + 1)
    assert decision.effects == (Restore("h2", IDLE_HASH),)
    idle = {"h1": view(BEFORE, BEFORE), "h2": view(IDLE_HASH, IDLE_HASH, "gone bad", of=BEFORE)}
    done = decide(experiment(State.STOPPING), seen(hosts=idle), NOW + 2)
    assert last(done) == (State.STOPPED, "evidence", "because; idle, because what ran before failed: h2: gone bad")


def test_the_same_input_gives_the_same_decision() -> None:
    for state in State:
        arguments = (experiment(state), seen(view(), evaluation=OPEN), NOW + 50)
        assert decide(*arguments) == decide(*arguments)


def test_a_dry_run_notes_a_breach_once_and_goes_on_to_its_deadline() -> None:
    running = experiment(State.RUNNING, spec_parts={"dryRun": True})
    first = decide(running, seen(evaluation=HARM), NOW + 30)
    assert (first.experiment.state, first.effects) == (State.RUNNING, ())
    assert [event.cause for event in first.experiment.events] == ["dry run"]
    assert first.experiment.message.startswith("dry run, not rolled back: ")
    again = decide(first.experiment, seen(evaluation=HARM), NOW + 60)
    assert again.experiment.events == first.experiment.events
    ended = decide(again.experiment, seen(evaluation=HARM), NOW + 601)
    assert ended.experiment.state is State.DECIDING
    decided = decide(ended.experiment, seen(evaluation=HARM), NOW + 620)
    assert decided.experiment.outcome is not None
    assert (decided.experiment.state, decided.experiment.outcome.verdict) == (State.ROLLING_BACK, "reject")


@pytest.mark.parametrize("promotion", ["manual", "automatic"])
def test_a_dry_run_says_promote_and_restores_what_ran(promotion: str) -> None:
    parts = {"dryRun": True, "promotion": promotion}
    running = decide(experiment(State.RUNNING, spec_parts=parts), seen(evaluation=PROMOTE), NOW + 30).experiment
    decision = decide(running, seen(), NOW + 31)
    assert last(decision)[0] is State.ROLLING_BACK
    assert last(decision)[2].startswith("dry run, not promoted: ")
    assert decision.experiment.outcome == running.outcome
    assert running.outcome is not None
    assert running.outcome.verdict == "promote"
