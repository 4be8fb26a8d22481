"""What an operator may change about an experiment, or make out of one, beside moving it: more time, a copy."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.domain.errors import Conflict, InvalidInput, Problem
from chalicelib.domain.experiment.spec import ExperimentManifest, Metadata, Targets
from chalicelib.domain.experiment.state import Event, Experiment, State
from chalicelib.domain.experiment.transitions import MAX_EVENTS
from chalicelib.domain.units import show_duration

EXTENSIBLE = frozenset({State.DRAFT, State.PENDING, State.DEPLOYING, State.WARMING_UP, State.RUNNING, State.PAUSED})
"""Afterwards its last evaluation is due or made: a later one could only be picked because of what that one said."""
_LONGEST = 90 * 86400.0
"""As for schedule.maxDuration."""


def extended(experiment: Experiment, seconds: float, actor: str, now: float) -> Experiment:
    """The experiment with its deadline so many seconds later; the spec stays as it was asked for.

    Verdicts stay sound: the interval is valid at every look (docs/guides/how-it-decides.md), so a deadline that moves
    adds looks and no error beyond that of looking longer. Raises Conflict in a state that decides or has decided,
    InvalidInput when the whole would be longer than any schedule may be.
    """
    if experiment.state not in EXTENSIBLE:
        raise Conflict(
            f"cannot extend experiment {experiment.name!r}: it is {experiment.state.value}",
            hint=f"run it again: phoenix experiment clone {experiment.name} NEW_NAME",
        )
    longer = experiment.max_duration + seconds
    if longer > _LONGEST:
        rule = f"maxDuration would be {show_duration(round(longer))}, more than {show_duration(round(_LONGEST))}"
        raise InvalidInput(rule, problems=(Problem("/by", rule, "extend it by less"),))
    detail = f"extended by {show_duration(round(seconds))} by {actor}: maxDuration is {show_duration(round(longer))}"
    event = Event(at=now, state=experiment.state, cause="extend", detail=detail)
    return experiment.model_copy(
        update={
            "extended_seconds": experiment.extended_seconds + seconds,
            "message": detail,
            "events": (*experiment.events, event)[-MAX_EVENTS:],
        }
    )


def copied(experiment: Experiment, name: str, hosts: Sequence[str]) -> ExperimentManifest:
    """The manifest of a new experiment that asks for the same; on other hosts when some are named.

    Extensions are not copied: they answered to how that run went.
    """
    spec = experiment.spec
    if hosts:
        spec = spec.model_copy(update={"targets": Targets(hosts=tuple(hosts))})
    return ExperimentManifest(
        api_version="phoenix.io/v1alpha1",
        kind="Experiment",
        metadata=Metadata(name=name, labels=experiment.labels),
        spec=spec,
    )
