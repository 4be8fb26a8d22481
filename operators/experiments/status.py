"""The status of an Experiment resource, from what was seen of the experiment; and which changes are worth an event.

Pure. Conditions: Synced (the control plane follows this resource), Ready (it goes on by itself), Complete.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from chalicelib.domain.experiment.state import END_STATES, State
from chalicelib.domain.kubernetes.experiment_mirror import ExperimentStatus
from chalicelib.domain.kubernetes.resource import MAX_MESSAGE, Condition, ConditionStatus, condition, with_condition
from operators.experiments.resource import Resource, rfc3339
from operators.experiments.seen import Shown, ShownProgress

SYNCED, READY, COMPLETE = "Synced", "Ready", "Complete"
WAITING = frozenset({State.DRAFT, State.PAUSED, State.AWAITING_PROMOTION})
"""States in which only a person, a gate or a deadline brings it on."""
_ENDING = frozenset({State.STOPPING, State.ROLLING_BACK})


@dataclass(frozen=True)
class Note:
    """An event about the resource."""

    reason: str
    message: str
    warning: bool = False


def mirrored(cr: Resource, experiment: Shown, now: float) -> ExperimentStatus:
    """The status with all that is known of the experiment; Synced is the caller's to say. now: Unix seconds."""
    state = experiment.state
    ended = state in END_STATES
    goes_on = not ended and state not in WAITING and state not in _ENDING
    status = cr.status.model_copy(
        update={
            "observed_generation": cr.generation,
            "uid": experiment.uid,
            "state": state,
            "verdict": experiment.outcome.verdict if experiment.outcome else "",
            "reduction": reduction(experiment.progress),
            "retention": retention(experiment.progress),
            "hosts": len(experiment.hosts),
            "message": bounded(experiment.message),
        }
    )
    status = told(cr, status, READY, ConditionStatus.TRUE if goes_on else ConditionStatus.FALSE, _word(state), "", now)
    done = ConditionStatus.TRUE if ended else ConditionStatus.FALSE
    return told(cr, status, COMPLETE, done, _word(state), bounded(experiment.message) if ended else "", now)


def told(
    cr: Resource, status: ExperimentStatus, kind: str, value: ConditionStatus, reason: str, message: str, now: float
) -> ExperimentStatus:
    """The status with one condition set."""
    made = Condition(
        type=kind,
        status=value,
        observed_generation=cr.generation,
        last_transition_time=rfc3339(now),
        reason=reason,
        message=bounded(message),
    )
    update = {"conditions": with_condition(status.conditions, made), "observed_generation": cr.generation}
    return status.model_copy(update=update)


def reduction(progress: ShownProgress | None) -> str:
    """ "92.3 % [83.2, 96.5]"; without an interval the estimate alone; "" while nothing was measured."""
    if progress is None or progress.value is None:
        return ""
    shown = f"{progress.value * 100:.1f} %"
    if progress.low is None or progress.high is None:
        return shown
    return f"{shown} [{progress.low * 100:.1f}, {progress.high * 100:.1f}]"


def retention(progress: ShownProgress | None) -> str:
    """ "108/108"; "" while no critical process was seen."""
    found = progress.critical if progress else None
    if found is None:
        return ""
    return f"{found.kept}/{found.of}" + ("" if found.what == "processes" else f" {found.what}")


def notes(before: ExperimentStatus, after: ExperimentStatus) -> list[Note]:
    """What is worth telling of a change: a new state, a verdict, and being in or out of step with the control plane."""
    found = []
    if after.state is not None and after.state is not before.state:
        found.append(Note(_word(after.state), after.message or after.state.value, after.state is State.FAILED))
    if after.verdict and after.verdict != before.verdict:
        found.append(Note("Verdict", after.verdict))
    old, new = condition(before.conditions, SYNCED), condition(after.conditions, SYNCED)
    if new is not None and (old is None or old.reason != new.reason) and not (old is None and new.status == "True"):
        found.append(Note(new.reason, new.message or new.reason, new.status is not ConditionStatus.TRUE))
    return found


def dumped(status: ExperimentStatus) -> dict[str, Any]:
    """The status as it is written."""
    return status.model_dump(mode="json", by_alias=True, exclude_none=True)


def bounded(text: str) -> str:
    """A message that fits, without control characters: it may come from a host."""
    clean = "".join(c if c.isprintable() else " " for c in text)
    return clean if len(clean) <= MAX_MESSAGE else clean[: MAX_MESSAGE - 1] + "…"


def _word(state: State) -> str:
    return "".join(part.capitalize() for part in state.value.split("_"))
