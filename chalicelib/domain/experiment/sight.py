"""What the handlers of `decide` and `rolling_out` share: reading what was seen, and the forms of their answers."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from chalicelib.domain.evaluation.evaluation import Evaluation, Verdict
from chalicelib.domain.evaluation.result.summary import progress_of
from chalicelib.domain.experiment.observed import Assign, Dismiss, Effect, Observed, StopLoad
from chalicelib.domain.experiment.state import Event, Experiment, Outcome, Proof, State
from chalicelib.domain.experiment.transitions import MAX_EVENTS, Cause, move
from chalicelib.domain.fleet.agents import host_of, is_second, title

DRY_RUN = "dry run"
"""Cause of the event by which a dry run notes what it would have done."""


@dataclass(frozen=True)
class Decision:
    """The experiment afterwards (the same object when nothing changed) and what is to be done."""

    experiment: Experiment
    effects: tuple[Effect, ...] = ()


def breached(experiment: Experiment, evaluation: Evaluation, now: float) -> Decision:
    """Roll back, with the verdict of the evaluation that found the breach."""
    moved = move(experiment, Cause.EVIDENCE, State.ROLLING_BACK, now, evaluation.explanation)
    return Decision(moved.model_copy(update={"outcome": outcome_of(evaluation, now)}))


def noted(experiment: Experiment, evaluation: Evaluation, now: float) -> Experiment:
    """A breach in a dry run: written down once, and not acted upon."""
    detail = f"dry run, not rolled back: {evaluation.explanation}"
    if any(event.cause == DRY_RUN for event in experiment.events):
        return experiment
    event = Event(at=now, state=experiment.state, cause=DRY_RUN, detail=detail)
    events = (*experiment.events, event)[-MAX_EVENTS:]
    return experiment.model_copy(update={"message": detail, "events": events})


def outcome_of(evaluation: Evaluation, now: float) -> Outcome:
    """The verdict in short."""
    verdict = evaluation.verdict.value if evaluation.verdict else Verdict.REJECT.value
    return Outcome(
        verdict=verdict,
        reason=evaluation.reason,
        explanation=evaluation.explanation,
        at=now,
        evidence=evaluation.digest,
    )


def looked(experiment: Experiment, evaluation: Evaluation, now: float) -> Experiment:
    """The experiment after a look, with the evaluation in short."""
    return experiment.model_copy(update={"evaluated_at": now, "progress": progress_of(evaluation)})


def failures(wanted: Mapping[str, str], seen: Observed) -> str:
    """The collectors' own words about these configurations, by host; "" for none."""
    found = [
        f"{title(host)}: {seen.hosts[host].errors[content]}"
        for host, content in wanted.items()
        if content in seen.hosts[host].errors and seen.hosts[host].active != content
    ]
    return "; ".join(found)[:2000]


def names(hosts: list[str], seen: Observed) -> str:
    """Hosts, saying which are away."""
    away = {host for host in hosts if seen.hosts[host].away_since is not None}
    return ", ".join(f"{title(host)} (away)" if host in away else title(host) for host in hosts)


def proofs(wanted: Mapping[str, str], seen: Observed) -> tuple[Proof, ...]:
    """Read-back of what each of these hosts runs."""
    return tuple(seen.hosts[host].proof(host) for host in wanted)


def assign(wanted: Mapping[str, str], seen: Observed, *, winner: bool = False) -> tuple[Effect, ...]:
    """Offers to the hosts that do not want it yet."""
    return tuple(
        Assign(host, content, winner) for host, content in wanted.items() if seen.hosts[host].desired != content
    )


def second_agents(experiment: Experiment, hosts: Collection[str]) -> list[str]:
    """The second agents that the experiment runs on these hosts; none in shared mode."""
    return [agent for agent in experiment.configs if is_second(agent) and host_of(agent) in hosts]


def left_behind(experiment: Experiment, hosts: Collection[str], seen: Observed) -> list[str]:
    """Second agents of these hosts that are still wanted, or still report."""
    agents = second_agents(experiment, hosts)
    return [agent for agent in agents if seen.hosts[agent].desired or not seen.hosts[agent].gone]


def dismiss(agents: Collection[str], seen: Observed) -> tuple[Dismiss, ...]:
    """Ends of second agents that are still wanted."""
    return tuple(Dismiss(agent) for agent in agents if seen.hosts[agent].desired)


def stop_load(seen: Observed) -> tuple[StopLoad, ...]:
    """Ends of loads that are not known to have ended."""
    return tuple(StopLoad(host) for host, status in seen.load.items() if status is not None and not status.phase.ended)


def load_left(seen: Observed) -> str:
    """Where a load is not known to have ended, in words."""
    left = [effect.host for effect in stop_load(seen)]
    return f"; its load is not known to have ended on {names(left, seen)}" if left else ""


def load_ended(seen: Observed) -> bool:
    """Whether every load has ended or never began."""
    return all(status is None or status.phase.ended for status in seen.load.values())
