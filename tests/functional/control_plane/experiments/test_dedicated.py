"""Dedicated mode through HTTP: two agents of a host, proven together, evaluated in pairs, one of them left at last."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from opentelemetry._opamp.proto import opamp_pb2

from tests.functional.control_plane.fake_host import FakeHost
from tests.functional.control_plane.world import World, manifest

SECOND = "h1+second"


class TwoAgents:
    """A host as its runtime is: while the own collector's configuration asks for it, a second agent lives beside it."""

    def __init__(self, world: World) -> None:
        self.own = world.host("h1")
        self._send = world.send
        self.second: FakeHost | None = None
        self.refuses: Callable[[Mapping[str, Any]], str] = lambda config: ""
        self.born = 0
        world.hosts["h1"] = self  # type: ignore[assignment]

    def able(self) -> None:
        """Its agent says that it can run two."""
        answer = self._send("PUT", "/api/v1/hosts/h1/status", {"collectors": 2}, token=self.own.token)
        assert answer.status == 204

    def live(self, now: float) -> bool:
        self.own.live(now)
        asked = (self.own.config or {}).get("service", {}).get("telemetry", {}).get("resource", {})
        if asked.get("phoenix.collectors") == "2" and self.second is None:
            self._start()
        elif asked.get("phoenix.collectors") != "2" and self.second is not None:
            last = opamp_pb2.AgentToServer.FromString(self.second.message())
            last.agent_disconnect.SetInParent()
            self.second.deliver(last.SerializeToString(), now)
            self.second = None
        if self.second is not None:
            # It scrapes at other moments than the own one.
            self.second.live(now + 0.4)
        return True

    def _start(self) -> None:
        self.born += 1
        self.second = FakeHost("h1", self.own.token, self._send)
        self.second.opamp, self.second.uid = (
            "/v1/opamp/second",
            hashlib.sha256(f"second {self.born}".encode()).digest()[:16],
        )
        self.second.behaviour.load_agent_dead = True
        self.second.behaviour.cpu_share, self.second.behaviour.rss = 0.04, 120 * 1024**2
        self.second.behaviour.refuses = self.refuses


@pytest.fixture
def pair(world: World) -> TwoAgents:
    two = TwoAgents(world)
    two.able()
    return two


def dedicated(**spec: Any) -> dict[str, Any]:
    return manifest(["h1"], mode="dedicated", **spec)


def test_both_agents_are_proven_then_the_winner_runs_alone(world: World, pair: TwoAgents) -> None:
    world.post("/api/v1/experiments?start=true", dedicated(promotion="automatic"))
    running = world.until_state("running", within=60)
    assert {proof["host"]: proof["contentHash"] for proof in running["proofs"]} == running["configs"]
    assert set(running["configs"]) == {"h1", SECOND}
    shown = world.get("/api/v1/hosts/h1")["second"]
    assert (shown["activeScope"], shown["connected"], shown["collectorHealthy"]) == (running["uid"], True, True)
    done = world.until_state("completed", within=120)
    assert done["outcome"]["verdict"] == "promote"
    assert [proof["host"] for proof in done["proofs"]] == ["h1"]
    assert pair.second is None
    gone = world.get("/api/v1/hosts/h1")["second"]
    assert (gone["desiredMarker"], gone["activeMarker"], gone["connected"]) == ("", "", False)
    found = world.get("/api/v1/experiments/web/evaluation")
    assert found["evidence"]["mode"] == "dedicated"
    assert [(one["arm"], round(one["cpuShare"], 2)) for one in found["overhead"]["hosts"]] == [
        ("baseline", 0.02),
        ("candidate", 0.04),
    ]
    (host,) = found["evidence"]["hosts"]
    assert (host["raw"], host["candidateRaw"]) == (7000 * host["scrapes"], 7010 * host["scrapes"])
    assert found["critical"]["patterns"][0]["candidateRetention"] == 1


def test_a_second_collector_that_refuses_ends_the_experiment_and_is_remembered(world: World, pair: TwoAgents) -> None:
    world.deployed(pair.own)
    before = pair.own.marker.partition(".")[0]
    pair.refuses = lambda config: "Error: no" if "metrics/candidate.kpi" in config["service"]["pipelines"] else ""
    world.post("/api/v1/experiments?start=true", dedicated())
    ended = world.until_state("rolled_back", within=200)
    assert "h1 (second collector): Error: no" in ended["message"]
    assert pair.second is None
    assert pair.own.marker.partition(".")[0] == before
    assert len(world.get("/api/v1/hosts/h1")["second"]["quarantine"]) == 1
    assert world.get("/api/v1/hosts/h1")["quarantine"] == []
    again = world.send("POST", "/api/v1/experiments?start=true", {**dedicated(), "metadata": {"name": "again"}})
    assert again.status == 409
    assert "failed on host 'h1 (second collector)'" in again.json["detail"]
    command, failed = again.json["hint"].rpartition(": ")[2].rsplit(" ", 1)
    assert command == "phoenix host quarantine release h1"
    world.post("/api/v1/hosts/h1/quarantine/release", {"contentHash": failed})
    assert world.get("/api/v1/hosts/h1")["second"]["quarantine"] == []


def test_a_stop_leaves_one_collector_and_the_next_experiment_begins_anew(world: World, pair: TwoAgents) -> None:
    for name in ("one", "two"):
        world.post("/api/v1/experiments?start=true", {**dedicated(), "metadata": {"name": name}})
        world.until_state("running", name=name, within=60)
        assert pair.second is not None
        world.post(f"/api/v1/experiments/{name}/stop")
        world.until_state("stopped", name=name, within=60)
        assert pair.second is None
    assert pair.born == 2


def test_what_cannot_work_is_refused_at_creation(world: World) -> None:
    world.host("h1")
    answer = world.send("POST", "/api/v1/experiments", dedicated())
    assert answer.status == 400
    (problem,) = answer.json["errors"]
    assert problem["pointer"] == "/spec/mode"
    assert "'h1'" in problem["rule"]
    assert "mode: shared" in problem["fix"]
    assert world.claimed("h1") == ""
