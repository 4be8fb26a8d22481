"""What happens next to an experiment: pure, level-triggered, one transition at a time.

The effects of a state are asked for again at every step until the world shows them done. A process that dies between
saving and acting loses nothing: the next step asks again, and every effect is idempotent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from chalicelib.domain.evaluation.evaluation import Evaluation, Verdict
from chalicelib.domain.experiment.observed import (
    ActivateDeployment,
    Assign,
    Effect,
    HostView,
    Observed,
    PreparePromotion,
    Restore,
    StartLoad,
    StopLoad,
)
from chalicelib.domain.experiment.state import Experiment, Outcome, Proof, State
from chalicelib.domain.experiment.transitions import Cause, move, overdue
from chalicelib.domain.fleet.judge import IDLE_HASH
from chalicelib.domain.load import LoadPhase


@dataclass(frozen=True)
class Decision:
    """The experiment afterwards (the same object when nothing changed) and what is to be done."""

    experiment: Experiment
    effects: tuple[Effect, ...] = ()


def decide(experiment: Experiment, seen: Observed, now: float) -> Decision:
    """One step. Same input, same decision."""
    handler = _HANDLERS.get(experiment.state)
    return handler(experiment, seen, now) if handler else Decision(experiment)


def _pending(experiment: Experiment, seen: Observed, now: float) -> Decision:
    if overdue(experiment, now):
        return Decision(move(experiment, Cause.DEADLINE, State.FAILED, now, "it was not stepped in time"))
    return Decision(move(experiment, Cause.CLOCK, State.DEPLOYING, now, "offering the A/B configuration"))


def _deploying(experiment: Experiment, seen: Observed, now: float) -> Decision:
    if failed := _failures(experiment.configs, seen):
        return Decision(move(experiment, Cause.EVIDENCE, State.ROLLING_BACK, now, f"collector refused it: {failed}"))
    waiting = [host for host, wanted in experiment.configs.items() if seen.hosts[host].active != wanted]
    if not waiting:
        proofs = _proofs(experiment.configs, seen)
        moved = move(experiment, Cause.EVIDENCE, State.WARMING_UP, now, "every collector runs both arms")
        return Decision(moved.model_copy(update={"proofs": proofs}))
    if overdue(experiment, now):
        detail = f"not confirmed in time: {_names(waiting, seen)}"
        return Decision(move(experiment, Cause.DEADLINE, State.ROLLING_BACK, now, detail))
    return Decision(experiment, _assign(experiment.configs, seen))


def _warming_up(experiment: Experiment, seen: Observed, now: float) -> Decision:
    if failed := _failures(experiment.configs, seen):
        return Decision(move(experiment, Cause.EVIDENCE, State.ROLLING_BACK, now, f"collector failed: {failed}"))
    for host, status in seen.load.items():
        if status is not None and status.phase is LoadPhase.FAILED:
            detail = f"the load failed on {host}: {status.reason}"
            return Decision(move(experiment, Cause.EVIDENCE, State.ROLLING_BACK, now, detail))
    loaded = all(status is not None and status.phase is LoadPhase.RUNNING for status in seen.load.values())
    if loaded and now - experiment.entered_at >= experiment.spec.schedule.warm_up:
        return Decision(move(experiment, Cause.CLOCK, State.RUNNING, now, "evidence counts from now"))
    # Only now: a control plane that was away for a while finds a warm-up that is over, not one that failed.
    if overdue(experiment, now):
        return Decision(move(experiment, Cause.DEADLINE, State.ROLLING_BACK, now, "the load did not start in time"))
    return Decision(experiment, tuple(StartLoad(host) for host, status in seen.load.items() if status is None))


def _running(experiment: Experiment, seen: Observed, now: float) -> Decision:
    evaluation = seen.evaluation
    if evaluation is not None:
        experiment = experiment.model_copy(update={"evaluated_at": now})
        if evaluation.breach:
            return _breached(experiment, evaluation, now)
        if evaluation.verdict is not None and experiment.state is State.RUNNING:
            moved = move(experiment, Cause.EVIDENCE, State.DECIDING, now, evaluation.explanation)
            return Decision(moved.model_copy(update={"outcome": _outcome(evaluation, now)}))
    if experiment.state is State.RUNNING and overdue(experiment, now):
        return Decision(move(experiment, Cause.DEADLINE, State.DECIDING, now, "maxDuration is over: last evaluation"))
    if experiment.state is State.PAUSED and overdue(experiment, now):
        return Decision(move(experiment, Cause.DEADLINE, State.STOPPING, now, "paused for too long"))
    return Decision(experiment)


def _deciding(experiment: Experiment, seen: Observed, now: float) -> Decision:
    if experiment.outcome is None:
        if seen.evaluation is not None and seen.evaluation.verdict is not None:
            experiment = experiment.model_copy(update={"outcome": _outcome(seen.evaluation, now), "evaluated_at": now})
        elif overdue(experiment, now):
            missing = Outcome(verdict="error", reason="no_evaluation", explanation="no last evaluation in time", at=now)
            moved = move(experiment, Cause.DEADLINE, State.ROLLING_BACK, now, missing.explanation)
            return Decision(moved.model_copy(update={"outcome": missing}))
        else:
            return Decision(experiment)
    outcome = experiment.outcome
    if outcome is None or outcome.verdict != Verdict.PROMOTE:
        detail = outcome.explanation if outcome else ""
        return Decision(move(experiment, Cause.EVIDENCE, State.ROLLING_BACK, now, detail))
    if experiment.spec.promotion == "automatic":
        moved = move(experiment, Cause.EVIDENCE, State.PROMOTING, now, "the candidate won: rolling it out")
        return Decision(moved.model_copy(update={"promoted_by": "automatic"}))
    return Decision(move(experiment, Cause.EVIDENCE, State.AWAITING_PROMOTION, now, "the candidate won: promote it"))


def _awaiting(experiment: Experiment, seen: Observed, now: float) -> Decision:
    if seen.evaluation is not None:
        experiment = experiment.model_copy(update={"evaluated_at": now})
        if seen.evaluation.breach:
            return _breached(experiment, seen.evaluation, now)
    if overdue(experiment, now):
        return Decision(move(experiment, Cause.DEADLINE, State.STOPPING, now, "nobody promoted it in time"))
    return Decision(experiment, _stop_load(seen))


def _promoting(experiment: Experiment, seen: Observed, now: float) -> Decision:
    wanted = experiment.winner_configs
    if failed := _failures(wanted, seen):
        return Decision(move(experiment, Cause.EVIDENCE, State.ROLLING_BACK, now, f"collector refused it: {failed}"))
    waiting = [host for host in wanted if seen.hosts[host].active != wanted[host]]
    late = overdue(experiment, now)
    if late and (waiting or not wanted):
        detail = f"not confirmed in time: {_names(waiting, seen)}" if wanted else "it could not be prepared in time"
        return Decision(move(experiment, Cause.DEADLINE, State.ROLLING_BACK, now, detail))
    if not wanted:
        return Decision(experiment, (PreparePromotion(),))
    # A load that is not known to have ended is told so at every step, and ends by its own duration at the latest.
    if waiting or not (_load_ended(seen) or late):
        return Decision(experiment, (*_assign(wanted, seen, winner=True), *_stop_load(seen)))
    if not seen.deployment_active:
        return Decision(experiment, (ActivateDeployment(),))
    detail = f"promoted as deployment {experiment.deployment}{_load_left(seen)}"
    moved = move(experiment, Cause.EVIDENCE, State.COMPLETED, now, detail)
    return Decision(moved.model_copy(update={"proofs": _proofs(wanted, seen)}), _stop_load(seen))


def _restoring(experiment: Experiment, seen: Observed, now: float) -> Decision:
    end = State.STOPPED if experiment.state is State.STOPPING else State.ROLLED_BACK
    restored = {host: _restorable(seen.hosts[host], wanted) for host, wanted in seen.restored.items()}
    broken = _failures(seen.restored, seen)
    message = f"{experiment.message}; idle, because what ran before failed: {broken}" if broken else experiment.message
    waiting = [host for host, wanted in restored.items() if seen.hosts[host].active != wanted]
    if not waiting and _load_ended(seen):
        moved = move(experiment, Cause.EVIDENCE, end, now, message)
        return Decision(moved.model_copy(update={"proofs": _proofs(restored, seen)}))
    effects: tuple[Effect, ...] = (
        *(Restore(host, wanted) for host, wanted in restored.items() if seen.hosts[host].desired != wanted),
        *_stop_load(seen),
    )
    if overdue(experiment, now) and not any(isinstance(effect, Restore) for effect in effects):
        late = f"; not confirmed in time: {_names(waiting, seen)}" if waiting else ""
        moved = move(experiment, Cause.DEADLINE, end, now, f"{message}{late}{_load_left(seen)}")
        proven = {host: wanted for host, wanted in restored.items() if host not in waiting}
        return Decision(moved.model_copy(update={"proofs": _proofs(proven, seen)}), _stop_load(seen))
    return Decision(experiment, effects)


def _restorable(host: HostView, previous: str) -> str:
    """What ran before, or the idle configuration where that has failed meanwhile: it would be refused for ever."""
    return IDLE_HASH if previous in host.errors and host.active != previous else previous


_HANDLERS: Mapping[State, Callable[[Experiment, Observed, float], Decision]] = {
    State.PENDING: _pending,
    State.DEPLOYING: _deploying,
    State.WARMING_UP: _warming_up,
    State.RUNNING: _running,
    State.PAUSED: _running,
    State.DECIDING: _deciding,
    State.AWAITING_PROMOTION: _awaiting,
    State.PROMOTING: _promoting,
    State.STOPPING: _restoring,
    State.ROLLING_BACK: _restoring,
}


def _breached(experiment: Experiment, evaluation: Evaluation, now: float) -> Decision:
    moved = move(experiment, Cause.EVIDENCE, State.ROLLING_BACK, now, evaluation.explanation)
    return Decision(moved.model_copy(update={"outcome": _outcome(evaluation, now)}))


def _outcome(evaluation: Evaluation, now: float) -> Outcome:
    verdict = evaluation.verdict.value if evaluation.verdict else Verdict.REJECT.value
    return Outcome(verdict=verdict, reason=evaluation.reason, explanation=evaluation.explanation, at=now)


def _failures(wanted: Mapping[str, str], seen: Observed) -> str:
    found = [
        f"{host}: {seen.hosts[host].errors[content]}"
        for host, content in wanted.items()
        if content in seen.hosts[host].errors and seen.hosts[host].active != content
    ]
    return "; ".join(found)[:2000]


def _names(hosts: list[str], seen: Observed) -> str:
    return ", ".join(f"{host} (away)" if seen.hosts[host].away_since is not None else host for host in hosts)


def _proofs(wanted: Mapping[str, str], seen: Observed) -> tuple[Proof, ...]:
    return tuple(seen.hosts[host].proof(host) for host in wanted)


def _assign(wanted: Mapping[str, str], seen: Observed, *, winner: bool = False) -> tuple[Effect, ...]:
    return tuple(
        Assign(host, content, winner) for host, content in wanted.items() if seen.hosts[host].desired != content
    )


def _stop_load(seen: Observed) -> tuple[StopLoad, ...]:
    return tuple(StopLoad(host) for host, status in seen.load.items() if status is not None and not status.phase.ended)


def _load_left(seen: Observed) -> str:
    left = [effect.host for effect in _stop_load(seen)]
    return f"; its load is not known to have ended on {_names(left, seen)}" if left else ""


def _load_ended(seen: Observed) -> bool:
    return all(status is None or status.phase.ended for status in seen.load.values())
