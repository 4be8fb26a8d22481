"""Wanting a configuration on a host, and giving up on what is wanted there. What becomes of it is in judge.py."""

from __future__ import annotations

from datetime import UTC, datetime

from chalicelib.domain.errors import Conflict, InvalidInput, NotFound, Problem
from chalicelib.domain.fleet.judge import IDLE_HASH, marker_of
from chalicelib.domain.fleet.state import AgentState, Assignment, Failure, Purpose

SHORT_HASH = 12
"""Digits of a content hash that people type; any other number of at least eight will do."""


def quarantined(state: AgentState, content_hash: str) -> Failure | None:
    """How this content failed on this host before, or None."""
    return next((one for one in state.quarantine if one.content_hash == content_hash), None)


def released(state: AgentState, given: str) -> tuple[AgentState, Failure]:
    """The state without a failure that an operator let go, and that failure. given: content hash, or the first digits
    of it. Raises NotFound, InvalidInput for digits that fit more than one."""
    found = [one for one in state.quarantine if one.content_hash.startswith(given)]
    if not found:
        hint = "see what failed: phoenix host quarantine list"
        raise NotFound(f"no failed configuration {given[:64]!r} is remembered on this host", hint=hint)
    if len(found) > 1:
        rule, fix = f"{given!r} fits {len(found)} failed configurations", "give more digits of the one that is meant"
        raise InvalidInput(rule, problems=(Problem("/contentHash", rule, fix),), hint=fix)
    left = tuple(one for one in state.quarantine if one is not found[0])
    return state.model_copy(update={"quarantine": left}), found[0]


def dismissed(state: AgentState) -> AgentState:
    """Nothing is wanted any more, and nothing that ran before is gone back to. What failed stays remembered."""
    return state.model_copy(update={"desired": None, "confirmed": None, "previous": ()})


def assign(
    state: AgentState,
    scope: str,
    content_hash: str,
    now: float,
    purpose: Purpose = Purpose.DEPLOY,
    force: bool = False,
) -> AgentState:
    """Want `content_hash` on the host for `scope` (uid of an experiment or deployment). Idempotent.

    A new want always has a new revision, so that its body differs from all before it. Wanting what is wanted already,
    pending or confirmed, changes nothing unless forced. now: Unix seconds.
    Raises Conflict when the content failed on this host before; `force` lifts that quarantine.
    """
    failure = quarantined(state, content_hash)
    if failure and not force:
        when = datetime.fromtimestamp(failure.at, UTC).isoformat(timespec="seconds")
        raise Conflict(
            f"this configuration failed on this host at {when}: {failure.error}",
            hint="change the pipeline or its parameters; once the cause is gone: phoenix host quarantine release",
        )
    wanted = state.desired
    if wanted and not force and (wanted.scope, wanted.content_hash) == (scope, content_hash) and not wanted.failed_at:
        return state
    revision = state.revision + 1
    fresh = Assignment(
        scope=scope,
        content_hash=content_hash,
        revision=revision,
        marker=marker_of(content_hash, revision),
        purpose=Purpose.IDLE if content_hash == IDLE_HASH else purpose,
        assigned_at=now,
    )
    kept = tuple(one for one in state.quarantine if one.content_hash != content_hash)
    return state.model_copy(update={"desired": fresh, "revision": revision, "quarantine": kept})
