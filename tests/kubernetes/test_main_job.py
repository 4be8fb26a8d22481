"""The main job on a cluster, as its user does it: register, deploy, A/B on a node under simulated load, to a verdict;
the winner rolled out and read back from the node; what fails is told in the collector's own words; roll back."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from chalicelib.domain.kubernetes.exchange import host_of_node
from tests.acceptance.manifests import manifest, written
from tests.acceptance.waiting import until
from tests.kubernetes.cluster import NODE, Cluster
from tests.kubernetes.control_plane import ControlPlane
from tests.kubernetes.objects import load, status
from tests.kubernetes.operator_process import OperatorProcess

NAME = "lab"
HOST = host_of_node(NAME, NODE)
ROOM = "phoenix"
DEPLOYED = "node"
SECONDS = 180.0
LOAD = {"profile": "high-cardinality", "count": 60, "busy": 6, "critical": 4, "durationS": "15m"}


@pytest.fixture(scope="module")
def registered(
    cluster: Cluster, control_plane: ControlPlane, operator: OperatorProcess, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ControlPlane]:
    """The cluster is registered (push), and its node is a host."""
    control_plane.phoenix.folder = tmp_path_factory.mktemp("registered")
    cluster.kubectl("create", "namespace", ROOM)
    words = ("--kubeconfig", str(cluster.kubeconfig), "--endpoint", control_plane.reached, "--namespace", ROOM)
    said = control_plane.phoenix("cluster", "register", NAME, *words)
    cluster.kubectl("apply", "-f", "-", given=said.out)
    until("the node is a host", lambda: control_plane.get(f"/api/v1/hosts/{HOST}"), SECONDS)
    yield control_plane
    control_plane.phoenix("cluster", "remove", NAME, "--force", code=None)
    cluster.delete("namespace", ROOM)


@pytest.fixture(scope="module")
def under_load(cluster: Cluster, operator: OperatorProcess) -> Iterator[None]:
    """Sixty processes on the node, of which four are critical."""
    cluster.apply(load("pressure", ROOM, of=LOAD, nodeNames=[NODE]), namespace=ROOM)
    running = lambda: status(cluster.get("loadsimulationjob", "pressure", ROOM)).get("running", 0)  # noqa: E731
    until("its processes run", lambda: running() >= 60, SECONDS)
    yield
    cluster.delete("loadsimulationjob", "pressure", ROOM)


def active(plane: ControlPlane) -> tuple[str, str]:
    """The configuration that the node's collector gave back, and the pipeline that is deployed there. They agree."""
    deployment = plane.phoenix.data("pipeline", "status", DEPLOYED)
    there = deployment["status"][HOST]
    host = plane.get(f"/api/v1/hosts/{HOST}")
    assert host["activeMarker"] == there["marker"] != ""
    return content(host["activeMarker"]), deployment["pipeline"]


def content(marker: str) -> str:
    """The part of a marker that stands for the configuration's content, without its revision."""
    return marker.rpartition(".")[0]


def on_node(cluster: Cluster) -> list[dict[str, Any]]:
    """Each resource that the control plane made, and what it says of the node."""
    return [one for one in cluster.list("phoenixprocesspipelines", namespace=ROOM) if status(one).get("nodes")]


def collectors(cluster: Cluster) -> list[tuple[str, str]]:
    """Pod of the node's collector, and the configuration it gave back."""
    nodes = [node for one in on_node(cluster) for node in status(one)["nodes"]]
    return [(node["pod"], node["configHash"]) for node in nodes]


def since(plane: ControlPlane) -> Any:
    """Since when the cluster is unreachable, or nothing."""
    return plane.get(f"/api/v1/clusters/{NAME}").get("unreachableSince")


