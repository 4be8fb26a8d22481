"""Who manages an experiment: the API and the CLI, or one resource of one cluster, and how that changes hands. Pure.

An experiment that something manages is made once by it, stopped by it alone (people may always), and handed over only
by an explicit adoption. What the manager is, is its own business: a bounded text that nobody reads into.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from chalicelib.domain.errors import Conflict, Problem
from chalicelib.domain.experiment.spec import ExperimentSpec
from chalicelib.domain.experiment.state import Event, Experiment
from chalicelib.domain.experiment.transitions import MAX_EVENTS
from chalicelib.domain.model import Value

Manager = Annotated[str, Field(pattern=r"^([A-Za-z0-9][A-Za-z0-9._:/@-]{0,511})?$")]
"""Such as kubernetes:<cluster>/<namespace>/<name>/<uid>; "" is the API and the CLI."""
MOST_NAMED = 10
"""Fields that differ, named in one message."""


class Adoption(Value):
    """A change of hands: from whom, to whom, and what the new manager asks for."""

    managed_by: Manager
    """The new manager; "" hands it to the API and the CLI."""
    expected: Manager
    """Who is believed to manage it now; a mistake is refused, so that nobody takes from somebody unseen."""
    spec: ExperimentSpec | None = None
    """What the new manager asks for: it must be what the experiment does. Left out, nothing is compared."""


def managed(experiment: Experiment) -> str:
    """Who manages it, in words."""
    return f"managed by {experiment.managed_by}" if experiment.managed_by else "managed by the API and the CLI"


def differences(asked: ExperimentSpec, has: ExperimentSpec) -> tuple[str, ...]:
    """JSON pointers of what differs, as in a manifest; empty when both ask for the same.

    A version that is not asked for is that which the pipeline had at creation: the experiment keeps it.
    """
    for arm in ("baseline", "candidate"):
        mine, theirs = getattr(asked, arm), getattr(has, arm)
        if mine.version is None and mine.pipeline == theirs.pipeline:
            asked = asked.model_copy(update={arm: mine.model_copy(update={"version": theirs.version})})
    return tuple(_differ(asked.model_dump(mode="json", by_alias=True), has.model_dump(mode="json", by_alias=True)))


def _differ(one: Any, other: Any, pointer: str = "/spec") -> list[str]:
    if isinstance(one, dict) and isinstance(other, dict):
        return [
            found
            for key in sorted({*one, *other})
            for found in _differ(one.get(key), other.get(key), f"{pointer}/{key}")
        ]
    return [] if one == other else [pointer]


def refuse_differences(asked: ExperimentSpec, experiment: Experiment, fix: str) -> None:
    """Raises Conflict, naming the fields, when the experiment does not do what is asked for."""
    found = differences(asked, experiment.spec)
    if not found:
        return
    problems = tuple(Problem(pointer, "differs from the experiment's", fix) for pointer in found[:MOST_NAMED])
    more = f" and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
    named = ", ".join(problem.pointer for problem in problems)
    raise Conflict(f"experiment {experiment.name!r} has another spec: {named}{more}", problems=problems, hint=fix)


def only_of(experiment: Experiment, manager: str | None) -> None:
    """Raises Conflict when a manager asks for something of an experiment that is not its own. None: a person asks."""
    if manager is not None and experiment.managed_by != manager:
        raise Conflict(
            f"experiment {experiment.name!r} is {managed(experiment)}, not by {manager or 'the API and the CLI'}",
            hint=f"to change hands: phoenix experiment adopt {experiment.name} --from '{experiment.managed_by}' --to …",
        )


def adopted(experiment: Experiment, adoption: Adoption, actor: str, now: float) -> Experiment:
    """The experiment in its new hands; the same one when it is there already.

    Raises Conflict when another manages it than expected, or when it does something else than the new manager asks.
    """
    if adoption.spec is not None:
        refuse_differences(adoption.spec, experiment, "write the spec as `phoenix experiment show` has it")
    if experiment.managed_by == adoption.managed_by:
        return experiment
    only_of(experiment, adoption.expected)
    taker = adoption.managed_by or "the API and the CLI"
    detail = f"adopted for {taker} by {actor}; it was {managed(experiment)}"
    event = Event(at=now, state=experiment.state, cause="adopt", detail=detail)
    return experiment.model_copy(
        update={"managed_by": adoption.managed_by, "events": (*experiment.events, event)[-MAX_EVENTS:]}
    )
