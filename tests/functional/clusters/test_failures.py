"""What goes wrong on a cluster: a configuration its collectors refuse, a cluster that is away, an operator that is."""

from __future__ import annotations

from itertools import pairwise

from tests.fakes.kubernetes_cluster import node
from tests.functional.clusters.landscape import Landscape
from tests.functional.control_plane.world import deployment

WORDS = 'Error: invalid configuration: processors::filter/rank: unexpected token "="'


def test_a_failed_deployment_says_the_collectors_own_words_and_what_ran_before_goes_on(land: Landscape) -> None:
    cluster = land.register(nodes=[node("node-1"), node("node-2")])
    land.pass_time(2)
    hosts = ["prod-node-1", "prod-node-2"]
    land.deploy(hosts)
    before = dict(cluster.started)
    ((_, good),) = cluster.pipelines.items()
    cluster.refuses = lambda config: "" if config == good.spec.config else WORDS
    land.world.post("/api/v1/deployments", deployment("base", hosts, "process-topk-v1"))
    land.until("settled", lambda: bool(land.world.get("/api/v1/deployments/base")["settled"]))
    found = land.world.get("/api/v1/deployments/base")["status"]
    land.until("rolled back", lambda: set(land.statuses().values()) == {"rolled_back"})
    assert {one["error"] for one in found.values()} == {WORDS}
    assert cluster.started == before, "the collector that ran was never restarted"
    assert land.host("prod-node-1")["quarantine"][0]["error"] == WORDS
    assert land.host("prod-node-1")["activeScope"] == "deployment.base.1"
    again = land.world.send("POST", "/api/v1/deployments", deployment("base", [], "process-topk-v1"))
    assert again.status == 409
    assert WORDS in again.json["detail"]


def test_what_failed_can_be_forced_once_its_cause_is_gone(land: Landscape) -> None:
    cluster = land.register()
    land.pass_time(2)
    cluster.refuses = lambda config: "no space left"
    land.deploy(["prod-node-1"])
    assert set(land.statuses().values()) <= {"failed", "rolled_back"}
    cluster.refuses = lambda config: ""
    land.world.post("/api/v1/deployments", {**deployment("base", [], "process-baseline-v1"), "force": True})
    land.until("active", lambda: land.statuses() == {"prod-node-1": "active"})


def test_a_cluster_that_is_away_says_since_when_and_loses_nothing(land: Landscape) -> None:
    cluster = land.register()
    land.pass_time(2)
    land.deploy(["prod-node-1"])
    left = land.world.clock.now()
    cluster.away = "the cluster at https://10.0.0.1:6443 cannot be reached: timed out"
    land.pass_time(60, 2)
    shown = land.world.get("/api/v1/clusters/prod")
    assert 0 <= shown["unreachableSince"] - left <= 31
    assert "timed out" in shown["unreachableWhy"]
    land.world.post("/api/v1/deployments", deployment("base", [], "process-topk-v1", k=5))
    land.pass_time(120, 10)
    status = land.world.get("/api/v1/deployments/base")["status"]["prod-node-1"]
    assert status["status"] == "away"
    assert "unreachable since" in status["error"]
    assert not land.host("prod-node-1")["connected"]
    tries = cluster.looks
    land.pass_time(600, 10)
    assert cluster.looks == tries
    cluster.away = ""
    waited = land.until("active", lambda: land.statuses() == {"prod-node-1": "active"}, step=2)
    assert waited <= 310, "never more than five minutes until the next try"
    assert land.world.get("/api/v1/clusters/prod")["unreachableSince"] is None
    assert land.host("prod-node-1")["quarantine"] == []


def test_tries_come_later_and_later(land: Landscape) -> None:
    cluster = land.register()
    land.pass_time(2)
    cluster.away = "gone"
    tried: list[float] = []
    for _ in range(150):
        land.pass_time(10, 10)
        next_look = land.world.get("/api/v1/clusters/prod")["nextLook"]
        if not tried or next_look != tried[-1]:
            tried.append(next_look)
    gaps = [later - before for before, later in pairwise(tried)]
    assert len(tried) < 16
    assert 200 <= max(gaps) <= 312


def test_an_operator_that_does_not_work_is_named_as_the_reason(land: Landscape) -> None:
    cluster = land.register()
    land.pass_time(2)
    cluster.operator = False
    land.world.post("/api/v1/deployments", deployment("base", ["prod-node-1"], "process-baseline-v1"))
    land.until("given up", lambda: land.host("prod-node-1")["quarantine"] != [], step=5)
    assert "the operator in the cluster has not taken it up" in land.host("prod-node-1")["quarantine"][0]["error"]


def test_what_was_deleted_or_edited_by_hand_is_put_back(land: Landscape) -> None:
    cluster = land.register()
    land.pass_time(2)
    land.deploy(["prod-node-1"])
    ((name, kept),) = cluster.pipelines.items()
    cluster.pipelines.clear()
    land.until("back", lambda: name in cluster.pipelines, 40)
    land.until("active", lambda: land.statuses() == {"prod-node-1": "active"})
    edited = kept.spec.model_copy(update={"node_names": ("other",)})
    cluster.pipelines[name] = cluster.pipelines[name].model_copy(update={"spec": edited})
    land.until("put right", lambda: cluster.pipelines[name].spec == kept.spec, 40)


def test_a_node_that_is_gone_is_away_then_no_host_and_one_that_is_held_stays(land: Landscape) -> None:
    cluster = land.register(nodes=[node("node-1"), node("node-2")])
    land.pass_time(2)
    land.deploy(["prod-node-1"])
    cluster.nodes.clear()
    land.until("away", lambda: not land.host("prod-node-1")["connected"], step=10)
    land.pass_time(700, 10)
    names = [one["name"] for one in land.world.get("/api/v1/hosts")["items"]]
    assert names == ["prod-node-1"], "the deployment holds it; nothing holds the other"
    cluster.nodes.append(node("node-1"))
    land.until("back", lambda: land.statuses() == {"prod-node-1": "active"})


def test_a_node_that_is_not_ready_is_a_host_that_is_away(land: Landscape) -> None:
    cluster = land.register()
    land.pass_time(2)
    assert land.host("prod-node-1")["connected"]
    cluster.nodes[:] = [node("node-1", ready=False)]
    land.pass_time(130, 5)
    assert not land.host("prod-node-1")["connected"]
    assert [one["ready"] for one in land.world.get("/api/v1/clusters/prod")["nodes"]] == [False]
