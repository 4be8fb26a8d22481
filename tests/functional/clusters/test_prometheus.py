"""An experiment on nodes that reads its arms from a Prometheus, where a node is called by its own name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chalicelib.repositories.measurements import Measurements
from tests.fakes.kpis import FakeKpis
from tests.fakes.kubernetes_cluster import FakeApis, node
from tests.functional.clusters.landscape import Landscape
from tests.functional.control_plane.world import World, manifest

BACKEND = {"remoteWrite": "http://prometheus.example/api/v1/write"}


@pytest.fixture
def there() -> FakeKpis:
    return FakeKpis()


@pytest.fixture
def land(tmp_path: Path, there: FakeKpis) -> Iterator[Landscape]:
    apis = FakeApis()
    world = World(tmp_path, memory=True, clusters=apis, kpi_sources=there)
    assert world.remains is not None
    there.measurements = Measurements(world.remains)
    yield Landscape(world, apis)
    world.close()


def asked(*hosts: str) -> dict[str, Any]:
    arms = {
        "baseline": {"pipeline": "process-baseline-v1", "backend": BACKEND},
        "candidate": {"pipeline": "process-topk-v1", "parameters": {"k": 20}, "backend": BACKEND},
    }
    return manifest(list(hosts), source={"prometheus": {"url": "http://prometheus.example", "delay": "3s"}}, **arms)


def test_a_node_is_asked_for_by_its_own_name_and_judged_as_its_host(land: Landscape, there: FakeKpis) -> None:
    land.register(nodes=[node("n1.example")])
    land.pass_time(2)
    (host,) = (one["name"] for one in land.world.get("/api/v1/hosts")["items"])
    land.counting = True
    land.world.post("/api/v1/experiments?start=true", asked(host))
    land.until("decided", lambda: land.world.get("/api/v1/experiments/web")["state"] == "awaiting_promotion")
    assert {one.named[host] for one in there.asked if one.spans} == {"n1.example"}
    evaluation = land.world.get("/api/v1/experiments/web/evaluation")
    assert evaluation["evidence"]["source"] == "Prometheus at http://prometheus.example"


def test_nodes_of_the_same_name_are_refused_because_prometheus_cannot_tell_them_apart(land: Landscape) -> None:
    for cluster in ("prod", "edge"):
        land.register(cluster)
    land.pass_time(2)
    answer = land.world.send("POST", "/api/v1/experiments", asked("prod-node-1", "edge-node-1"))
    assert answer.status == 400
    assert "'edge-node-1' and 'prod-node-1' are both called 'node-1'" in answer.json["detail"]
    assert "for each cluster" in answer.json["hint"]
    assert land.world.send("POST", "/api/v1/experiments", asked("prod-node-1")).status == 201
