"""What happens next to an experiment that is being promoted: stage by stage, each proven and watched before the next.

Reversed as a whole: one host that refuses the winner or loses a critical process gives all of them back what they had.
"""

from __future__ import annotations

from collections.abc import Mapping

from chalicelib.domain.evaluation.result.result import Reason, Verdict
from chalicelib.domain.experiment import sight
from chalicelib.domain.experiment.observed import ActivateDeployment, Observed, PreparePromotion
from chalicelib.domain.experiment.rollout import MIN_SCRAPES, Watched
from chalicelib.domain.experiment.sight import Decision
from chalicelib.domain.experiment.state import Event, Experiment, Outcome, State
from chalicelib.domain.experiment.transitions import MAX_EVENTS, Cause, move, overdue


def promoting(experiment: Experiment, seen: Observed, now: float) -> Decision:
    """One step of a promotion."""
    if seen.evaluation is not None:
        experiment = experiment.model_copy(update={"evaluated_at": now})
        if seen.evaluation.breach:
            return sight.breached(experiment, seen.evaluation, now)
    late = overdue(experiment, now)
    if not experiment.winner_configs:
        if late:
            return _reversed(experiment, Cause.DEADLINE, "it could not be prepared in time", now)
        return Decision(experiment, (PreparePromotion(),))
    hosts = experiment.promoted_hosts
    wanted = {host: experiment.winner_configs[host] for host in hosts}
    if failed := sight.failures(wanted, seen):
        return _reversed(experiment, Cause.EVIDENCE, f"collector refused it: {failed}", now)
    if lost := _lost(hosts, seen.watched):
        return _harmful(experiment, lost, now)
    waiting = [host for host in wanted if seen.hosts[host].active != wanted[host]]
    if late and waiting:
        return _reversed(experiment, Cause.DEADLINE, f"not confirmed in time: {sight.names(waiting, seen)}", now)
    # A load that is not known to have ended is told so at every step, and ends by its own duration at the latest. A
    # second collector ends with the configuration that asked for it; one that never says so is away at some time.
    left = sight.left_behind(experiment, hosts, seen)
    if waiting or not (late or (sight.load_ended(seen) and not left)):
        offers = sight.assign(wanted, seen, winner=True)
        return Decision(experiment, (*offers, *sight.dismiss(left, seen), *sight.stop_load(seen)))
    return _confirmed(experiment, seen, wanted, now, late=late)


def _confirmed(
    experiment: Experiment, seen: Observed, wanted: Mapping[str, str], now: float, *, late: bool
) -> Decision:
    """Every host of the stage runs the winner."""
    if experiment.rollout_plan.soak > 0:
        if experiment.stage_confirmed_at is None:
            return Decision(experiment.model_copy(update={"stage_confirmed_at": now}), sight.stop_load(seen))
        unmeasured = [host for host in wanted if seen.watched.get(host, Watched()).scrapes < MIN_SCRAPES]
        if late and unmeasured:
            detail = f"not measured in time: {sight.names(unmeasured, seen)}"
            return _reversed(experiment, Cause.DEADLINE, detail, now)
        if unmeasured or now - experiment.stage_confirmed_at < experiment.rollout_plan.soak:
            return Decision(experiment, sight.stop_load(seen))
    if len(wanted) < len(experiment.hosts):
        return Decision(_next_stage(experiment, now), sight.stop_load(seen))
    if not seen.deployment_active:
        return Decision(experiment, (ActivateDeployment(),))
    detail = f"promoted as deployment {experiment.deployment}{sight.load_left(seen)}"
    moved = move(experiment, Cause.EVIDENCE, State.COMPLETED, now, detail)
    return Decision(moved.model_copy(update={"proofs": sight.proofs(wanted, seen)}), sight.stop_load(seen))


def _next_stage(experiment: Experiment, now: float) -> Experiment:
    plan = experiment.rollout_plan
    counts = [len(plan.hosts(stage, experiment.hosts)) for stage in range(len(plan.stages))]
    # On few hosts several stages may mean the same ones.
    stage = next(i for i, count in enumerate(counts) if count > counts[experiment.stage])
    count = counts[stage]
    detail = f"stage {stage + 1} of {len(plan.stages)}: {count} of {len(experiment.hosts)} hosts"
    event = Event(at=now, state=State.PROMOTING, cause="stage", detail=detail)
    return experiment.model_copy(
        update={
            "stage": stage,
            "stage_since": now,
            "stage_confirmed_at": None,
            "message": detail,
            "events": (*experiment.events, event)[-MAX_EVENTS:],
        }
    )


def _reversed(experiment: Experiment, cause: Cause, detail: str, now: float) -> Decision:
    return Decision(move(experiment, cause, State.ROLLING_BACK, now, detail))


def _harmful(experiment: Experiment, lost: str, now: float) -> Decision:
    detail = f"after its promotion the winner lost {lost}"
    outcome = Outcome(verdict=Verdict.REJECT.value, reason=Reason.CRITICAL_MISSING.value, explanation=detail, at=now)
    moved = move(experiment, Cause.EVIDENCE, State.ROLLING_BACK, now, detail)
    return Decision(moved.model_copy(update={"outcome": outcome}))


def _lost(hosts: tuple[str, ...], watched: Mapping[str, Watched]) -> str:
    found = [f"{watched[host].lost} on {host}" for host in hosts if host in watched and watched[host].lost]
    return "; ".join(found)[:1000]
