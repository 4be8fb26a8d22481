"""The table of what may happen to an experiment. Single source: the code steps by it, and docs/reference/states.md is
generated from it. There is no state without a way out, and no wait without a deadline."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from chalicelib.domain.errors import Conflict
from chalicelib.domain.experiment.rollout import Rollout
from chalicelib.domain.experiment.state import END_STATES, Event, Experiment, State

MAX_EVENTS = 60
GRACE = 2.0


class Cause(StrEnum):
    """Who or what moves an experiment."""

    START = "start"
    PAUSE = "pause"
    RESUME = "resume"
    STOP = "stop"
    PROMOTE = "promote"
    CLOCK = "clock"
    EVIDENCE = "evidence"
    DEADLINE = "deadline"


USER = frozenset({Cause.START, Cause.PAUSE, Cause.RESUME, Cause.STOP, Cause.PROMOTE})


@dataclass(frozen=True)
class Transition:
    """One way from a state to another."""

    source: State
    cause: Cause
    target: State
    when: str
    effects: str


T = Transition
S = State
TRANSITIONS: tuple[Transition, ...] = (
    T(S.DRAFT, Cause.START, S.PENDING, "an operator starts it", "none"),
    T(S.DRAFT, Cause.STOP, S.STOPPED, "an operator gives it up", "hosts are released"),
    T(S.PENDING, Cause.CLOCK, S.DEPLOYING, "next step", "the A/B configuration is offered to every host"),
    T(S.PENDING, Cause.STOP, S.STOPPED, "an operator stops it", "hosts are released"),
    T(S.PENDING, Cause.DEADLINE, S.FAILED, "not stepped in time", "hosts are released"),
    T(S.DEPLOYING, Cause.EVIDENCE, S.WARMING_UP, "every collector returned the marker", "load is started, if any"),
    T(S.DEPLOYING, Cause.EVIDENCE, S.ROLLING_BACK, "a collector refused the configuration", "previous is restored"),
    T(S.DEPLOYING, Cause.DEADLINE, S.ROLLING_BACK, "a host did not confirm in time", "previous is restored"),
    T(S.DEPLOYING, Cause.STOP, S.STOPPING, "an operator stops it", "previous is restored"),
    T(S.WARMING_UP, Cause.CLOCK, S.RUNNING, "warm-up is over and the load runs", "evidence counts from here"),
    T(S.WARMING_UP, Cause.EVIDENCE, S.DEPLOYING, "canary: the pre-period is measured", "each host is offered its arm"),
    T(S.WARMING_UP, Cause.EVIDENCE, S.ROLLING_BACK, "a collector lost the configuration", "previous is restored"),
    T(
        S.WARMING_UP,
        Cause.DEADLINE,
        S.ROLLING_BACK,
        "the load did not start, or a host of a canary was not measured, in time",
        "previous is restored",
    ),
    T(S.WARMING_UP, Cause.STOP, S.STOPPING, "an operator stops it", "previous is restored, load is stopped"),
    T(S.RUNNING, Cause.EVIDENCE, S.DECIDING, "an evaluation reached a verdict", "none"),
    T(S.RUNNING, Cause.EVIDENCE, S.ROLLING_BACK, "a guardrail broke", "previous is restored at once"),
    T(S.RUNNING, Cause.DEADLINE, S.DECIDING, "maxDuration is over", "a last evaluation"),
    T(S.RUNNING, Cause.PAUSE, S.PAUSED, "an operator pauses it", "its clock stands still, collection goes on"),
    T(S.RUNNING, Cause.EVIDENCE, S.PAUSED, "a pausing guardrail broke", "its clock stands still, collection goes on"),
    T(S.RUNNING, Cause.STOP, S.STOPPING, "an operator stops it", "previous is restored, load is stopped"),
    T(S.PAUSED, Cause.RESUME, S.RUNNING, "an operator resumes it", "its clock goes on"),
    T(S.PAUSED, Cause.EVIDENCE, S.ROLLING_BACK, "a guardrail broke", "previous is restored at once"),
    T(S.PAUSED, Cause.STOP, S.STOPPING, "an operator stops it", "previous is restored, load is stopped"),
    T(S.PAUSED, Cause.DEADLINE, S.STOPPING, "paused for too long", "previous is restored, load is stopped"),
    T(S.DECIDING, Cause.EVIDENCE, S.AWAITING_PROMOTION, "verdict promote, manual or with a gate", "load is stopped"),
    T(S.DECIDING, Cause.EVIDENCE, S.PROMOTING, "verdict promote, promotion is automatic", "the winner is offered"),
    T(S.DECIDING, Cause.EVIDENCE, S.ROLLING_BACK, "any other verdict, or a dry run", "previous is restored"),
    T(S.DECIDING, Cause.STOP, S.STOPPING, "an operator stops it", "previous is restored, load is stopped"),
    T(S.DECIDING, Cause.DEADLINE, S.ROLLING_BACK, "no last evaluation in time", "previous is restored"),
    T(S.AWAITING_PROMOTION, Cause.PROMOTE, S.PROMOTING, "an operator promotes it", "the winner is offered"),
    T(S.AWAITING_PROMOTION, Cause.EVIDENCE, S.PROMOTING, "automatic, and every gate approved", "the winner is offered"),
    T(S.AWAITING_PROMOTION, Cause.EVIDENCE, S.STOPPING, "a gate denied it", "previous is restored"),
    T(S.AWAITING_PROMOTION, Cause.EVIDENCE, S.ROLLING_BACK, "a guardrail broke", "previous is restored at once"),
    T(S.AWAITING_PROMOTION, Cause.STOP, S.STOPPING, "an operator declines", "previous is restored"),
    T(S.AWAITING_PROMOTION, Cause.DEADLINE, S.STOPPING, "nobody promoted it", "previous is restored"),
    T(S.PROMOTING, Cause.EVIDENCE, S.COMPLETED, "every collector returned the winner's marker", "hosts are released"),
    T(S.PROMOTING, Cause.EVIDENCE, S.ROLLING_BACK, "a collector refused the winner", "previous is restored"),
    T(S.PROMOTING, Cause.EVIDENCE, S.ROLLING_BACK, "a critical process was lost", "previous is restored at once"),
    T(S.PROMOTING, Cause.STOP, S.STOPPING, "an operator stops it", "previous is restored"),
    T(S.PROMOTING, Cause.DEADLINE, S.ROLLING_BACK, "a host did not confirm in time", "previous is restored"),
    T(S.STOPPING, Cause.EVIDENCE, S.STOPPED, "previous is confirmed everywhere", "hosts are released"),
    T(S.STOPPING, Cause.DEADLINE, S.STOPPED, "a host is away", "it gets the previous configuration on return"),
    T(
        S.ROLLING_BACK,
        Cause.EVIDENCE,
        S.ROLLED_BACK,
        "every collector returned the previous marker",
        "hosts are released",
    ),
    T(S.ROLLING_BACK, Cause.DEADLINE, S.ROLLED_BACK, "a host is away", "it gets the previous configuration on return"),
)

DEADLINES: dict[State, float] = {
    State.PENDING: 600.0,
    State.DEPLOYING: 180.0,
    State.WARMING_UP: 180.0,  # after the warm-up itself, and the pre-period of a canary
    State.RUNNING: 0.0,  # schedule.maxDuration, by the experiment's own clock
    State.PAUSED: 7 * 86400.0,
    State.DECIDING: 300.0,  # after the last measurements had their time
    State.AWAITING_PROMOTION: 7 * 86400.0,
    State.PROMOTING: 300.0,  # each stage, and the time it is watched
    State.STOPPING: 300.0,
    State.ROLLING_BACK: 300.0,
}
"""Seconds a state may last before its DEADLINE transition. Every active state has one."""


def allowed(source: State, cause: Cause, target: State) -> bool:
    """Whether the table has this transition."""
    return any(t.source is source and t.cause is cause and t.target is target for t in TRANSITIONS)


def move(experiment: Experiment, cause: Cause, target: State, now: float, detail: str = "") -> Experiment:
    """The experiment after a transition. Raises Conflict for one that the table does not have."""
    if not allowed(experiment.state, cause, target):
        raise Conflict(f"experiment {experiment.name!r} is {experiment.state.value}: {cause.value} is not possible now")
    event = Event(at=now, state=target, cause=cause.value, detail=detail)
    changes: dict[str, object] = {
        "state": target,
        "entered_at": now,
        "message": detail,
        "events": (*experiment.events, event)[-MAX_EVENTS:],
    }
    if target is State.DEPLOYING and experiment.state is State.PENDING:
        changes["deployed_at"] = now
    if target is State.RUNNING and experiment.state is State.WARMING_UP:
        changes["window_start"] = now
    if experiment.state is State.PAUSED:
        changes["paused_seconds"] = experiment.paused_seconds + now - experiment.entered_at
    if target in END_STATES:
        changes["ended_at"] = now
    return experiment.model_copy(update=changes)


def command(experiment: Experiment, cause: Cause, actor: str, now: float, rollout: Rollout | None = None) -> Experiment:
    """The experiment after an operator's command. rollout: stages of a promotion that differ from the spec's.

    Raises Conflict naming what is possible in this state.
    """
    for transition in TRANSITIONS:
        if transition.source is experiment.state and transition.cause is cause:
            moved = move(experiment, cause, transition.target, now, f"{cause.value} by {actor}")
            promoted = {"promoted_by": actor, "rollout": rollout}
            return moved.model_copy(update=promoted) if cause is Cause.PROMOTE else moved
    possible = sorted({t.cause.value for t in TRANSITIONS if t.source is experiment.state and t.cause in USER})
    hint = f"possible now: {', '.join(possible)}" if possible else "nothing can be asked of it in this state"
    raise Conflict(f"cannot {cause.value} experiment {experiment.name!r}: it is {experiment.state.value}", hint=hint)


def overdue(experiment: Experiment, now: float) -> bool:
    """Whether the present state has outlived its deadline."""
    if experiment.state is State.RUNNING:
        return experiment.elapsed(now) >= experiment.max_duration
    limit = DEADLINES.get(experiment.state)
    if limit is None:
        return False
    if experiment.state is State.PROMOTING:
        since = experiment.stage_since or experiment.entered_at
        return now - since >= limit + experiment.rollout_plan.soak
    extra = {State.WARMING_UP: warming(experiment), State.DECIDING: settling(experiment)}
    return now - experiment.entered_at >= limit + extra.get(experiment.state, 0.0)


def warming(experiment: Experiment) -> float:
    """Seconds that the warm-up lasts; that of a canary's pre-period goes on with the pre-period itself."""
    canary = experiment.spec.canary
    measured = canary.pre_period if canary and experiment.before_phase else 0.0
    return experiment.spec.schedule.warm_up + measured


def settling(experiment: Experiment) -> float:
    """Seconds that late measurements get before the last evaluation: two intervals and a little."""
    return 2 * experiment.spec.interval + GRACE
