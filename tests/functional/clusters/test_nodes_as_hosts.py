"""Nodes of a cluster as hosts: enrolled, deployed on, put under an experiment, failed, rolled back; nothing of it knows
what Kubernetes is."""

from __future__ import annotations

from tests.fakes.kubernetes_cluster import node
from tests.functional.clusters.landscape import Landscape
from tests.functional.control_plane.world import manifest


def test_each_node_is_a_host_with_its_labels(land: Landscape) -> None:
    land.register(nodes=[node("node-1", zone="a"), node("ip-10-0-0-1.eu.internal")], labels={"team": "web"})
    land.pass_time(2)
    host = land.host("prod-node-1")
    assert list(host["labels"].items())[:2] == [("phoenix.io/cluster", "prod"), ("team", "web")]
    assert host["labels"]["zone"] == "a"
    assert (host["connected"], host["cluster"], host["node"]) == (True, "prod", "node-1")
    names = [one["name"] for one in land.world.get("/api/v1/hosts")["items"]]
    assert len(names) == 2
    shown = land.world.get("/api/v1/clusters/prod")
    assert {one["node"]: one["host"] for one in shown["nodes"]} == {
        "node-1": "prod-node-1",
        "ip-10-0-0-1.eu.internal": next(name for name in names if name != "prod-node-1"),
    }
    assert shown["versions"]["kubernetes"] == "v1.34.2"


def test_a_deployment_is_one_resource_for_its_nodes_and_confirmed_by_what_the_operator_says(land: Landscape) -> None:
    cluster = land.register(nodes=[node("node-1"), node("node-2"), node("node-3")])
    land.pass_time(2)
    land.deploy(["prod-node-1", "prod-node-2"])
    assert land.statuses() == {"prod-node-1": "active", "prod-node-2": "active"}
    (resource,) = cluster.pipelines.values()
    assert resource.spec.node_names == ("node-1", "node-2")
    assert resource.spec.kpi is not None
    text = str(resource.spec.config)
    assert "prod-node-1" not in text
    assert "${env:PHOENIX_HOST}" in text
    active = land.world.get("/api/v1/deployments/base/active-config")["items"]
    assert {one["host"]: one["config"] for one in active} == dict.fromkeys(land.statuses(), resource.spec.config)
    before = cluster.looks
    land.pass_time(60)
    assert cluster.looks - before <= 3, "at rest it is looked at twice a minute"


def test_an_experiment_on_some_nodes_makes_before_it_breaks_and_is_promoted(land: Landscape) -> None:
    cluster = land.register(nodes=[node("node-1"), node("node-2")])
    land.pass_time(2)
    land.deploy(["prod-node-1", "prod-node-2"])
    ((old, _),) = cluster.pipelines.items()
    land.counting = True
    land.world.post("/api/v1/experiments?start=true", manifest(["prod-node-1"], promotion="automatic"))
    land.until("running", lambda: land.world.experiment()["state"] == "running")
    assert len(cluster.pipelines) == 2
    assert cluster.pipelines[old].spec.node_names == ("node-2",)
    both = [step for step in cluster.history if len(step) == 2 and "node-1" in step[old]]
    assert both, "node-1 stayed in its old resource until the new one was ready"
    land.until("decided", lambda: land.world.experiment()["state"] in ("completed", "rolled_back", "failed"))
    found = land.world.experiment()
    assert (found["state"], found["outcome"]["verdict"]) == ("completed", "promote"), land.world.story()
