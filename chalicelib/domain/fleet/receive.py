"""One message of a supervisor: its place in the session, what it changes, and the answer. No wire format, no store.

The session rules (OpAMP specification): only changes are sent, so that after an unknown agent, a gap or a number that
went back a full state is asked for, and nothing is concluded until it came.
"""

from __future__ import annotations

from typing import Any

from pydantic import Field

from chalicelib.domain.fleet.judge import event, judge
from chalicelib.domain.fleet.report import AgentReply, AgentReport, Health, Offer, lacking
from chalicelib.domain.fleet.state import (
    AgentState,
    Assignment,
    EffectiveRef,
    Event,
    EventKind,
    FleetPolicy,
    Purpose,
)
from chalicelib.domain.model import Value

MAX_ASKS = 3
"""Full states asked for in a row before what is known is taken as all there is: asking is answered at once, so an
agent that never sends one would otherwise loop without pause."""
_MOST_EXTENSIONS = 10
"""A pending configuration gets at most this many times its time, however often the host falls silent."""


class Outcome(Value):
    """What one message leads to."""

    state: AgentState
    reply: AgentReply
    events: tuple[Event, ...] = ()
    effective: dict[str, Any] | None = Field(default=None)
    """Masked effective configuration to store for this host, when a new one came."""


def receive(state: AgentState, report: AgentReport, now: float, policy: FleetPolicy) -> Outcome:
    """Take one message (now: Unix seconds, server's clock) and answer it.

    A message that comes twice is answered twice and has its effect once. The reply's offer names a configuration by
    content hash and revision; the caller stamps and encodes its body.
    """
    if report.instance_uid == state.instance_uid and report.digest == state.digest:
        return _answer(state.model_copy(update={"last_seen": now}), report, now, policy, ())
    before = state
    state, whole = _in_session(state, report)
    if whole or state.full_state_asks == 0 or not _went_back(before, report):
        state = _merge(state, report, now)
    state = _seen(state, report, now, policy)
    events = _session_events(before, state)
    if state.full_state_asks == 0:
        state, more = judge(state, report.health, now, policy)
        state, drifted = _drift(state)
        events = (*events, *more, *drifted)
    effective = report.effective.config if report.effective else None
    return _answer(state, report, now, policy, events, effective)


def _went_back(state: AgentState, report: AgentReport) -> bool:
    return state.instance_uid == report.instance_uid and report.sequence <= (state.sequence or 0)


def _in_session(state: AgentState, report: AgentReport) -> tuple[AgentState, bool]:
    """Follow uid and number; returns whether the message is whole in itself."""
    if state.instance_uid != report.instance_uid:
        lost: dict[str, Any] = {"description": None, "health": None, "remote": None, "effective": None}
        state = state.model_copy(update={**lost, "instance_uid": report.instance_uid, "sequence": None})
    in_order = state.sequence is not None and report.sequence == state.sequence + 1
    asks = state.full_state_asks
    if report.complete or asks >= MAX_ASKS:
        asks = 0
    elif asks or not in_order:
        asks += 1
    update = {"sequence": report.sequence, "digest": report.digest, "full_state_asks": asks}
    return state.model_copy(update=update), report.complete


def _merge(state: AgentState, report: AgentReport, now: float) -> AgentState:
    update: dict[str, Any] = {}
    for name in ("description", "health", "remote"):
        if (part := getattr(report, name)) is not None:
            update[name] = part
    if report.effective is not None:
        update["effective"] = EffectiveRef(
            marker=report.effective.marker, unreadable=report.effective.unreadable, at=now
        )
    return state.model_copy(update=update)


def _seen(state: AgentState, report: AgentReport, now: float, policy: FleetPolicy) -> AgentState:
    update: dict[str, Any] = {"capabilities": report.capabilities, "connected": not report.disconnect, "last_seen": now}
    wanted = state.desired
    silent = state.last_seen is not None and now - state.last_seen > policy.silence
    if silent and wanted and wanted.open and wanted.offered_at is not None:
        latest = wanted.offered_at + _MOST_EXTENSIONS * policy.confirm_within
        update["desired"] = wanted.model_copy(update={"deadline": min(now + policy.confirm_within, latest)})
    return state.model_copy(update=update)