def test_an_ab_on_the_node_ends_in_a_verdict_and_the_winner_is_read_back_and_rolled_back(
    registered: ControlPlane,
    under_load: None,
    cluster: Cluster,
    tmp_path: Path,
    figure: Callable[[str], None],
) -> None:
    plane = registered
    deploy = ("pipeline", "deploy", "process-baseline-v1", "--interval", "5s", "--name", DEPLOYED, "--host", HOST)
    began = time.monotonic()
    plane.phoenix(*deploy, seconds=300)
    deployed = time.monotonic() - began
    _, first = active(plane)
    assert "process-baseline-v1" in first

    name = "topk-on-a-node"
    document = manifest(name, HOST, {"pipeline": "process-topk-v1", "parameters": {"k": 10}})
    plane.phoenix("experiment", "create", "-f", written(tmp_path, document), "--start", seconds=200)
    began = time.monotonic()
    plane.phoenix("experiment", "status", name, "--wait", "400", code=0, seconds=430)
    result = plane.phoenix.data("experiment", "compare", name)
    took = time.monotonic() - began
    assert result["verdict"] == "promote", result["explanation"]
    assert result["reduction"]["value"] > 0.3
    (pattern,) = result["critical"]["patterns"]
    assert pattern["candidateRetention"] == 1.0

    plane.phoenix("experiment", "promote", name, seconds=300)
    plane.phoenix("experiment", "status", name, "--wait", "300", code=None, seconds=330)
    assert plane.phoenix.data("experiment", "show", name)["state"] == "completed"
    won, pipeline = active(plane)
    assert "process-topk-v1" in pipeline
    (resource,) = on_node(cluster)
    (node,) = status(resource)["nodes"]
    assert (node["node"], node["state"]) == (NODE, "Ready")
    assert node["configHash"] == status(resource)["configHash"]
    figure(
        f"deployed and confirmed in {deployed:.0f} s, verdict after {took:.0f} s: "
        f"series -{result['reduction']['value']:.0%}, 4 of 4 critical kept; promoted and read back"
    )
    plane.phoenix("pipeline", "rollback", DEPLOYED, seconds=300)
    back, pipeline = active(plane)
    assert (back != won, pipeline) == (True, first)


def test_a_deployment_that_fails_on_the_node_is_told_in_the_collectors_words_and_undone(
    registered: ControlPlane, cluster: Cluster, folder: Path
) -> None:
    plane = registered
    words = ("pipeline", "deploy", "process-baseline-v1", "--interval", "5s", "--name", DEPLOYED, "--host", HOST)
    plane.phoenix(*words, seconds=300)
    before, _ = active(plane)
    running = collectors(cluster)
    (folder / "broken.yaml").write_text(
        "receivers:\n"
        "  hostmetrics: {collection_interval: 5s, scrapers: {process: {mute_process_all_errors: true}}}\n"
        "exporters: {otlphttp: {endpoint: 'https://127.0.0.1:4318', tls: {ca_file: /no/such/file.pem}}}\n"
        "service: {pipelines: {metrics: {receivers: [hostmetrics], exporters: [otlphttp]}}}\n"
    )
    refused = plane.phoenix(
        "pipeline", "deploy", "--file", "broken.yaml", "--name", DEPLOYED, "--host", HOST, code=1, seconds=300
    )
    assert "/no/such/file.pem" in refused.err

    def undone() -> bool:
        found = plane.phoenix.data("pipeline", "status", DEPLOYED)["status"][HOST]["status"]
        return bool(found == "rolled_back")

    until("what ran before is confirmed again", undone, SECONDS, every=1.0)
    # The deployment's own marker is that of what failed; the host's is that of what runs.
    assert content(plane.get(f"/api/v1/hosts/{HOST}")["activeMarker"]) == before
    assert collectors(cluster) == running, "the collector that ran before went on all the time"


def test_a_cluster_that_is_away_is_said_so_and_followed_again(registered: ControlPlane, cluster: Cluster) -> None:
    plane = registered
    plane.phoenix("pipeline", "deploy", "process-baseline-v1", "--name", DEPLOYED, "--host", HOST, seconds=300)
    cluster.kill("apiserver")
    try:
        until("it is said to be unreachable", lambda: since(plane), SECONDS)
    finally:
        cluster.start("apiserver")
    until("the node is Ready", cluster.ready, SECONDS)
    until("it is reached again", lambda: not since(plane), 400)
    active(plane)
