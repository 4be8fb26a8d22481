"""Deploy, fail, roll back: one pipeline on a real host, judged by its collector and by what arrives at the backend."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.conftest import HOST
from tests.acceptance.machine import Machine
from tests.acceptance.waiting import until
from tests.catalog import brute
from tests.catalog.capture import Capture

NAME = "node"
"""The one deployment of the shared machine; every test makes its own versions of it."""
Figure = Callable[[str], None]


def deploy(machine: Machine, *words: str) -> float:
    """A new version, confirmed by the collector when this returns; seconds."""
    began = time.monotonic()
    machine.phoenix("pipeline", "deploy", *words, "--name", NAME, "--host", HOST)
    return time.monotonic() - began


def active(machine: Machine) -> dict[str, Any]:
    """What the collector itself says it runs: marker, expected marker, configuration."""
    found: list[dict[str, Any]] = machine.phoenix.data("pipeline", "get-active-config", NAME)["items"]
    (item,) = found
    return item


def status(machine: Machine) -> dict[str, Any]:
    found: dict[str, Any] = machine.phoenix.data("pipeline", "status", NAME)
    return found


def content(marker: str) -> str:
    """The part of a marker that stands for the configuration's content, without its revision."""
    return marker.rpartition(".")[0]


def processors(item: dict[str, Any]) -> str:
    return " ".join(sorted(item["config"].get("processors", {})))


@pytest.mark.acceptance(
    "AT-P01",
    "process-baseline-v1 deployed by the CLI on a host under the stock supervisor; its collector ready, process "
    "metrics at the user's OTLP server",
)
def test_baseline_is_deployed_and_its_metrics_arrive(machine: Machine, backend: Capture, figure: Figure) -> None:
    began = time.monotonic()
    url = f"{backend.url}/p01"
    confirmed = deploy(machine, "process-baseline-v1", "--interval", "2s", "--backend", url)
    first = until("metrics at the backend", lambda: brute.rows_of(backend.resources("/p01")), 30)
    seconds = time.monotonic() - began

    (host,) = machine.phoenix.data("host", "list")
    assert (host["connected"], host["collectorHealthy"], host["deployment"]) == (True, True, NAME)
    item = active(machine)
    assert item["marker"] == item["expected"] == host["activeMarker"]
    names = {row.metric for row, _ in first}
    assert {"process.cpu.time", "process.memory.usage"} <= names
    pids = {row.pid for row, _ in first}
    assert machine.collector().pid in pids
    figure(f"confirmed in {confirmed:.1f} s, {len(pids)} processes at the backend after {seconds:.1f} s")


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        yield int(holder.getsockname()[1])


@pytest.mark.acceptance(
    "AT-P11",
    "own configuration whose receiver's port is taken: passes validate, fails at the real collector's start; its words "
    "are shown, what ran before runs again, the same is refused",
)
def test_a_failed_deployment_names_the_collectors_error_and_is_undone(
    machine: Machine, backend: Capture, folder: Path, taken_port: int, figure: Figure
) -> None:
    deploy(machine, "process-baseline-v1", "--interval", "2s", "--backend", f"{backend.url}/p11")
    before = active(machine)
    (folder / "taken.yaml").write_text(
        "receivers:\n"
        f"  otlp: {{protocols: {{http: {{endpoint: '127.0.0.1:{taken_port}'}}}}}}\n"
        "exporters: {nop: {}}\n"
        "service: {pipelines: {metrics: {receivers: [otlp], exporters: [nop]}}}\n"
    )
    machine.phoenix("pipeline", "validate", "taken.yaml")
    began = time.monotonic()
    words = ("pipeline", "deploy", "--file", "taken.yaml", "--name", NAME, "--host", HOST)
    refused = machine.phoenix(*words, code=1)
    assert "address already in use" in refused.err

    def undone() -> bool:
        return bool(status(machine)["status"][HOST]["status"] == "rolled_back")

    until("what ran before is confirmed again", undone, 30, every=0.5)
    seconds = time.monotonic() - began
    arrived = len(backend.requests("/p11"))
    assert "address already in use" in machine.phoenix("pipeline", "status", NAME).out
    now = active(machine)
    assert content(now["marker"]) == content(before["marker"])
    assert processors(now) == processors(before)
    until("metrics arrive again", lambda: len(backend.requests("/p11")) > arrived, 20)

    versions = len(status(machine)["versions"])
    again = machine.phoenix(*words, code=1)
    assert "failed on host" in again.err
    assert "--force" in again.err
    assert "address already in use" in again.err
    assert len(status(machine)["versions"]) == versions
    forced = machine.phoenix(*words, "--force", code=1)
    assert "address already in use" in forced.err
    assert len(status(machine)["versions"]) == versions + 1
    until("the forced one is undone too", undone, 30, every=0.5)
    assert content(active(machine)["marker"]) == content(before["marker"])
    figure(f"previous configuration read back {seconds:.1f} s after the deploy")


@pytest.mark.acceptance(
    "AT-P12", "process-topk-v1 over process-baseline-v1, then pipeline rollback; confirmed by the real collector"
)
def test_rollback_brings_the_previous_version_back(machine: Machine, backend: Capture, figure: Figure) -> None:
    deploy(machine, "process-baseline-v1", "--interval", "2s", "--backend", f"{backend.url}/p12")
    before = active(machine)
    deploy(machine, "process-topk-v1", "--param", "k=5", "--interval", "2s", "--backend", f"{backend.url}/p12-topk")
    between = active(machine)
    assert "rank" in processors(between)
    assert between["marker"] == between["expected"]

    began = time.monotonic()
    machine.phoenix("pipeline", "rollback", NAME)
    seconds = time.monotonic() - began
    after = active(machine)
    assert after["marker"] == after["expected"]
    assert processors(after) == processors(before)
    found = status(machine)
    assert found["pipeline"] == "process-baseline-v1"
    assert found["status"][HOST]["status"] == "active"
    arrived = len(backend.requests("/p12"))
    until("the baseline's metrics arrive again", lambda: len(backend.requests("/p12")) > arrived, 20)
    figure(f"{seconds:.1f} s until the collector proved it")
