"""Where an experiment stands, in sentences from its own record: what it does in this state, what ends the state.

For every state; no measurement is looked at here, and nothing is decided.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from chalicelib.domain.experiment.state import Experiment, State
from chalicelib.domain.experiment.transitions import DEADLINES, settling
from phoenix_cli.show.experiment.canary import phase
from phoenix_cli.show.experiment.ruling import aftermath
from phoenix_cli.show.figures import clean, day_and_time, duration, plural, sentence

_Sentences = list[str]


def standing(experiment: Experiment, now: float) -> tuple[str, ...]:
    """What it is doing, and until when. now: Unix seconds."""
    said = _STATES[experiment.state](experiment, now)
    if experiment.message and not experiment.outcome and experiment.message not in " ".join(said):
        said.append(f"Its last note: {sentence(experiment.message, 300)}")
    return tuple(said)


def _left(experiment: Experiment, now: float, extra: float = 0.0) -> str:
    return duration(max(0.0, DEADLINES[experiment.state] + extra - (now - experiment.entered_at)))


def _hosts(experiment: Experiment) -> str:
    return plural(len(experiment.hosts), "host")


def _draft(experiment: Experiment, now: float) -> _Sentences:
    return [
        "It is a draft: nothing was sent to a host, and nothing is measured.",
        f"It holds {_hosts(experiment)} until it is started, stopped or deleted.",
    ]


def _pending(experiment: Experiment, now: float) -> _Sentences:
    return [f"It was started and waits for its first step; if none comes, it fails in {_left(experiment, now)}."]


def _deploying(experiment: Experiment, now: float) -> _Sentences:
    offered = "The baseline" if experiment.before_phase else "The configuration with both pipelines"
    offered = "Each host's own arm" if experiment.canary else offered
    return [
        *phase(experiment, now),
        f"{offered} is offered to {_hosts(experiment)}, since {duration(now - experiment.entered_at)}.",
        "It goes on when every collector has returned the marker of that configuration and is healthy.",
        f"If one refuses it, or does not confirm it within {_left(experiment, now)}, what ran before is restored.",
    ]


def _warming_up(experiment: Experiment, now: float) -> _Sentences:
    if experiment.before_phase:
        return [*phase(experiment, now), "Nothing is decided by what is measured before the arms are told apart."]
    runs = "its arm" if experiment.canary else "both pipelines"
    left = max(0.0, experiment.spec.schedule.warm_up - (now - experiment.entered_at))
    load = " and the simulated load to run on every host" if experiment.spec.load else ""
    return [
        f"Every collector runs {runs}; it waits for the warm-up to end, {duration(left)} from now{load}.",
        "What is measured during the warm-up is not evidence.",
    ]


def _running(experiment: Experiment, now: float) -> _Sentences:
    schedule = experiment.spec.schedule
    return [
        f"It measures since {duration(experiment.elapsed(now))} and looks every {duration(schedule.evaluate_every)}.",
        f"At {duration(experiment.max_duration)} it makes its last evaluation, "
        f"{duration(max(0.0, experiment.max_duration - experiment.elapsed(now)))} from now.",
    ]


def _paused(experiment: Experiment, now: float) -> _Sentences:
    return [
        f"It is paused since {duration(now - experiment.entered_at)}: its clock stands still at "
        f"{duration(experiment.elapsed(now))}.",
        *_paused_by(experiment),
        "Measuring goes on; a breach still rolls back at once, and nothing else is decided until it is resumed.",
        f"If nobody resumes it, it is stopped in {_left(experiment, now)}.",
    ]


def _paused_by(experiment: Experiment) -> _Sentences:
    """The guardrails that are broken, and what a person can do about it."""
    found = [f"{sentence(alarm.detail, 300)}." for alarm in experiment.alarms if alarm.severity == "pause"]
    if not found:
        return []
    return [
        f"Broken: {' '.join(found)}",
        "Resumed, it goes on without pausing for the same again, and nothing is promoted while the limit is broken.",
    ]


def _deciding(experiment: Experiment, now: float) -> _Sentences:
    if experiment.outcome is not None:
        return ["The verdict is there; what follows from it is being done."]
    left = duration(max(0.0, settling(experiment) - (now - experiment.entered_at)))
    return [
        f"Its time is over. The last measurements have {left} to arrive; then it is evaluated for the last time.",
        f"If that cannot be done within {_left(experiment, now, settling(experiment))}, what ran before is restored.",
    ]


def _awaiting(experiment: Experiment, now: float) -> _Sentences:
    return [
        "The candidate won. It waits for a person to promote it; both pipelines keep running, and a breach still rolls "
        "back at once.",
        f"If nobody does, it is stopped in {_left(experiment, now)}.",
    ]


def _promoting(experiment: Experiment, now: float) -> _Sentences:
    return [
        f"The candidate alone is being rolled out to {_hosts(experiment)}; it counts when the running collectors have "
        "returned its marker.",
        "If one refuses it, or does not confirm it in time, what ran before is restored.",
    ]


def _restoring(experiment: Experiment, now: float) -> _Sentences:
    return [
        f"What ran before is being restored on {_hosts(experiment)}; a host that is away gets it when it returns.",
        f"This state ends in {_left(experiment, now)} at the latest.",
    ]


def _ended(experiment: Experiment, now: float) -> _Sentences:
    word = experiment.state.value.replace("_", " ")
    at = f" at {day_and_time(experiment.ended_at)}" if experiment.ended_at is not None else ""
    said = [f"It is {word}{at}."]
    if experiment.outcome is None:
        why = sentence(experiment.message, 500) or "no reason was recorded"
        said.append(f"It ended without a verdict: {clean(why, 500)}")
    if done := aftermath(experiment):
        said.append(done)
    return said


_STATES: Mapping[State, Callable[[Experiment, float], _Sentences]] = {
    State.DRAFT: _draft,
    State.PENDING: _pending,
    State.DEPLOYING: _deploying,
    State.WARMING_UP: _warming_up,
    State.RUNNING: _running,
    State.PAUSED: _paused,
    State.DECIDING: _deciding,
    State.AWAITING_PROMOTION: _awaiting,
    State.PROMOTING: _promoting,
    State.COMPLETED: _ended,
    State.STOPPING: _restoring,
    State.STOPPED: _ended,
    State.ROLLING_BACK: _restoring,
    State.ROLLED_BACK: _ended,
    State.FAILED: _ended,
}
