"""How the configuration of one experiment or deployment stands on one host, for its owner. Only reads."""

from __future__ import annotations

from enum import StrEnum

from chalicelib.domain.fleet.report import ConfigStatus, Marker, Message, lacking
from chalicelib.domain.fleet.state import AgentState, Assignment, Failure, FleetPolicy
from chalicelib.domain.model import Value


class HostStatus(StrEnum):
    UNASSIGNED = "unassigned"
    """Never wanted here, or forgotten."""
    PENDING = "pending"
    """Wanted; waits for the host's next poll."""
    OFFERED = "offered"
    APPLYING = "applying"
    ACTIVE = "active"
    """Proven by the marker in the running collector's configuration and its health."""
    FAILED = "failed"
    """Failed; the roll back is not yet confirmed."""
    ROLLED_BACK = "rolled_back"
    """Failed; what is wanted instead (what ran before, or the idle one) is confirmed."""
    AWAY = "away"
    """The host has not been heard of; `without_absence` says how it stood."""
    SUPERSEDED = "superseded"
    """Was active here; another configuration is wanted now."""


class HostConfigStatus(Value):
    """Status of one scope on one host."""

    status: HostStatus
    without_absence: HostStatus
    """The status as last known, whether or not the host is away."""
    since: float | None = None
    """Unix seconds of the last step; for AWAY when the host was last heard of."""
    error: Message = ""
    """Why it failed, or what stands in the way."""
    marker: Marker = ""
    """Of the configuration of this scope that the status is about."""
    content_hash: str = ""
    running: Marker = ""
    """Marker that the collector reported last, whoever's it is."""


def away_since(state: AgentState, now: float, policy: FleetPolicy) -> float | None:
    """Unix seconds since when the host is away, None when it is there (or has never connected)."""
    if state.last_seen is None:
        return None
    gone = not state.connected or now - state.last_seen > policy.away_after
    return state.last_seen if gone else None


def status_of(state: AgentState, scope: str, now: float, policy: FleetPolicy) -> HostConfigStatus:
    """How `scope` (uid of an experiment or deployment) stands on this host."""
    found = _standing(state, scope)
    running = state.effective.marker if state.effective else ""
    found = found.model_copy(update={"running": running})
    settled = (HostStatus.UNASSIGNED, HostStatus.SUPERSEDED, HostStatus.ROLLED_BACK)
    gone = away_since(state, now, policy)
    if gone is None or found.status in settled:
        return found
    return found.model_copy(update={"status": HostStatus.AWAY, "since": gone})


def _standing(state: AgentState, scope: str) -> HostConfigStatus:
    wanted, failure, held = state.desired, _failure_of(state, scope), _held(state, scope)
    if wanted and wanted.replaces == scope and failure:
        return _failed(failure, wanted)
    if wanted and wanted.scope == scope:
        return _wanted(state, wanted)
    if held and (failure is None or failure.at < (held.confirmed_at or 0)):
        return _of(HostStatus.SUPERSEDED, held, held.confirmed_at)
    if failure:
        return _failed(failure, wanted)
    return HostConfigStatus(status=HostStatus.UNASSIGNED, without_absence=HostStatus.UNASSIGNED)


def _failure_of(state: AgentState, scope: str) -> Failure | None:
    known = (*state.quarantine, *((state.last_failure,) if state.last_failure else ()))
    return max((one for one in known if one.scope == scope), key=lambda one: one.at, default=None)


def _held(state: AgentState, scope: str) -> Assignment | None:
    past = ((state.confirmed,) if state.confirmed else ()) + state.previous
    return next((one for one in past if one.scope == scope), None)


def _wanted(state: AgentState, wanted: Assignment) -> HostConfigStatus:
    if wanted.confirmed_at is not None:
        return _of(HostStatus.ACTIVE, wanted, wanted.confirmed_at)
    if wanted.failed_at is not None:
        return _of(HostStatus.FAILED, wanted, wanted.failed_at, state.last_failure.error if state.last_failure else "")
    if wanted.offered_at is None:
        return _of(HostStatus.PENDING, wanted, wanted.assigned_at, _obstacle(state))
    said = state.remote
    applying = said and said.marker == wanted.marker and said.status != ConfigStatus.UNSET
    return _of(HostStatus.APPLYING if applying else HostStatus.OFFERED, wanted, wanted.offered_at)


def _obstacle(state: AgentState) -> str:
    if state.last_seen is None:
        return "the host has never connected"
    missing = lacking(state.capabilities)
    if missing:
        return f"the supervisor cannot be steered: set {', '.join(missing)} under capabilities in its supervisor.yaml"
    return ""


def _failed(failure: Failure, instead: Assignment | None) -> HostConfigStatus:
    """Undone only when what is wanted instead is proven to run."""
    done = instead.confirmed_at if instead else None
    status = HostStatus.FAILED if done is None else HostStatus.ROLLED_BACK
    error = failure.error
    if instead and instead.failed_at is not None:
        error += "; the idle configuration failed too, and nothing is offered any more"
    return HostConfigStatus(
        status=status,
        without_absence=status,
        since=failure.at if done is None else done,
        error=error,
        marker=failure.marker,
        content_hash=failure.content_hash,
    )


def _of(status: HostStatus, one: Assignment, since: float | None, error: str = "") -> HostConfigStatus:
    return HostConfigStatus(
        status=status,
        without_absence=status,
        since=since,
        error=error,
        marker=one.marker,
        content_hash=one.content_hash,
    )
