"""The control plane dies at any write, before or after it took effect, and a fresh one goes on from what is stored.

Each story is lived once undisturbed, to count its writes and to know its end; then once for every write that matters,
with a death there. The end must be the same: one promotion, no host held, every transition once, a whole audit chain.
Heartbeats and measurements are left out of the count, because a host sends those again (two tests of their own).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from chalicelib.adapters.items.sqlite import SqliteItemStore
from chalicelib.bootstrap import Outside, build
from chalicelib.ports.items import ItemStore, Put, Table, Write
from tests.fakes.dying_store import DyingStore
from tests.functional.control_plane.fake_host import NGINX
from tests.functional.control_plane.world import World, catalog, deployment, manifest

Story = Callable[[World], None]
MOST_DEATHS = 200


class Matters:
    """Every write but measurements, evaluations and mere heartbeats: they come again by themselves."""

    def __init__(self) -> None:
        self._wanted: dict[str, Any] = {}

    def __call__(self, write: Write) -> bool:
        if not isinstance(write, Put):
            return True
        item = write.item
        if item.pk.endswith("#AGENT"):
            wanted = item.body["state"]["desired"]
            changed = self._wanted.get(item.sk) != wanted
            self._wanted[item.sk] = wanted
            return changed
        return item.table is not Table.MEASUREMENTS and not item.pk.endswith("#EVALUATION")


def a_promotion(world: World) -> None:
    """On a host with a deployment, with load, automatic."""
    world.insist("POST", "/api/v1/experiments?start=true", manifest(["h1"], load={"count": 5}, promotion="automatic"))
    world.until_state("completed", "rolled_back")


def a_decided_promotion(world: World) -> None:
    world.insist("POST", "/api/v1/experiments", manifest(["h1"]))
    if world.experiment()["state"] == "draft":
        world.insist("POST", "/api/v1/experiments/web/start")
    world.until_state("awaiting_promotion")
    world.insist("POST", "/api/v1/experiments/web/promote")
    world.until_state("completed", "rolled_back")


def a_harm(world: World) -> None:
    world.hosts["h1"].behaviour.loses = NGINX
    world.insist("POST", "/api/v1/experiments?start=true", manifest(["h1"], promotion="automatic"))
    world.until_state("rolled_back", "completed")


def a_refusal(world: World) -> None:
    host = world.hosts["h1"]
    host.behaviour.refuses = lambda config: "no" if "metrics/candidate" in config["service"]["pipelines"] else ""
    world.insist("POST", "/api/v1/experiments?start=true", manifest(["h1"]))
    world.until_state("rolled_back", "completed")


def a_refused_winner(world: World) -> None:
    host = world.hosts["h1"]
    host.behaviour.refuses = lambda config: (
        "no" if "metrics/deployed" in config["service"]["pipelines"] and "nginx" in str(config) else ""
    )
    world.insist("POST", "/api/v1/experiments?start=true", manifest(["h1"], promotion="automatic"))
    world.until_state("rolled_back", "completed")


def a_stop(world: World) -> None:
    world.insist("POST", "/api/v1/experiments?start=true", manifest(["h1"], load={"count": 5}))
    world.until_state("running")
    world.insist("POST", "/api/v1/experiments/web/stop")
    world.until_state("stopped")


STORIES = (a_promotion, a_decided_promotion, a_harm, a_refusal, a_refused_winner, a_stop)


def end_of(world: World) -> dict[str, Any]:
    """What must be the same however often the control plane died."""
    world.pass_time(3)
    found = world.experiment()
    shown = world.get("/api/v1/deployments/base")
    active = world.get("/api/v1/deployments/base/active-config")
    chain = [record.action for record in world.chain(f"experiment:{found['uid']}")]
    world.chain("deployment:base")
    world.chain("host:h1")
    return {
        "state": found["state"],
        "verdict": (found["outcome"] or {}).get("verdict"),
        "audit": chain,
        "events": [event["state"] for event in found["events"]],
        "versions": [version["note"] for version in shown["versions"]],
        "current": shown["current"],
        "status": shown["status"]["h1"]["status"],
        "held": world.claimed("h1"),
        "deployment": world.get("/api/v1/hosts/h1")["deployment"],
        "proven": [proof["marker"] for proof in found["proofs"]] == [world.hosts["h1"].marker],
        "read back": [one["marker"] == one["expected"] for one in active["items"]],
        "loads": [(sim["desired"], sim["status"]["phase"]) for sim in world.get("/api/v1/loadsims")["items"]],
        "active": world.control_plane.tick(),
    }


@pytest.fixture
def worlds(tmp_path: Path) -> Iterator[Callable[[], World]]:
    """Makes worlds on a store in memory, each with a host that runs a deployment."""
    made: list[World] = []

    def make() -> World:
        world = World(tmp_path, memory=True)
        world.deployed(world.host("h1"))
        made.append(world)
        return world

    yield make
    for world in made:
        world.close()


@pytest.mark.parametrize("story", STORIES)
def test_every_story_ends_the_same_whenever_the_control_plane_dies(worlds: Callable[[], World], story: Story) -> None:
    world = worlds()
    calm = _mortal(world, 0)
    story(world)
    expected = end_of(world)
    assert expected["active"] == 0
    assert expected["held"] == ""
    assert expected["proven"]
    assert 5 < calm.writes < MOST_DEATHS
    deaths = [(at, after) for at in range(1, calm.writes + 1) for after in (False, True)]
    # The longest story dies before and after each write, the others before one and after the next.
    for at, after in deaths if story is a_promotion else [one for one in deaths if one[0] % 2 == one[1]]:
        world = worlds()
        _mortal(world, at, after=after)
        story(world)
        found = end_of(world)
        assert world.deaths == 1, (at, after)
        assert found == expected, (at, after, world.story())
        world.close()


def _mortal(world: World, at: int, *, after: bool = False) -> DyingStore:
    assert world.remains is not None
    store = DyingStore(world.remains, at, after=after, matters=Matters())
    world.start(store)
    return store


@pytest.mark.parametrize("after", [False, True])
def test_it_dies_again_and_again(worlds: Callable[[], World], after: bool) -> None:
    """Each process lives for nine writes of any kind."""
    world = worlds()
    _die_every(world, 9, after)
    a_promotion(world)
    world.until("idle", lambda: world.control_plane.tick() == 0, 60)
    found = world.experiment()
    assert world.deaths > 10
    assert found["outcome"] is None or found["outcome"]["verdict"] == "promote"
    assert world.claimed("h1") == ""
    shown = world.get("/api/v1/deployments/base")
    promoted = [version for version in shown["versions"] if version["experimentUid"] == found["uid"]]
    assert len(promoted) == (1 if found["state"] == "completed" else 0)
    actions = [record.action for record in world.chain(f"experiment:{found['uid']}")]
    assert len(actions) == len(set(actions))
    world.chain("host:h1")


def _die_every(world: World, writes: int, after: bool) -> None:
    inner = world.remains
    assert inner is not None

    def next_life() -> ItemStore:
        return DyingStore(inner, writes, after=after)

    world.reborn = next_life
    world.start(next_life())


@pytest.mark.parametrize("at", [3, 9, 14, 19, 26])
def test_a_file_is_gone_on_from_as_well(tmp_path: Path, at: int) -> None:
    """The same on SQLite: what was acknowledged is on the disk."""
    world = World(tmp_path)
    world.deployed(world.host("h1"))
    store = SqliteItemStore(tmp_path / "phoenix.sqlite", world.clock.now)
    world.start(DyingStore(store, at, matters=Matters()))
    a_promotion(world)
    found = end_of(world)
    world.close()
    assert world.deaths == 1
    assert (found["state"], found["held"], found["current"], found["proven"]) == ("completed", "", 2, True)


def test_a_deployment_that_was_only_recorded_is_rolled_out_by_the_next_process(worlds: Callable[[], World]) -> None:
    for at in range(1, 8):
        world = worlds()
        assert world.remains is not None
        world.host("h2")
        store = DyingStore(world.remains, at, matters=Matters())
        world.start(store)
        body = deployment("late", ["h2"], "process-baseline-v1")
        world.mortal(lambda world=world, body=body: world.send("POST", "/api/v1/deployments", body))  # type: ignore[misc]
        if world.send("GET", "/api/v1/deployments/late").status == 404:
            world.post("/api/v1/deployments", body)
        world.until("rolled out", lambda world=world: world.get("/api/v1/deployments/late")["settled"], 90)  # type: ignore[misc]
        shown = world.get("/api/v1/deployments/late")
        assert (shown["current"], shown["status"]["h2"]["status"]) == (1, "active")
        world.chain("deployment:late")


def test_two_clocks_side_by_side_step_everything_once(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.deployed(world.host("h1"))
    other = build(world.settings, Outside(world.clock, world.entropy, None, catalog(), world.validator))
    world.post("/api/v1/experiments?start=true", manifest(["h1"], load={"count": 5}, promotion="automatic"))
    start = threading.Barrier(2)

    def tick() -> None:
        start.wait(10)
        other.tick()

    while world.experiment()["state"] not in ("completed", "rolled_back"):
        rival = threading.Thread(target=tick)
        rival.start()
        start.wait(10)
        world.pass_time()
        rival.join(30)
        assert not rival.is_alive()
    found = end_of(world)
    world.close()
    assert found["state"] == "completed"
    assert len(found["audit"]) == len(set(found["audit"]))
    assert found["versions"] == ["", "promoted by experiment web"]
    assert (found["held"], found["proven"]) == ("", True)
