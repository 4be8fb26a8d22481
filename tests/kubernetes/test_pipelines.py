"""PhoenixProcessPipeline on a real node: it reports what runs there, changes without a hole, and a configuration that
does not work is told in the collector's own words and replaces nothing."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.acceptance.waiting import until
from tests.catalog.capture import Capture
from tests.kubernetes.cluster import NODE, Cluster
from tests.kubernetes.objects import condition, pipeline, secret, status
from tests.kubernetes.operator_process import OperatorProcess

NAME = "pipe"
READY_SECONDS = 120.0
INTERVAL = 5
LONGEST_GAP = 2.5 * INTERVAL
"""Seconds: one scrape may be missed, no second one. A node without a collector stays so until somebody acts."""
DATA = "/v1/metrics"
BACKEND = {"protocol": "otlp", "url": {"name": "backend", "key": "url"}}


def variant(name: str = "process-baseline-v1", **parameters: Any) -> list[dict[str, Any]]:
    return [{"pipeline": name, "parameters": parameters, "backend": BACKEND}]


@pytest.fixture
def pipe(cluster: Cluster, operator: OperatorProcess, backend: Capture) -> Iterator[Callable[..., dict[str, Any]]]:
    """Apply the pipeline of this test; returns it once the operator has said something about this generation."""
    cluster.apply(secret("backend", url=backend.url + DATA, base=backend.url))

    def apply(**spec: Any) -> dict[str, Any]:
        cluster.apply(pipeline(NAME, **spec))
        wanted = seen(cluster)["metadata"]["generation"]

        def noticed() -> dict[str, Any] | None:
            thing = seen(cluster)
            return thing if status(thing).get("observedGeneration") == wanted else None

        return until("the operator has seen this generation", noticed, READY_SECONDS)  # type: ignore[return-value]

    yield apply
    cluster.delete("phoenixprocesspipeline", NAME)
    until("its pods are gone", lambda: not pods(cluster), 90)
    cluster.delete("secret", "backend")


def seen(cluster: Cluster) -> dict[str, Any]:
    found = cluster.get("phoenixprocesspipeline", NAME)
    assert found is not None
    return found


def pods(cluster: Cluster) -> list[dict[str, Any]]:
    every = cluster.list("pods")
    return [pod for pod in every if pod["metadata"].get("ownerReferences", [{}])[0].get("kind") == "DaemonSet"]


def is_ready(cluster: Cluster) -> dict[str, Any] | None:
    thing = seen(cluster)
    now = condition(thing, "Ready")
    fresh = now.get("observedGeneration", 0) == thing["metadata"]["generation"]
    return thing if now.get("status") == "True" and fresh else None


def ready(cluster: Cluster) -> dict[str, Any]:
    return until("Ready", lambda: is_ready(cluster), READY_SECONDS)  # type: ignore[return-value]


def names(backend: Capture) -> set[str]:
    return {
        metric.name
        for resource in backend.resources(DATA)
        for scope in resource.scope_metrics
        for metric in scope.metrics
    }


def attributes(backend: Capture, key: str) -> set[str]:
    return {
        attribute.value.string_value or str(attribute.value.int_value)
        for resource in backend.resources(DATA)
        for attribute in resource.resource.attributes
        if attribute.key == key
    }


@pytest.mark.acceptance("AT-P01", "baseline on a Kubernetes node: ready, its process metrics arrive")
def test_the_baseline_is_ready_on_the_node_and_reports_its_processes(
    cluster: Cluster, pipe: Callable[..., dict[str, Any]], backend: Capture, figure: Callable[[str], None]
) -> None:
    began = time.monotonic()
    pipe(variants=variant())
    backend.wait_for(DATA, 1, READY_SECONDS)
    first = time.monotonic() - began
    thing = ready(cluster)
    figure(f"first data {first:.1f} s after apply, Ready (10 s of proof) {time.monotonic() - began:.1f} s")
    said = status(thing)
    assert (said["desiredNodes"], said["updatedNodes"], said["readyNodes"]) == (1, 1, 1)
    (node,) = said["nodes"]
    assert (node["node"], node["state"]) == (NODE, "Ready")
    assert node["configHash"] == said["activeConfigHash"] == said["appliedConfigHash"] == said["configHash"] != ""
    until("this very process is reported", lambda: str(os.getpid()) in attributes(backend, "process.pid"), 60)
    assert {"process.cpu.time", "process.memory.usage"} <= names(backend)
    assert attributes(backend, "host.name") == {NODE}


def test_a_change_rolls_over_without_a_hole(
    cluster: Cluster, pipe: Callable[..., dict[str, Any]], backend: Capture
) -> None:
    pipe(variants=variant(), interval=f"{INTERVAL}s")
    before = ready(cluster)
    pipe(variants=variant("process-topk-v1", k=5), interval=f"{INTERVAL}s")
    after = ready(cluster)
    assert status(after)["activeConfigHash"] != status(before)["activeConfigHash"]
    backend.wait_for(DATA, len(backend.requests(DATA)) + 2, 60)
    assert gap(backend) <= LONGEST_GAP


def gap(backend: Capture) -> float:
    """The longest time between two scrapes that arrived, in seconds, by the collectors' own clock."""
    times = sorted(
        {
            point.time_unix_nano
            for resource in backend.resources(DATA)
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name == "process.memory.usage"
            for point in (*metric.sum.data_points, *metric.gauge.data_points)
        }
    )
    assert len(times) > 2
    return max(after - before for before, after in itertools.pairwise(times)) / 1e9


