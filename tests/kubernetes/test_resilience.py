"""Whatever dies, the end is the same: the operator at every step, the API server, the node. And collectors never notice
an operator that is away."""

from __future__ import annotations

import contextlib
import json
import signal
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.waiting import until
from tests.kubernetes.cluster import Cluster
from tests.kubernetes.deadly_server import DeadlyServer
from tests.kubernetes.objects import condition, pipeline, status
from tests.kubernetes.operator_process import OperatorProcess

SECONDS = 120.0
STEPS = (1, 2, 3, 4, 5)
"""Writes after which an operator is killed: of a ConfigMap, a DaemonSet, statuses, an event."""


@pytest.fixture
def away(operator: OperatorProcess) -> Iterator[OperatorProcess]:
    """The operator of all tests, not running; it runs again afterwards."""
    operator.stop()
    yield operator
    if not operator.alive:
        operator.start()


@pytest.fixture
def steps(cluster: Cluster) -> Iterator[tuple[str, ...]]:
    """A namespace for each step."""
    names = tuple(f"step-{step}" for step in STEPS)
    for name in names:
        cluster.kubectl("create", "namespace", name)
    yield names
    cluster.kubectl("delete", "namespace", *names, "--wait=true", seconds=150)


def seen(cluster: Cluster, name: str, namespace: str = "default") -> dict[str, Any]:
    found = cluster.get("phoenixprocesspipeline", name, namespace)
    assert found is not None
    return found


def is_ready(cluster: Cluster, name: str, namespace: str = "default") -> bool:
    thing = seen(cluster, name, namespace)
    now = condition(thing, "Ready")
    return now.get("status") == "True" and now.get("observedGeneration") == thing["metadata"]["generation"]


def end_state(cluster: Cluster, namespace: str) -> dict[str, Any]:
    """What there is, without what differs from namespace to namespace."""
    said = status(seen(cluster, "steps", namespace))
    sets = cluster.list("daemonsets", namespace=namespace)
    maps = cluster.list("configmaps", "phoenix.io/pipeline=steps", namespace=namespace)
    return {
        "daemonSets": [one["metadata"]["name"] for one in sets],
        "configMaps": sorted(one["metadata"]["annotations"]["phoenix.io/config-hash"] for one in maps),
        "rolledOut": [one["metadata"]["generation"] for one in sets],
        "status": {key: said[key] for key in ("configHash", "activeConfigHash", "readyNodes", "pipeline")},
    }


def test_killed_after_each_write_it_comes_to_the_same_end_with_nothing_twice(
    cluster: Cluster, images: Mapping[str, str], away: OperatorProcess, steps: tuple[str, ...], tmp_path: Path
) -> None:
    # A configuration of one's own: one of the catalog holds the resource's uid, and would differ between namespaces.
    config: dict[str, Any] = {
        "receivers": {"hostmetrics": {"collection_interval": "2s", "scrapers": {"load": {}}}},
        "exporters": {"nop": {}},
        "service": {"pipelines": {"metrics": {"receivers": ["hostmetrics"], "exporters": ["nop"]}}},
    }
    for interval in ("2s", "3s"):
        config["receivers"]["hostmetrics"]["collection_interval"] = interval
        with contextlib.ExitStack() as open_servers:
            dying = []
            for step, namespace in zip(STEPS, steps, strict=True):
                cluster.apply(pipeline("steps", namespace, config=config), namespace=namespace)
                server = open_servers.enter_context(DeadlyServer(cluster, tmp_path, after=step))
                scope = {"PHOENIX_OPERATOR_NAMESPACES": namespace, "KUBECONFIG": str(server.kubeconfig)}
                one = OperatorProcess(cluster, images, tmp_path, env=scope)
                one.launch()
                server.kill = one.kill
                dying.append(one)
            for one in dying:
                assert one.wait(SECONDS) == 128 + signal.SIGKILL, one.said
        with OperatorProcess(cluster, images, tmp_path):
            for namespace in steps:
                until(f"{namespace} is Ready", lambda at=namespace: is_ready(cluster, "steps", at), SECONDS)  # type: ignore[misc]
            ends = [end_state(cluster, namespace) for namespace in steps]
        assert all(end == ends[0] for end in ends), json.dumps(ends, indent=1)


@pytest.fixture(scope="module")
def steady(cluster: Cluster, operator: OperatorProcess) -> Iterator[str]:
    """A pipeline that is Ready, for every test that changes nothing of it for good: its name."""
    cluster.apply(pipeline("steady"))
    until("Ready", lambda: is_ready(cluster, "steady"), SECONDS)
    yield "steady"
    cluster.delete("phoenixprocesspipeline", "steady")


def uid(cluster: Cluster, name: str) -> str:
    """Of the pipeline's one pod, once there is one alone."""

    def alone() -> str:
        pods = cluster.list("pods", f"phoenix.io/pipeline={name}")
        return str(pods[0]["metadata"]["uid"]) if len(pods) == 1 else ""

    return until("one pod alone", alone, SECONDS)


def follows(cluster: Cluster, name: str, interval: str) -> None:
    """A change of the pipeline is rolled out."""
    cluster.apply(pipeline(name, interval=interval))
    until("followed", lambda: is_ready(cluster, name), SECONDS)


def test_collectors_go_on_while_the_operator_is_away_and_what_changed_meanwhile_is_followed(
    cluster: Cluster, operator: OperatorProcess, steady: str
) -> None:
    before = uid(cluster, steady)
    operator.kill()
    operator.start()
    until("it goes on", lambda: is_ready(cluster, steady), SECONDS)
    assert uid(cluster, steady) == before
    operator.stop()
    cluster.apply(pipeline(steady, interval="5s"))
    operator.start()
    until("followed", lambda: is_ready(cluster, steady), SECONDS)
    assert uid(cluster, steady) != before


def test_the_api_server_comes_back_and_the_operator_goes_on(
    cluster: Cluster, operator: OperatorProcess, steady: str
) -> None:
    before, process = uid(cluster, steady), operator.process().pid
    cluster.kill("apiserver")
    cluster.start("apiserver")
    until("the node is Ready", cluster.ready, SECONDS)
    assert uid(cluster, steady) == before
    follows(cluster, steady, "3s")
    assert operator.process().pid == process, operator.said


def test_a_node_that_lost_its_power_has_its_collector_again(
    cluster: Cluster, operator: OperatorProcess, steady: str
) -> None:
    started = status(seen(cluster, steady))["nodes"][0]["startedAt"]
    cluster.crash_node()
    cluster.boot_node()

    def again() -> bool:
        nodes = status(seen(cluster, steady))["nodes"]
        return (
            is_ready(cluster, steady)
            and [node["state"] for node in nodes] == ["Ready"]
            and nodes[0]["startedAt"] > started
        )

    until("a collector that started later is Ready", again, SECONDS)
    follows(cluster, steady, "4s")


def test_a_pipeline_that_is_deleted_while_the_operator_is_away_leaves_nothing(
    cluster: Cluster, operator: OperatorProcess
) -> None:
    cluster.apply(pipeline("orphan"))
    until("it has a DaemonSet", lambda: cluster.get("daemonset", "orphan"), SECONDS)
    operator.stop()
    try:
        cluster.delete("phoenixprocesspipeline", "orphan")
        for kind in ("daemonsets", "configmaps", "pods"):
            until(f"no {kind}", lambda of=kind: not cluster.list(of, "phoenix.io/pipeline=orphan"), SECONDS)  # type: ignore[misc]
    finally:
        operator.start()
