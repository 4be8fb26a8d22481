"""What becomes of an offered configuration: confirmed, failed, rolled back, out of time. No wire, no session rules.

Confirmation is the marker in the running collector's own configuration plus health of a collector started after the
offer; the supervisor's APPLIED is never enough (it comes late, and for unchanged configurations without a look).
The supervisor never rolls back: here a failed content is quarantined and the last confirmed one wanted again, under a
new revision, because an unchanged body would be answered APPLIED without a restart.
"""

from __future__ import annotations

import re
from typing import Any

from chalicelib.domain.fleet.report import ConfigStatus, Health, tidy
from chalicelib.domain.fleet.state import (
    MAX_PREVIOUS,
    MAX_QUARANTINE,
    AgentState,
    Assignment,
    Event,
    EventKind,
    Failure,
    FleetPolicy,
    Purpose,
)
from chalicelib.domain.pipeline.marker import content_hash

IDLE_CONFIG: dict[str, Any] = {
    "receivers": {"nop": {}},
    "exporters": {"nop": {}},
    "service": {"pipelines": {"metrics": {"receivers": ["nop"], "exporters": ["nop"]}}},
}
"""Runs and does nothing. Wanted when nothing is known to work: an empty offer would stop the collector instead."""
IDLE_HASH = content_hash(IDLE_CONFIG)
"""Content hash of IDLE_CONFIG. No store needs to hold its body."""

_APPLY_TIMEOUT = re.compile(r"apply timeout exceeded", re.IGNORECASE)
_VAGUE = re.compile(r"exit(ed)?\b.*\bcode|not confirmed within|apply timeout exceeded", re.IGNORECASE)
_NEAR = 30.0
"""Seconds between a failure and the collector's own words about it, when these name no marker."""

Judged = tuple[AgentState, tuple[Event, ...]]


def marker_of(content_hash: str, revision: int) -> str:
    """The marker that stamping gives to one revision of one content (chalicelib.domain.pipeline.marker)."""
    return f"{content_hash[:16]}.{revision}"


def event(kind: EventKind, assignment: Assignment, text: str = "", scope: str | None = None) -> Event:
    """An event about an assignment."""
    return Event(
        kind=kind,
        scope=assignment.scope if scope is None else scope,
        marker=assignment.marker,
        content_hash=assignment.content_hash,
        text=text,
    )


def vague(error: str) -> bool:
    """Whether a text says no more than that something went wrong."""
    return not error or _VAGUE.search(error) is not None


def judge(state: AgentState, health: Health | None, now: float, policy: FleetPolicy) -> Judged:
    """Confirm or fail the wanted configuration by what is known now.

    health: the health that came with this message, None if it did not change; only a new one counts as a crash.
    """
    wanted = state.desired
    if wanted is None or wanted.offered_at is None:
        return state, ()
    if wanted.confirmed_at is None and _proven(state, wanted):
        return _confirm(state, wanted, now)
    if error := _reported_failure(state, wanted, now, policy):
        return fail(state, error, now, policy)
    if wanted.open and health is not None:
        state = _count_crash(state, wanted, health)
        if state.desired and state.desired.crashes >= policy.crash_loop:
            return fail(state, state.desired.crash, now, policy)
    return state, ()


def _proven(state: AgentState, wanted: Assignment) -> bool:
    if not (state.effective and state.effective.marker == wanted.marker and state.health and state.health.healthy):
        return False
    started = state.health.start_ns
    return started == 0 or started != wanted.start_before_ns


def _confirm(state: AgentState, wanted: Assignment, now: float) -> Judged:
    done = wanted.model_copy(update={"confirmed_at": now, "failed_at": None})
    old = ((state.confirmed,) if state.confirmed else ()) + state.previous
    previous: dict[tuple[str, str], Assignment] = {}
    for one in old:
        if (one.scope, one.content_hash) != (done.scope, done.content_hash):
            previous.setdefault((one.scope, one.content_hash), one)
    events = [event(EventKind.CONFIRMED, done)]
    if done.replaces:
        events.append(event(EventKind.ROLLED_BACK, done, scope=done.replaces))
    kept = tuple(previous.values())[:MAX_PREVIOUS]
    return state.model_copy(update={"desired": done, "confirmed": done, "previous": kept}), tuple(events)


def _reported_failure(state: AgentState, wanted: Assignment, now: float, policy: FleetPolicy) -> str:
    """The supervisor's own verdict on this very configuration, or ""."""
    said = state.remote
    if said is None or said.status != ConfigStatus.FAILED or said.marker != wanted.marker:
        return ""
    if _APPLY_TIMEOUT.search(said.error):
        return ""  # may precede a healthy start; marker and health, or our own deadline, decide
    if wanted.open:
        return said.error or (state.health.last_error if state.health else "") or "the supervisor gave no reason"
    on_probation = wanted.confirmed_at is not None and now - wanted.confirmed_at <= policy.probation
    return (said.error or "failed after the start") if on_probation and not state.healthy else ""


