"""A walk through what may happen to an experiment: orders, time, messages that come twice, a process that dies before
or after any write, a second one that steps in the middle of another's step. After every move the invariants hold.

PHOENIX_LONG_TESTS=1 walks a hundred times as far.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from chalicelib.bootstrap import Outside, build
from chalicelib.domain.access import DEFAULT_TENANT
from chalicelib.domain.audit import broken_at
from chalicelib.domain.errors import Conflict
from chalicelib.domain.experiment.transitions import Cause
from chalicelib.ports.items import ANY_VERSION, Item, ItemStore, Write
from chalicelib.ports.queue import Work
from chalicelib.repositories.records import Records
from tests.fakes.dying_store import DyingStore
from tests.functional.control_plane.fake_host import NGINX
from tests.functional.control_plane.world import World, catalog, manifest

WALKS, MOVES = (400, 60) if os.environ.get("PHOENIX_LONG_TESTS") else (6, 30)
WORK = Work(kind="EXPERIMENT", tenant=DEFAULT_TENANT, name="web")
ENDED = frozenset({"completed", "stopped", "rolled_back", "failed"})
ORDERS = ("pause", "resume", "stop", "promote")


class Interrupted:
    """An `ItemStore` in whose n-th write from now on something else happens first, once."""

    def __init__(self, inner: ItemStore, at: int, act: Callable[[], object]) -> None:
        self._inner, self._left, self._act = inner, at, act

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def put(self, item: Item, expected: int = ANY_VERSION) -> None:
        self._count()
        self._inner.put(item, expected)

    def transact(self, writes: Sequence[Write], token: str) -> None:
        self._count()
        self._inner.transact(writes, token)

    def _count(self) -> None:
        self._left -= 1
        if self._left == 0:
            self._act()


class Walk(RuleBasedStateMachine):
    """One host with a deployment, one experiment on it."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self.world = world = World(Path(self._folder.name), memory=True)
        assert world.remains is not None
        self.store = world.remains
        self.records = Records(self.store)
        self.other = build(world.settings, Outside(world.clock, world.entropy, self.store, catalog(), world.validator))

    @initialize(
        promotion=st.sampled_from(["manual", "automatic"]),
        load=st.booleans(),
        harm=st.sampled_from([0, 0, 0, 1, 2, 3]),
        age=st.sampled_from([12, 0, 26, 40]),
    )
    def begin(self, promotion: str, load: bool, harm: int, age: int) -> None:
        host = self.world.host("h1")
        self.world.deployed(host)
        more: dict[str, Any] = {"load": {"count": 5}} if load else {}
        self.world.post("/api/v1/experiments?start=true", manifest(["h1"], promotion=promotion, **more))
        if harm == 1:
            host.behaviour.loses = NGINX
        if harm == 2:
            host.behaviour.refuses = lambda config: (
                "no" if "metrics/candidate" in config["service"]["pipelines"] else ""
            )
        if harm == 3:
            host.behaviour.refuses = lambda config: "no" if "process-topk" in str(config.get("processors")) else ""
        if age:
            self.world.pass_time(age, 2)

    @rule(seconds=st.sampled_from([1, 2, 5, 12]))
    def time_passes(self, seconds: int) -> None:
        self.world.pass_time(seconds, 2 if seconds > 5 else 1)

    @rule(order=st.sampled_from(ORDERS), again=st.booleans())
    def an_operator_orders(self, order: str, again: bool) -> None:
        for _ in range(1 + again):
            self.world.mortal(lambda: self.world.send("POST", f"/api/v1/experiments/web/{order}"))

    @rule(copies=st.integers(1, 3))
    def a_message_comes_again(self, copies: int) -> None:
        self.world.mortal(lambda: self.world.control_plane.step([WORK] * copies))

    @rule()
    def the_other_steps(self) -> None:
        self.other.step([WORK])

    @rule(write=st.integers(1, 9), after=st.booleans())
    def the_process_is_to_die(self, write: int, after: bool) -> None:
        self.world.start(DyingStore(self.store, write, after=after))

    @rule(write=st.sampled_from([1, 1, 1, 2, 3]), order=st.sampled_from(["", *ORDERS]))
    def the_other_is_faster(self, write: int, order: str) -> None:
        """In the middle of what this process does next, the other steps, or carries out an order."""
        self.world.clock.advance(2)  # the next evaluation is due
        self.world.start(Interrupted(self.store, write, lambda: self._rival(order)))  # type: ignore[arg-type]
        self.world.mortal(lambda: self.world.control_plane.step([WORK]))

    def _rival(self, order: str) -> None:
        if not order:
            self.other.step([WORK])
            return
        with contextlib.suppress(Conflict):  # not possible now
            self.other.services.experiments.order(DEFAULT_TENANT, "web", Cause(order), "rival")

    @precondition(lambda self: self.state in ENDED)
    @rule()
    def it_stays_ended(self) -> None:
        before = self.state
        self.the_other_steps()
        assert self.state == before

    @property
    def state(self) -> str:
        return self.records.experiments.get(DEFAULT_TENANT, "web").value.state.value

    @invariant()
    def every_transition_is_in_the_audit_exactly_once(self) -> None:
        found = self.records.experiments.find(DEFAULT_TENANT, "web")
        if found is None:
            return
        chain = self.records.audit.chain(DEFAULT_TENANT, f"experiment:{found.value.uid}")
        assert broken_at(chain) is None
        stands = "pending"
        for record in chain[1:]:
            if record.actor == "controller":
                assert record.detail["from"] == stands, [one.action for one in chain]
                assert record.detail["to"] != stands
                stands = record.detail["to"]
            else:
                stands = record.detail["state"]
        assert stands == found.value.state.value
        told = [event.state.value for event in found.value.events]
        assert len(told) == len(chain), (told, [one.action for one in chain])

    @invariant()
    def it_is_promoted_at_most_once(self) -> None:
        found = self.records.experiments.find(DEFAULT_TENANT, "web")
        base = self.records.deployments.find(DEFAULT_TENANT, "base")
        if found is None or base is None:
            return
        made = [version.number for version in base.value.versions if version.experiment_uid == found.value.uid]
        assert len(made) <= 1
        chain = self.records.audit.chain(DEFAULT_TENANT, "deployment:base")
        assert broken_at(chain) is None
        assert [record.action for record in chain].count("promote") <= 1
        if found.value.state.value in ENDED:
            assert (base.value.current in made) == (found.value.state.value == "completed")

    @invariant()
    def the_host_is_held_exactly_while_it_is_needed(self) -> None:
        found = self.records.experiments.find(DEFAULT_TENANT, "web")
        if found is not None:
            holder = self.other.services.hosts.experiment_of(DEFAULT_TENANT, "h1")
            assert holder == ("web" if found.value.active else "")

    @invariant()
    def the_host_takes_each_configuration_once(self) -> None:
        host = self.world.hosts.get("h1")
        markers = [one["service"]["telemetry"]["resource"]["phoenix.config"] for one in host.offers] if host else []
        assert len(markers) == len(set(markers))

    def teardown(self) -> None:
        try:
            self._calm()
        finally:
            self.world.close()
            self._folder.cleanup()

    def _calm(self) -> None:
        """Whatever happened: it can be ended, what ran before or the winner runs, and nothing is left to do."""
        if not self.world.hosts:
            return
        self.world.start(self.store)
        if self.state in ("awaiting_promotion", "paused", "running"):
            self.world.send("POST", "/api/v1/experiments/web/stop")
        self.world.until("an end", lambda: self.state in ENDED, 300, 2)
        self.world.until("nothing is active", lambda: self.world.control_plane.tick() == 0, 120, 2)
        assert self.records.experiment_claims.find(DEFAULT_TENANT, "h1") is None
        self.it_is_promoted_at_most_once()
        self.every_transition_is_in_the_audit_exactly_once()
        shown = self.world.get("/api/v1/deployments/base")
        if self.state != "failed":
            assert shown["status"]["h1"]["status"] == "active"


def _no(refused: bool) -> str:
    return "no" if refused else ""


TestWalk = Walk.TestCase
TestWalk.settings = settings(
    max_examples=WALKS, stateful_step_count=MOVES, deadline=None, suppress_health_check=list(HealthCheck)
)


@pytest.mark.parametrize("order", ["", *ORDERS])
def test_of_two_that_act_at_once_neither_undoes_the_other(order: str) -> None:
    """While it runs, and while the winner waits: an order, or another step, just before this step writes."""
    for age in (10, 40):
        walk = Walk()
        try:
            walk.begin("manual", load=False, harm=0, age=age)
            walk.the_other_is_faster(1, order)
            for holds in (
                walk.every_transition_is_in_the_audit_exactly_once,
                walk.it_is_promoted_at_most_once,
                walk.the_host_is_held_exactly_while_it_is_needed,
                walk.the_host_takes_each_configuration_once,
            ):
                holds()
        finally:
            walk.teardown()
