"""Whatever a supervisor says, in whatever order: what must hold of the fleet's decisions."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain.errors import Conflict
from chalicelib.domain.fleet.assignments import assign
from chalicelib.domain.fleet.judge import IDLE_HASH, expire
from chalicelib.domain.fleet.receive import Outcome, receive
from chalicelib.domain.fleet.report import (
    AgentReport,
    ConfigStatus,
    Description,
    Effective,
    Health,
    RemoteStatus,
    lacking,
)
from chalicelib.domain.fleet.state import MAX_PREVIOUS, MAX_QUARANTINE, AgentState, EventKind, FleetPolicy
from chalicelib.domain.fleet.status import status_of

POLICY = FleetPolicy(confirm_within=20, probation=5)
STEERABLE = 0x1807 | 0x2000
HASHES = tuple(letter * 64 for letter in "abcdef")
SCOPES = ("dep-1", "exp-1")

_markers = st.sampled_from(("wanted", "older", "foreign", ""))
_health = st.builds(
    Health, healthy=st.booleans(), start_ns=st.integers(0, 4), last_error=st.sampled_from(("", "exit code=1", "boom"))
)
_remote = st.tuples(
    st.sampled_from(ConfigStatus), _markers, st.sampled_from(("", "boom", "Config apply timeout exceeded"))
)
_message = st.fixed_dictionaries(
    {
        "uid": st.sampled_from(("01" * 16,) * 6 + ("02" * 16,)),
        "step": st.sampled_from((1, 1, 1, 1, 1, 0, -3, 5)),
        "whole": st.booleans(),
        "health": st.none() | _health,
        "effective": st.none() | _markers,
        "remote": st.none() | _remote,
        "disconnect": st.sampled_from((False,) * 9 + (True,)),
        "capabilities": st.sampled_from((STEERABLE,) * 9 + (0,)),
        "pause": st.sampled_from((0.1, 1.0, 1.0, 15.0, 100.0)),
    }
)
_actions = st.lists(
    st.one_of(
        _message,
        _message,
        _message,
        st.tuples(st.sampled_from(SCOPES), st.sampled_from(HASHES), st.sampled_from((False, False, True))),
        st.just("expire"),
    ),
    max_size=40,
)


class Run:
    """Plays actions and checks after each of them."""

    def __init__(self) -> None:
        self.state = AgentState()
        self.now = 1000.0
        self.sequence = 0
        self.serial = 0
        self.markers: dict[str, tuple[str, int]] = {}

    def play(self, action: Any) -> None:
        before = self.state
        if action == "expire":
            self.state, _ = expire(self.state, self.now, POLICY)
        elif isinstance(action, tuple):
            with suppress(Conflict):
                scope, content, force = action
                self.state = assign(self.state, scope, content, self.now, force=force)
        else:
            self.message(action)
        self.check(before)

    def message(self, said: dict[str, Any]) -> None:
        self.now += said["pause"]
        self.sequence = max(0, self.sequence + said["step"])
        self.serial += 1
        report = self.report(said)
        before = self.state
        outcome = receive(before, report, self.now, POLICY)
        again = receive(outcome.state, report, self.now, POLICY)
        assert again.state == outcome.state
        assert again.reply == outcome.reply
        assert again.events == ()
        self.state = outcome.state
        self.check_answer(report, outcome)
        self.check_confirmation(outcome)

    def report(self, said: dict[str, Any]) -> AgentReport:
        whole = said["whole"]
        remote = said["remote"]
        parts: dict[str, Any] = {
            "health": said["health"] or (Health(healthy=False) if whole else None),
            "effective": Effective(marker=self.marker(said["effective"] or "")) if said["effective"] or whole else None,
            "remote": RemoteStatus(status=ConfigStatus.UNSET) if whole else None,
            "description": Description() if whole else None,
        }
        if remote:
            parts["remote"] = RemoteStatus(status=remote[0], marker=self.marker(remote[1]), error=remote[2])
        return AgentReport(
            instance_uid=said["uid"],
            sequence=self.sequence,
            capabilities=said["capabilities"],
            disconnect=said["disconnect"],
            digest=str(self.serial),
            **parts,
        )

    def marker(self, which: str) -> str:
        wanted = self.state.desired
        if which == "wanted":
            return wanted.marker if wanted else ""
        if which == "older":
            return next(iter(self.markers), "")
        return "0123456789abcdef.1" if which else ""

    def check_answer(self, report: AgentReport, outcome: Outcome) -> None:
        state, offer = outcome.state, outcome.reply.offer
        assert outcome.reply.report_full_state == (state.full_state_asks > 0)
        if offer is None:
            return
        assert state.desired is not None
        assert state.desired.open
        assert offer.marker == state.desired.marker
        assert not lacking(report.capabilities)
        assert not outcome.reply.report_full_state
        assert state.remote is None or state.remote.marker != offer.marker
        assert outcome.reply.heartbeat_seconds == POLICY.busy_heartbeat

    def check_confirmation(self, outcome: Outcome) -> None:
        """Never by status alone: at that moment the marker runs and is well."""
        for event in outcome.events:
            if event.kind == EventKind.CONFIRMED:
                assert outcome.state.healthy
                assert outcome.state.effective is not None
                assert outcome.state.effective.marker == event.marker

    def check(self, before: AgentState) -> None:
        state = self.state
        assert state.revision >= before.revision
        assert len(state.quarantine) <= MAX_QUARANTINE
        assert len(state.previous) <= MAX_PREVIOUS
        assert AgentState.model_validate_json(state.model_dump_json()) == state
        if state.desired:
            key = (state.desired.content_hash, state.desired.revision)
            assert self.markers.setdefault(state.desired.marker, key) == key
            bad = {failure.content_hash for failure in state.quarantine}
            assert state.desired.content_hash == IDLE_HASH or state.desired.content_hash not in bad
        for scope in (*SCOPES, "", "other"):
            status = status_of(state, scope, self.now, POLICY)
            assert status.status == "away" or status.status == status.without_absence


@settings(max_examples=300, deadline=None)
@given(_actions)
def test_fleet_invariants(actions: list[Any]) -> None:
    run = Run()
    for action in actions:
        run.play(action)


@settings(max_examples=100, deadline=None)
@given(_actions, st.sampled_from(HASHES))
def test_a_host_that_behaves_in_the_end_gets_what_is_wanted_in_the_end(actions: list[Any], content: str) -> None:
    """No history leaves a host that cannot be steered any more."""
    run = Run()
    for action in actions:
        run.play(action)
    run.state = assign(run.state, "last", content, run.now, force=True)
    quiet = {"uid": "03" * 16, "step": 1, "disconnect": False, "capabilities": STEERABLE, "pause": 1.0}
    silent = {"whole": False, "health": None, "effective": None, "remote": None}
    run.play({**quiet, **silent, "whole": True})
    run.play({**quiet, **silent, "remote": (ConfigStatus.APPLYING, "wanted", "")})
    run.play({**quiet, **silent, "effective": "wanted", "health": Health(healthy=True, start_ns=99)})
    assert status_of(run.state, "last", run.now, POLICY).status == "active"
