"""Guardrails that pause or warn: begun and over once each, paused once, never acted upon in a dry run."""

from __future__ import annotations

from typing import Any

from chalicelib.domain.evaluation.evaluation import Evaluation
from chalicelib.domain.experiment.decide import decide
from chalicelib.domain.experiment.gate import GateStand, GateView
from chalicelib.domain.experiment.state import Experiment, State
from chalicelib.domain.experiment.transitions import Cause, command
from chalicelib.domain.kpi.registry import Unit
from chalicelib.domain.kpi.rows import KpiRow
from chalicelib.domain.notification.event import EventType, of_experiment
from tests.unit.experiment import made
from tests.unit.experiment.made import NOW, experiment, seen


def evaluation(state: str, severity: str = "pause", of: Evaluation = made.OPEN) -> Evaluation:
    """One in which export failures on h1 are so."""
    row = KpiRow.model_validate(
        {"kpi": "exportFailures", "title": "export failures", "unit": Unit.SHARE, "role": "guardrail", "of": "x",
         "hosts": ["h1"] if state == "broken" else [], "value": 0.02, "low": 0.015, "high": 0.03, "direction": "atMost",
         "limit": 0.001, "severity": severity, "state": state}
    )  # fmt: skip
    return of.model_copy(update={"kpis": (row,)})


def after(before: Experiment, found: Evaluation, now: float = NOW, **parts: Any) -> Experiment:
    return decide(before, seen(evaluation=found, **parts), now).experiment


def told(before: Experiment, later: Experiment) -> list[EventType]:
    return [one.type for one in of_experiment(before, later, 7, NOW)]


def test_a_guardrail_that_pauses_does_so_once_with_its_reason_and_only_a_person_resumes() -> None:
    running = experiment(State.RUNNING)
    paused = after(running, evaluation("broken"))
    assert paused.state is State.PAUSED
    assert paused.message == "paused by guardrail exportFailures on h1: 2.0 % [1.5 %, 3.0 %], limit ≤ 0.100 %"
    assert told(running, paused) == [EventType.EXPERIMENT_PAUSED, EventType.GUARDRAIL_BROKEN]
    still = after(paused, evaluation("ok"), NOW + 30)
    assert still.state is State.PAUSED
    assert told(paused, still) == [EventType.GUARDRAIL_RECOVERED]
    resumed = command(paused, Cause.RESUME, "ada", NOW + 60)
    again = after(resumed, evaluation("broken"), NOW + 90)
    assert (again.state, told(resumed, again)) == (State.RUNNING, [])
    over = after(again, evaluation("ok"), NOW + 120)
    assert told(again, over) == [EventType.GUARDRAIL_RECOVERED]
    assert after(over, evaluation("broken"), NOW + 150).state is State.PAUSED


def test_a_warning_is_told_once_and_once_when_it_is_over_and_touching_ends_nothing() -> None:
    running = experiment(State.RUNNING)
    warned = after(running, evaluation("broken", "warn"))
    assert (warned.state, told(running, warned)) == (State.RUNNING, [EventType.GUARDRAIL_BROKEN])
    for state in ("broken", "touching", "unmeasured"):
        assert told(warned, after(warned, evaluation(state, "warn"))) == []
    over = after(warned, evaluation("ok", "warn"))
    assert told(warned, over) == [EventType.GUARDRAIL_RECOVERED]
    assert [event.cause for event in over.events] == ["guardrail broken", "guardrail recovered"]
    (event,) = [one for one in of_experiment(running, warned, 7, NOW) if one.type is EventType.GUARDRAIL_BROKEN]
    assert event.data["severity"] == "warn"
    assert "exportFailures on h1" in event.title


def test_a_breach_goes_before_a_pause_and_a_pause_before_a_verdict_on_the_saving() -> None:
    running = experiment(State.RUNNING)
    assert after(running, evaluation("broken", of=made.HARM)).state is State.ROLLING_BACK
    assert after(running, evaluation("broken", of=made.BLIND)).state is State.DECIDING
    assert after(running, evaluation("broken", of=made.WEAK)).state is State.PAUSED


def test_a_dry_run_says_what_it_would_have_done_and_goes_on() -> None:
    dry = experiment(State.RUNNING, spec_parts={"dryRun": True})
    found = after(dry, evaluation("broken"))
    assert found.state is State.RUNNING
    assert found.message.startswith("dry run, not paused: guardrail exportFailures")


def test_nothing_is_promoted_by_itself_while_a_guardrail_that_pauses_is_broken() -> None:
    waiting = experiment(State.AWAITING_PROMOTION, spec_parts={"promotion": "automatic"})
    approved = {"gate": GateView(GateStand.APPROVED, "every gate approved")}
    held = after(waiting, evaluation("broken"), **approved)
    assert held.state is State.AWAITING_PROMOTION
    assert held.message.startswith("not promoted by itself while it is broken: guardrail exportFailures")
    assert decide(held, seen(**approved), NOW).experiment.state is State.AWAITING_PROMOTION
    assert after(held, evaluation("ok"), **approved).state is State.PROMOTING
    assert command(held, Cause.PROMOTE, "ada", NOW).state is State.PROMOTING
