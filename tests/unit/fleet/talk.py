"""A conversation between one host and the fleet's decisions: the test says what the host says."""

from __future__ import annotations

from typing import Any

from chalicelib.domain.fleet.assignments import assign
from chalicelib.domain.fleet.judge import expire
from chalicelib.domain.fleet.receive import Outcome, receive
from chalicelib.domain.fleet.report import AgentReport, ConfigStatus, Description, Effective, Health, RemoteStatus
from chalicelib.domain.fleet.state import AgentState, Event, FleetPolicy, Purpose
from chalicelib.domain.fleet.status import HostConfigStatus, status_of

UID = "01" * 16
STEERABLE = 0x1 | 0x2 | 0x4 | 0x800 | 0x1000 | 0x2000
A, B, C = "a" * 64, "b" * 64, "c" * 64
EXIT_CODE = "Agent exited unexpectedly with exit code 1 while applying configuration"


class Talk:
    """One second passes with each message. `events` gathers all that happened."""

    def __init__(self, policy: FleetPolicy | None = None) -> None:
        self.policy = policy or FleetPolicy()
        self.state = AgentState()
        self.now = 1000.0
        self.sequence = -1
        self.events: list[Event] = []
        self.starts = 0

    def say(self, uid: str = UID, sequence: int | None = None, **parts: Any) -> Outcome:
        """The next message with these parts."""
        self.sequence = self.sequence + 1 if sequence is None else sequence
        parts = {"capabilities": STEERABLE, "digest": f"{uid[:4]}{self.sequence}{sorted(parts)}"[:64], **parts}
        return self.take(AgentReport(instance_uid=uid, sequence=self.sequence, **parts))

    def take(self, report: AgentReport) -> Outcome:
        self.now += 1
        outcome = receive(self.state, report, self.now, self.policy)
        self.state = outcome.state
        self.events += outcome.events
        return outcome

    def hello(self, uid: str = UID, **parts: Any) -> Outcome:
        """The complete first message of a supervisor."""
        whole = {
            "description": Description(identifying={"service.version": "0.155.0"}),
            "health": Health(healthy=False),
            "effective": Effective(),
            "remote": RemoteStatus(status=ConfigStatus.UNSET),
        }
        self.say(uid=uid, sequence=0, **{**whole, **parts})
        return self.say(uid=uid, health=self.well())

    def well(self) -> Health:
        """Health of a collector that has just started."""
        self.starts += 1
        return Health(healthy=True, status="StatusOK", start_ns=self.starts)

    def want(self, scope: str, content_hash: str, purpose: Purpose = Purpose.DEPLOY, force: bool = False) -> str:
        self.state = assign(self.state, scope, content_hash, self.now, purpose, force)
        return self.marker

    @property
    def marker(self) -> str:
        """Of what is wanted now."""
        assert self.state.desired is not None
        return self.state.desired.marker

    def remote(self, status: ConfigStatus, error: str = "", marker: str = "") -> RemoteStatus:
        return RemoteStatus(status=status, marker=marker or self.marker, error=error)

    def applies(self) -> Outcome:
        """Takes the offer and runs it well."""
        self.say()
        self.say(remote=self.remote(ConfigStatus.APPLYING))
        self.say(health=Health(healthy=False, status="StatusStarting"))
        return self.say(health=self.well(), effective=Effective(marker=self.marker, config={"x": 1}))

    def fails(self, error: str = EXIT_CODE) -> Outcome:
        """Takes the offer and fails with it."""
        self.say()
        self.say(remote=self.remote(ConfigStatus.APPLYING))
        return self.say(health=Health(healthy=False, last_error=error), remote=self.remote(ConfigStatus.FAILED, error))

    def expire(self) -> None:
        self.state, events = expire(self.state, self.now, self.policy)
        self.events += events

    def kinds(self) -> list[str]:
        return [event.kind.value for event in self.events]

    def status(self, scope: str) -> HostConfigStatus:
        return status_of(self.state, scope, self.now, self.policy)
