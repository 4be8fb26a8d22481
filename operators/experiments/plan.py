"""What is to be done about an Experiment resource: decided by it, by what the control plane said, by the time.

Pure: the reconciler asks for a plan, carries out its one action, and asks again with what came of it, until there is no
action left; then the plan's status is the resource's.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass

from chalicelib.domain.experiment.managing import MOST_NAMED, differences
from chalicelib.domain.experiment.spec import NAME
from chalicelib.domain.experiment.state import END_STATES, State
from chalicelib.domain.kubernetes.experiment_mirror import ExperimentStatus
from chalicelib.domain.kubernetes.resource import ABANDON, ADOPT, ConditionStatus, condition
from operators.experiments.resource import Resource, rfc3339, seconds, spec_of
from operators.experiments.seen import Absent, Away, Found, NotLooked, Refused, Seen, Shown
from operators.experiments.status import COMPLETE, READY, SYNCED, WAITING, mirrored, told

ACTIVE_S = 2.0
WAITING_S = 10.0
REFUSED_S = 60.0
"""A refusal may end without the resource changing: a host is enrolled, another experiment ends."""
ENDING_S = 600.0
"""Longer than the control plane gives an experiment to stop: past it, the resource goes and the ending goes on."""
LONGEST_AWAY_S = 60.0
_ENDING = frozenset({State.STOPPING, State.ROLLING_BACK})


@dataclass(frozen=True)
class Look:
    """Ask for the experiment."""


@dataclass(frozen=True)
class Hold:
    """Set our finalizer: before anything is made that outlives the resource."""


@dataclass(frozen=True)
class Release:
    """Remove our finalizer: nothing is left to be done outside. note: why, where that is not plain; "" else."""

    note: str = ""


@dataclass(frozen=True)
class Create:
    """Create it and start it."""


@dataclass(frozen=True)
class Start:
    """Start the draft."""


@dataclass(frozen=True)
class Stop:
    """Stop it."""


@dataclass(frozen=True)
class Adopt:
    """Take it over. expected: who manages it now."""

    expected: str


Action = Look | Hold | Release | Create | Start | Stop | Adopt


@dataclass(frozen=True)
class Plan:
    """action: what to do next, None when it is enough. status: what the resource shall say then. again: seconds until
    the next look, None: not before something changes."""

    action: Action | None
    status: ExperimentStatus
    again: float | None = None


def plan(cr: Resource, seen: Seen, now: float) -> Plan:
    """The next step. now: Unix seconds."""
    if not re.fullmatch(NAME, cr.name):
        return _impossible(cr, now)
    if cr.deleted_at is not None:
        return _leaving(cr, seen, now)
    if not cr.held:
        return Plan(Hold(), cr.status)
    if isinstance(seen, NotLooked):
        return Plan(None if _settled(cr) else Look(), cr.status)
    if isinstance(seen, Absent):
        return _missing(cr, now)
    if isinstance(seen, Found):
        own = seen.experiment.managed_by == cr.manager
        return _following(cr, seen.experiment, now) if own else _foreign(cr, seen.experiment, now)
    return _apart(cr, seen, now)


def _settled(cr: Resource) -> bool:
    """Whether it has ended and the resource says so: what ended never changes."""
    complete, synced = condition(cr.status.conditions, COMPLETE), condition(cr.status.conditions, SYNCED)
    return (
        cr.status.observed_generation == cr.generation
        and complete is not None
        and complete.status is ConditionStatus.TRUE
        and synced is not None
        and synced.status is ConditionStatus.TRUE
    )


def _impossible(cr: Resource, now: float) -> Plan:
    """No experiment can have this name, so there is none to create, and none to stop."""
    if cr.deleted_at is not None:
        return Plan(Release() if cr.held else None, cr.status)
    message = f"/metadata/name: an experiment's name has at most 63 of a-z, 0-9 and -, and {cr.name[:80]!r} is none"
    return Plan(None, _out_of_step(cr, cr.status, "Rejected", message, now))


def _missing(cr: Resource, now: float) -> Plan:
    if not cr.status.uid:
        return Plan(Create(), cr.status)
    message = (
        f"experiment {cr.name} was deleted in the control plane, and is not run once more by itself; to run it again, "
        "delete this resource and apply it anew"
    )
    return Plan(None, _out_of_step(cr, cr.status, "Gone", message, now))


def _following(cr: Resource, experiment: Shown, now: float) -> Plan:
    if experiment.state is State.DRAFT:
        return Plan(Start(), cr.status)
    status = mirrored(cr, experiment, now)
    if differ := _differ(cr, experiment):
        named = ", ".join(differ[:MOST_NAMED])
        message = f"an experiment keeps its spec, and this one differs in {named}: put it back, or use another name"
        status = _out_of_step(cr, status, "Rejected", message, now)
    else:
        status = told(cr, status, SYNCED, ConditionStatus.TRUE, "Synced", "", now)
    if experiment.state in END_STATES:
        return Plan(None, status)
    return Plan(None, status, WAITING_S if experiment.state in WAITING else ACTIVE_S)


def _differ(cr: Resource, experiment: Shown) -> tuple[str, ...]:
    asked, has = cr.spec, spec_of(experiment.spec)
    return differences(asked, has) if asked is not None and has is not None else ()


def _foreign(cr: Resource, experiment: Shown, now: float) -> Plan:
    was_ours = cr.status.uid == experiment.uid
    if cr.adopt and not was_ours:
        return Plan(Adopt(experiment.managed_by), cr.status)
    manager = experiment.managed_by or "the API and the CLI"
    if was_ours:
        message = f"experiment {cr.name} was taken over and is managed by {manager}; to take it back, apply this anew"
    else:
        message = (
            f"experiment {cr.name} exists and is managed by {manager}: it is not touched; to take it over, annotate "
            f'this resource with {ADOPT}: "true" (its spec must be the same), or use another name'
        )
    return Plan(None, _out_of_step(cr, cr.status, "NotManaged", message, now), REFUSED_S)


def _apart(cr: Resource, seen: Away | Refused, now: float) -> Plan:
    """The control plane was not reached, or said no: nothing is forgotten, and it is tried again."""
    hint = (
        ""
        if cr.deleted_at is None
        else "; the experiment is stopped as soon as the control plane can be asked; to let this resource go now, "
        f'and the experiment on, annotate it with {ABANDON}: "true"'
    )
    if isinstance(seen, Refused):
        return Plan(None, _out_of_step(cr, cr.status, seen.reason, seen.message + hint, now), REFUSED_S)
    since = _away_since(cr, now)
    message = f"since {rfc3339(since)}: {seen.why}{hint}"
    status = told(cr, cr.status, SYNCED, ConditionStatus.UNKNOWN, "Unreachable", message, now)
    return Plan(None, status, _away_wait(cr, now - since))


def _out_of_step(cr: Resource, status: ExperimentStatus, reason: str, message: str, now: float) -> ExperimentStatus:
    status = told(cr, status, SYNCED, ConditionStatus.FALSE, reason, message, now)
    if condition(status.conditions, READY) is None:
        status = told(cr, status, READY, ConditionStatus.FALSE, reason, "", now)
    return status


def _away_since(cr: Resource, now: float) -> float:
    synced = condition(cr.status.conditions, SYNCED)
    if synced is None or synced.status is not ConditionStatus.UNKNOWN:
        return now
    return seconds(synced.last_transition_time)


def _away_wait(cr: Resource, elapsed: float) -> float:
    """Half as long again as it has been away, at most a minute; resources differ by up to a quarter, so that all of
    them do not come back at once."""
    share = 0.75 + 0.25 * (zlib.crc32(cr.manager.encode()) % 1000) / 1000
    return min(LONGEST_AWAY_S, max(ACTIVE_S, elapsed / 2)) * share


def _leaving(cr: Resource, seen: Seen, now: float) -> Plan:
    """The resource is being deleted: the experiment stops first."""
    if not cr.held:
        return Plan(None, cr.status)
    if cr.status.uid and cr.status.state in END_STATES:
        return Plan(Release(), cr.status)
    if isinstance(seen, NotLooked):
        return Plan(Look(), cr.status)
    if isinstance(seen, Refused) and seen.reason == "NotConfigured" and not cr.status.uid:
        return Plan(Release(), cr.status)
    if isinstance(seen, Away | Refused):
        if cr.abandon:
            return Plan(Release("abandoned: the experiment was not stopped"), cr.status)
        return _apart(cr, seen, now)
    if isinstance(seen, Absent) or seen.experiment.managed_by != cr.manager or seen.experiment.state in END_STATES:
        return Plan(Release(), cr.status)
    return _ending(cr, seen, now)


def _ending(cr: Resource, seen: Found, now: float) -> Plan:
    experiment = seen.experiment
    ending = experiment.state in _ENDING
    if not ending and not seen.stop_asked:
        return Plan(Stop(), cr.status)
    if ending and now - _timed_from(cr, now) >= ENDING_S:
        return Plan(Release("it takes too long to end; it goes on ending in the control plane"), cr.status)
    status = told(cr, mirrored(cr, experiment, now), SYNCED, ConditionStatus.TRUE, "Stopping", "", now)
    return Plan(None, status, ACTIVE_S)


def _timed_from(cr: Resource, now: float) -> float:
    """From when its ending is timed: its deletion, or when the control plane was back; that may be just now."""
    synced = condition(cr.status.conditions, SYNCED)
    back = seconds(synced.last_transition_time) if synced and synced.status is ConditionStatus.TRUE else now
    return max(cr.deleted_at or 0.0, back)