def own_config(**exporter: Any) -> dict[str, Any]:
    """A configuration of one's own: every process, to the backend."""
    scrape = {"collection_interval": f"{INTERVAL}s", "scrapers": {"process": {"mute_process_all_errors": True}}}
    return {
        "receivers": {"hostmetrics": scrape},
        "exporters": {"otlphttp": {"endpoint": "${env:base}", **exporter}},
        "service": {"pipelines": {"metrics": {"receivers": ["hostmetrics"], "exporters": ["otlphttp"]}}},
    }


def test_a_configuration_that_validate_refuses_is_told_in_its_words_and_replaces_nothing(
    cluster: Cluster, pipe: Callable[..., dict[str, Any]], backend: Capture
) -> None:
    pipe(config=own_config(), environment=[{"name": "backend"}])
    good = status(ready(cluster))
    running = [pod["metadata"]["uid"] for pod in pods(cluster)]
    thing = pipe(config=own_config(no_such_field=1), environment=[{"name": "backend"}])
    invalid = condition(thing, "ConfigValid")
    assert invalid["status"] == "False"
    assert "no_such_field" in invalid["message"]
    assert status(thing)["appliedConfigHash"] == good["appliedConfigHash"]
    assert [pod["metadata"]["uid"] for pod in pods(cluster)] == running
    pipe(config=own_config(), environment=[{"name": "backend"}])
    ready(cluster)


def test_a_collector_that_fails_at_the_start_is_told_in_its_words_and_rolled_back_while_the_old_one_goes_on(
    cluster: Cluster, pipe: Callable[..., dict[str, Any]], backend: Capture, figure: Callable[[str], None]
) -> None:
    pipe(config=own_config(), environment=[{"name": "backend"}])
    good = status(ready(cluster))
    running = [pod["metadata"]["uid"] for pod in pods(cluster)]
    pipe(config=own_config(tls={"ca_file": "/no/such/file.pem"}), environment=[{"name": "backend"}])
    began = time.monotonic()

    def rolled_back() -> dict[str, Any] | None:
        thing = seen(cluster)
        back = status(thing)["appliedConfigHash"] == good["appliedConfigHash"]
        return thing if back and status(thing).get("quarantine") else None

    thing: dict[str, Any] = until("rolled back", rolled_back, READY_SECONDS)  # type: ignore[assignment]
    took = time.monotonic() - began
    degraded = condition(thing, "Degraded")
    assert degraded["status"] == "True"
    assert "/no/such/file.pem" in degraded["message"]
    (failed,) = status(thing)["quarantine"]
    assert failed["configHash"] == status(thing)["configHash"] != good["configHash"]
    assert "/no/such/file.pem" in failed["error"]
    until("only the old collector is left", lambda: [pod["metadata"]["uid"] for pod in pods(cluster)] == running, 90)
    received = len(backend.requests(DATA))
    backend.wait_for(DATA, received + 3, 60)
    assert gap(backend) <= LONGEST_GAP
    figure(f"rolled back {took:.1f} s after apply, longest gap between scrapes {gap(backend):.1f} s")


def test_a_missing_secret_is_named_and_the_old_collector_goes_on(
    cluster: Cluster, pipe: Callable[..., dict[str, Any]], backend: Capture
) -> None:
    pipe(config=own_config(), environment=[{"name": "backend"}])
    ready(cluster)
    running = [pod["metadata"]["uid"] for pod in pods(cluster)]
    pipe(config=own_config(), environment=[{"name": "backend"}, {"name": "not-there"}])

    def named() -> bool:
        nodes = status(seen(cluster)).get("nodes") or [{}]
        return "not-there" in (nodes[0].get("message", "") + condition(seen(cluster), "Degraded").get("message", ""))

    until("the missing Secret is named", named, READY_SECONDS)
    assert running[0] in [pod["metadata"]["uid"] for pod in pods(cluster)]
