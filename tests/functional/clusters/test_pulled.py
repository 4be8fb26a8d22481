"""Pull mode: the operator calls. The same decisions, and nothing of an exchange is lost when it is repeated."""

from __future__ import annotations

from typing import Any

from chalicelib.domain.access import DEFAULT_TENANT
from chalicelib.domain.kubernetes.exchange import ClusterOrders
from chalicelib.domain.kubernetes.packing import body_of
from tests.fakes.kubernetes_cluster import FakeCluster, node
from tests.functional.clusters.landscape import Landscape
from tests.functional.control_plane.world import deployment


def said(cluster: FakeCluster) -> dict[str, Any]:
    return body_of(cluster.seen())


def round_trip(land: Landscape, cluster: FakeCluster) -> ClusterOrders:
    """One exchange, carried out, and a second of the world."""
    cluster.work()
    orders = land.exchange("edge", said(cluster))
    cluster.carry_out(cluster.seen(), orders)
    land.world.pass_time(1)
    return orders


def test_deployed_confirmed_and_quiet_again(land: Landscape) -> None:
    made = land.world.post("/api/v1/clusters", {"name": "edge", "mode": "pull"}, token="admin")
    land.tokens["edge"] = made["token"]
    cluster = FakeCluster(land.world.clock.now, [node("node-1")])
    assert round_trip(land, cluster).again_seconds == 30
    land.world.post("/api/v1/deployments", deployment("base", ["edge-node-1"], "process-baseline-v1"))
    first = land.exchange("edge", said(cluster))
    assert land.exchange("edge", said(cluster)) == first, "an answer that was lost is given again"
    assert first.again_seconds == 2
    for _ in range(6):
        last = round_trip(land, cluster)
    assert land.statuses() == {"edge-node-1": "active"}
    assert last.again_seconds == 30
    shown = land.world.get("/api/v1/clusters/edge")
    assert (shown["mode"], shown["versions"]["operator"]) == ("pull", "0.1.0")
    removed = land.world.send("DELETE", "/api/v1/clusters/edge?force=true", token="admin").json
    assert "kubectl" in removed["left"]


def test_load_is_wanted_told_and_over(land: Landscape) -> None:
    made = land.world.post("/api/v1/clusters", {"name": "edge", "mode": "pull"}, token="admin")
    land.tokens["edge"] = made["token"]
    cluster = FakeCluster(land.world.clock.now, [node("node-1")])
    round_trip(land, cluster)
    spec = {"profile": "realistic", "count": 60, "durationS": "10m"}
    land.world.post("/api/v1/loadsims", {"name": "web", "host": "edge-node-1", "spec": spec})
    for _ in range(3):
        orders = round_trip(land, cluster)
    assert [one.spec.node_names for one in orders.loads] == [("node-1",)]
    (sim,) = land.world.get("/api/v1/loadsims")["items"]
    assert (sim["status"]["phase"], sim["status"]["running"]) == ("running", 60)
    land.world.control_plane.services.loadsims.stop(DEFAULT_TENANT, "edge-node-1", "web")
    for _ in range(3):
        orders = round_trip(land, cluster)
    (sim,) = land.world.get("/api/v1/loadsims")["items"]
    assert sim["status"]["phase"] == "stopped"
    assert orders.loads == ()


def test_nonsense_is_refused_whole(land: Landscape) -> None:
    made = land.world.post("/api/v1/clusters", {"name": "edge", "mode": "pull"}, token="admin")
    for body in ({"nodes": [{"name": "../x"}]}, {"nodes": "all"}, {"unknown": 1}, {"pipelines": [{"name": "a"}]}):
        answer = land.world.send("POST", "/api/v1/clusters/edge/exchange", body, token=made["token"])
        assert answer.status == 400
    assert land.world.get("/api/v1/clusters/edge")["lastSeen"] is None