def _count_crash(state: AgentState, wanted: Assignment, health: Health) -> AgentState:
    """Crash reports can still be about the configuration before, so one alone proves nothing."""
    applying = state.remote is not None and state.remote.marker == wanted.marker
    if not applying or health.healthy or not health.last_error or health.last_error == wanted.crash:
        return state
    counted = {"crash": health.last_error, "crashes": wanted.crashes + 1}
    return state.model_copy(update={"desired": wanted.model_copy(update=counted)})


def fail(state: AgentState, error: str, now: float, policy: FleetPolicy) -> Judged:
    """The wanted configuration failed: record why, quarantine its content, want what is known to work."""
    wanted = state.desired
    if wanted is None:
        return state, ()
    text = (wanted.collector_error or error) if vague(error) else error
    events = (event(EventKind.FAILED, wanted, text),)
    if wanted.purpose == Purpose.ROLLBACK and wanted.attempt < policy.rollback_attempts:
        again = _next(state, wanted, now, wanted.replaces, wanted.attempt + 1)
        return _want(state, again), events
    failure = Failure(scope=wanted.scope, content_hash=wanted.content_hash, marker=wanted.marker, error=text, at=now)
    if not (wanted.replaces and state.last_failure):  # during a roll back the failure that began it stays the last
        state = state.model_copy(update={"last_failure": failure})
    if wanted.purpose == Purpose.IDLE:
        return state.model_copy(update={"desired": wanted.model_copy(update={"failed_at": now})}), events
    state = _quarantine(state, failure)
    good = None if state.confirmed is None or state.confirmed.purpose == Purpose.IDLE else state.confirmed
    return _want(state, _next(state, good, now, wanted.replaces or wanted.scope, 1)), events


def _quarantine(state: AgentState, failure: Failure) -> AgentState:
    """Remember the failure; what was confirmed with the same content no longer counts as proven."""
    kept = tuple(one for one in state.quarantine if one.content_hash != failure.content_hash)
    proven = ((state.confirmed,) if state.confirmed else ()) + state.previous
    left = tuple(one for one in proven if one.content_hash != failure.content_hash)
    return state.model_copy(
        update={
            "quarantine": (*kept, failure)[-MAX_QUARANTINE:],
            "confirmed": left[0] if left else None,
            "previous": left[1:],
        }
    )


def _want(state: AgentState, assignment: Assignment) -> AgentState:
    return state.model_copy(update={"desired": assignment, "revision": assignment.revision})


def _next(state: AgentState, good: Assignment | None, now: float, replaces: str, attempt: int) -> Assignment:
    revision = state.revision + 1
    content = good.content_hash if good else IDLE_HASH
    return Assignment(
        scope=good.scope if good else "",
        content_hash=content,
        revision=revision,
        marker=marker_of(content, revision),
        purpose=Purpose.ROLLBACK if good else Purpose.IDLE,
        assigned_at=now,
        attempt=attempt,
        replaces=replaces,
    )


def expire(state: AgentState, now: float, policy: FleetPolicy) -> Judged:
    """Fail an offered configuration whose time is up. A host not heard of since the deadline is away, not failed."""
    wanted = state.desired
    if wanted is None or not wanted.open or wanted.deadline is None or now < wanted.deadline:
        return state, ()
    if state.last_seen is None or state.last_seen < wanted.deadline or not state.connected:
        return state, ()
    said = state.remote.error if state.remote and state.remote.marker == wanted.marker else ""
    why = wanted.crash or said or (state.health.last_error if state.health else "")
    given = wanted.deadline - (wanted.offered_at or wanted.assigned_at)  # not every kind of host has the same time
    text = f"not confirmed within {given:.0f} s" + (f": {why}" if why else "")
    return fail(state, text, now, policy)


def collector_error(state: AgentState, text: str, at: float, marker: str | None = None) -> AgentState:
    """Attach the collector's own words, sent by the host agent, to the configuration they are about.

    marker: of the configuration that the collector was started with, when known; else they are taken to be about
    the pending configuration, or a failure at most 30 s from `at` (Unix seconds). They may come before or after the
    supervisor's own report; only a vague text is replaced. Words about nothing known change nothing.
    """
    wanted, failure, text = state.desired, state.last_failure, tidy(text, 2000)
    if wanted and (wanted.marker == marker or (marker is None and _since_offer(wanted, at))):
        return state.model_copy(update={"desired": wanted.model_copy(update={"collector_error": text})})
    if marker is None and failure and abs(failure.at - at) <= _NEAR:
        marker = failure.marker
    if not marker:
        return state

    def better(one: Failure) -> Failure:
        return one.model_copy(update={"error": text}) if one.marker == marker and vague(one.error) else one

    update = {"quarantine": tuple(better(one) for one in state.quarantine)}
    return state.model_copy(update={**update, "last_failure": better(failure) if failure else None})


def _since_offer(wanted: Assignment, at: float) -> bool:
    """A roll back follows a failure within a second, so a late word without marker is about the failure."""
    return wanted.open and wanted.offered_at is not None and at >= wanted.offered_at and not wanted.replaces