def _session_events(before: AgentState, after: AgentState) -> tuple[Event, ...]:
    events = []
    if after.connected and (not before.connected or before.instance_uid != after.instance_uid):
        events.append(Event(kind=EventKind.CONNECTED, text=after.version))
    settled = after.desired is None or not after.desired.open
    marker = after.effective.marker if after.effective else ""
    if settled and _ill(after.health) and not _ill(before.health):
        events.append(Event(kind=EventKind.UNHEALTHY, marker=marker, text=after.health.last_error))  # type: ignore[union-attr]
    if settled and after.healthy and _ill(before.health):
        events.append(Event(kind=EventKind.RECOVERED, marker=marker))
    return tuple(events)


def _ill(health: Health | None) -> bool:
    """Starting and stopping are unhealthy too, but without an error."""
    return health is not None and not health.healthy and health.last_error != ""


def _drift(state: AgentState) -> tuple[AgentState, tuple[Event, ...]]:
    """A supervisor that lost its storage no longer names the confirmed configuration: offer it again."""
    wanted = state.desired
    if wanted is None or wanted.confirmed_at is None or state.remote is None or state.remote.marker == wanted.marker:
        return state, ()
    again = wanted.model_copy(update={"confirmed_at": None, "offered_at": None, "deadline": None})
    text = f"the supervisor reports {state.remote.marker or 'no configuration'}"
    return state.model_copy(update={"desired": again}), (event(EventKind.DRIFTED, wanted, text),)


def _answer(
    state: AgentState,
    report: AgentReport,
    now: float,
    policy: FleetPolicy,
    events: tuple[Event, ...],
    effective: dict[str, Any] | None = None,
) -> Outcome:
    offer = None
    wanted = state.desired
    # Supervisor 0.149 asks first and loads its stored configuration after: an offer in the answer to its very first
    # message was overwritten in 2 of 25 starts, and yet reported as APPLIED. The next poll gets it, a second later.
    if wanted and _steerable(state) and wanted.open and report.sequence > 0:
        held = state.remote is not None and state.remote.marker == wanted.marker
        if wanted.offered_at is None:
            wanted = _mark_offered(state, wanted, now, policy)
            state = state.model_copy(update={"desired": wanted})
            events = (*events, event(EventKind.OFFERED, wanted))
        if not held:
            offer = Offer(
                content_hash=wanted.content_hash, revision=wanted.revision, marker=wanted.marker, scope=wanted.scope
            )
    reply = AgentReply(
        instance_uid=report.instance_uid,
        report_full_state=state.full_state_asks > 0,
        heartbeat_seconds=policy.busy_heartbeat if _busy(state, now, policy) else policy.idle_heartbeat,
        offer=offer,
    )
    return Outcome(state=state, reply=reply, events=events, effective=effective)


def _steerable(state: AgentState) -> bool:
    return state.full_state_asks == 0 and state.connected and not lacking(state.capabilities)


def _mark_offered(state: AgentState, wanted: Assignment, now: float, policy: FleetPolicy) -> Assignment:
    running = state.health.start_ns if state.health else 0
    held = state.remote is not None and state.remote.marker == wanted.marker
    return wanted.model_copy(
        update={
            "offered_at": now,
            "deadline": now + policy.confirm_within,
            "start_before_ns": 0 if held else running,
            "crash": state.health.last_error if state.health else "",
            "crashes": 0,
        }
    )


def _busy(state: AgentState, now: float, policy: FleetPolicy) -> bool:
    wanted = state.desired
    if state.full_state_asks or (wanted and (wanted.open or wanted.purpose == Purpose.EXPERIMENT)):
        return True
    return bool(wanted and wanted.confirmed_at is not None and now - wanted.confirmed_at <= policy.probation)
