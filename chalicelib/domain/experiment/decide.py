"""What happens next to an experiment: pure, level-triggered, one transition at a time.

The effects of a state are asked for again at every step until the world shows them done. A process that dies between
saving and acting loses nothing: the next step asks again, and every effect is idempotent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from chalicelib.domain.evaluation.evaluation import Evaluation, Verdict
from chalicelib.domain.experiment import before_arms, sight
from chalicelib.domain.experiment.alarms import holding, pausing, watched
from chalicelib.domain.experiment.gate import GateStand
from chalicelib.domain.experiment.observed import (
    Dismiss,
    Effect,
    HostView,
    Observed,
    Restore,
    StartLoad,
)
from chalicelib.domain.experiment.rolling_out import promoting
from chalicelib.domain.experiment.sight import Decision
from chalicelib.domain.experiment.state import Experiment, Outcome, State
from chalicelib.domain.experiment.transitions import Cause, move, overdue
from chalicelib.domain.fleet.judge import IDLE_HASH
from chalicelib.domain.load import LoadPhase


def decide(experiment: Experiment, seen: Observed, now: float) -> Decision:
    """One step. Same input, same decision."""
    handler = _HANDLERS.get(experiment.state)
    return handler(experiment, seen, now) if handler else Decision(experiment)


def _pending(experiment: Experiment, seen: Observed, now: float) -> Decision:
    if overdue(experiment, now):
        return Decision(move(experiment, Cause.DEADLINE, State.FAILED, now, "it was not stepped in time"))
    return Decision(move(experiment, Cause.CLOCK, State.DEPLOYING, now, "offering the A/B configuration"))


def _deploying(experiment: Experiment, seen: Observed, now: float) -> Decision:
    configs = experiment.configs_now
    if failed := sight.failures(configs, seen):
        return Decision(move(experiment, Cause.EVIDENCE, State.ROLLING_BACK, now, f"collector refused it: {failed}"))
    waiting = [host for host, wanted in configs.items() if seen.hosts[host].active != wanted]
    if not waiting:
        proofs = sight.proofs(configs, seen)
        moved = move(experiment, Cause.EVIDENCE, State.WARMING_UP, now, before_arms.deployed(experiment))
        return Decision(moved.model_copy(update={"proofs": proofs}))
    if overdue(experiment, now):
        detail = f"not confirmed in time: {sight.names(waiting, seen)}"
        return Decision(move(experiment, Cause.DEADLINE, State.ROLLING_BACK, now, detail))
    return Decision(experiment, sight.assign(configs, seen))


def _warming_up(experiment: Experiment, seen: Observed, now: float) -> Decision:
    if failed := sight.failures(experiment.configs_now, seen):
        return Decision(move(experiment, Cause.EVIDENCE, State.ROLLING_BACK, now, f"collector failed: {failed}"))
    for host, status in seen.load.items():
        if status is not None and status.phase is LoadPhase.FAILED:
            detail = f"the load failed on {host}: {status.reason}"
            return Decision(move(experiment, Cause.EVIDENCE, State.ROLLING_BACK, now, detail))
    loaded = all(status is not None and status.phase is LoadPhase.RUNNING for status in seen.load.values())
    warm = loaded and now - experiment.entered_at >= experiment.spec.schedule.warm_up
    if warm and experiment.before_phase:
        return before_arms.measuring(experiment, seen, now)
    if warm:
        return Decision(move(experiment, Cause.CLOCK, State.RUNNING, now, "evidence counts from now"))
    # Only now: a control plane that was away for a while finds a warm-up that is over, not one that failed.
    if overdue(experiment, now):
        return Decision(move(experiment, Cause.DEADLINE, State.ROLLING_BACK, now, "the load did not start in time"))
    return Decision(experiment, tuple(StartLoad(host) for host, status in seen.load.items() if status is None))


def _running(experiment: Experiment, seen: Observed, now: float) -> Decision:
    evaluation = seen.evaluation
    if evaluation is not None:
        before = experiment
        experiment = watched(sight.looked(experiment, evaluation, now), evaluation, now)
        if evaluation.breach and not experiment.spec.dry_run:
            return sight.breached(experiment, evaluation, now)
        if evaluation.breach:
            experiment = sight.noted(experiment, evaluation, now)
        elif (why := pausing(before, experiment)) and experiment.spec.dry_run:
            experiment = experiment.model_copy(update={"message": f"dry run, not paused: {why}"})
        elif why and _pauses(experiment, evaluation):
            return Decision(move(experiment, Cause.EVIDENCE, State.PAUSED, now, f"paused by {why}"))
        elif evaluation.verdict is not None and experiment.state is State.RUNNING:
            moved = move(experiment, Cause.EVIDENCE, State.DECIDING, now, evaluation.explanation)
            return Decision(moved.model_copy(update={"outcome": sight.outcome_of(evaluation, now)}))
    if experiment.state is State.RUNNING and overdue(experiment, now):
        return Decision(move(experiment, Cause.DEADLINE, State.DECIDING, now, "maxDuration is over: last evaluation"))
    if experiment.state is State.PAUSED and overdue(experiment, now):
        return Decision(move(experiment, Cause.DEADLINE, State.STOPPING, now, "paused for too long"))
    return Decision(experiment)


def _pauses(experiment: Experiment, evaluation: Evaluation) -> bool:
    """Not where it stands still already, nor when it could not be measured at all."""
    return experiment.state is State.RUNNING and evaluation.verdict is not Verdict.ERROR


def _deciding(experiment: Experiment, seen: Observed, now: float) -> Decision:
    if experiment.outcome is None:
        if seen.evaluation is not None and seen.evaluation.verdict is not None:
            experiment = sight.looked(experiment, seen.evaluation, now)
            experiment = experiment.model_copy(update={"outcome": sight.outcome_of(seen.evaluation, now)})
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
    if experiment.spec.dry_run:
        detail = f"dry run, not promoted: {outcome.explanation}"
        return Decision(move(experiment, Cause.EVIDENCE, State.ROLLING_BACK, now, detail))
    if experiment.spec.promotion == "manual":
        detail = "the candidate won: promote it"
        return Decision(move(experiment, Cause.EVIDENCE, State.AWAITING_PROMOTION, now, detail))
    if seen.gate.stand is not GateStand.NONE:
        detail = "the candidate won: gates are asked before it is rolled out"
        return Decision(move(experiment, Cause.EVIDENCE, State.AWAITING_PROMOTION, now, detail))
    return _automatic(experiment, "the candidate won: rolling it out", now)


def _automatic(experiment: Experiment, detail: str, now: float) -> Decision:
    moved = move(experiment, Cause.EVIDENCE, State.PROMOTING, now, detail)
    return Decision(moved.model_copy(update={"promoted_by": "automatic"}))


def _awaiting(experiment: Experiment, seen: Observed, now: float) -> Decision:
    if seen.evaluation is not None:
        experiment = watched(experiment.model_copy(update={"evaluated_at": now}), seen.evaluation, now)
        if seen.evaluation.breach:
            return sight.breached(experiment, seen.evaluation, now)
    if overdue(experiment, now):
        return Decision(move(experiment, Cause.DEADLINE, State.STOPPING, now, "nobody promoted it in time"))
    gate = seen.gate
    if gate.stand is GateStand.DENIED:
        return Decision(move(experiment, Cause.EVIDENCE, State.STOPPING, now, gate.detail))
    if held := holding(experiment):
        held = f"not promoted by itself while it is broken: {held}"
        return Decision(experiment.model_copy(update={"message": held}), sight.stop_load(seen))
    if experiment.spec.promotion == "automatic" and gate.stand in (GateStand.APPROVED, GateStand.NONE):
        return _automatic(experiment, gate.detail or "no gate is left to ask: rolling it out", now)
    if gate.detail and gate.detail != experiment.message:
        experiment = experiment.model_copy(update={"message": gate.detail})
    return Decision(experiment, sight.stop_load(seen))


def _restoring(experiment: Experiment, seen: Observed, now: float) -> Decision:
    end = State.STOPPED if experiment.state is State.STOPPING else State.ROLLED_BACK
    restored = {host: _restorable(seen.hosts[host], wanted) for host, wanted in seen.restored.items()}
    broken = sight.failures(seen.restored, seen)
    message = f"{experiment.message}; idle, because what ran before failed: {broken}" if broken else experiment.message
    left = sight.left_behind(experiment, experiment.hosts, seen)
    waiting = [*(host for host, wanted in restored.items() if seen.hosts[host].active != wanted), *left]
    if not waiting and sight.load_ended(seen):
        moved = move(experiment, Cause.EVIDENCE, end, now, message)
        return Decision(moved.model_copy(update={"proofs": sight.proofs(restored, seen)}))
    effects: tuple[Effect, ...] = (
        *(Restore(host, wanted) for host, wanted in restored.items() if seen.hosts[host].desired != wanted),
        *sight.dismiss(left, seen),
        *sight.stop_load(seen),
    )
    if overdue(experiment, now) and not any(isinstance(effect, Restore | Dismiss) for effect in effects):
        late = f"; not confirmed in time: {sight.names(waiting, seen)}" if waiting else ""
        moved = move(experiment, Cause.DEADLINE, end, now, f"{message}{late}{sight.load_left(seen)}")
        proven = {host: wanted for host, wanted in restored.items() if host not in waiting}
        return Decision(moved.model_copy(update={"proofs": sight.proofs(proven, seen)}), sight.stop_load(seen))
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
    State.PROMOTING: promoting,
    State.STOPPING: _restoring,
    State.ROLLING_BACK: _restoring,
}
