"""A pipeline of one's own by the CLI: from the file a collector runs today to a real host and back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.acceptance.conftest import HOST
from tests.acceptance.machine import Machine
from tests.acceptance.waiting import until
from tests.catalog import brute
from tests.catalog.capture import Capture

NODE = "node"
"""The one deployment of the shared machine; every test makes its own versions of it."""
COLLECTOR = """\
receivers:
  hostmetrics:
    collection_interval: 30s
    scrapers:
      process: {mute_process_all_errors: true}
processors:
  memory_limiter: {check_interval: 1s, limit_mib: 200, spike_limit_mib: 40}
  filter/lean:
    error_mode: propagate
    metric_conditions:
      - metric.name == "process.memory.virtual"
  batch: {}
exporters:
  debug: {}
service:
  pipelines:
    metrics:
      receivers: [hostmetrics]
      processors: [memory_limiter, filter/lean, batch]
      exporters: [debug]
"""


def deploy(machine: Machine, *words: str) -> dict[str, Any]:
    """What the deployment is after a new version is confirmed."""
    machine.phoenix("pipeline", "deploy", *words, "--name", NODE, "--host", HOST, "--interval", "2s")
    found: dict[str, Any] = machine.phoenix.data("pipeline", "status", NODE)
    return found


def names_of(backend: Capture, path: str) -> set[str]:
    return {row.metric for row, _ in brute.rows_of(backend.resources(path))}


@pytest.mark.acceptance(
    "own-pipelines",
    "a collector file imported by the CLI, validated by the real collector, deployed on a real host, updated, rolled "
    "back, exported; a mistake in the file is told with its line",
)
def test_a_pipeline_of_ones_own_from_a_file_to_a_host_and_back(
    machine: Machine, backend: Capture, folder: Path, figure: Callable[[str], None]
) -> None:
    phoenix = machine.phoenix
    (folder / "mine.yaml").write_text(COLLECTOR, "utf-8")
    (folder / "bad.yaml").write_text(COLLECTOR.replace("[memory_limiter, filter/lean", "[filter/leen"), "utf-8")

    said = phoenix("pipeline", "create", "mine", "--file", "bad.yaml", code=1)
    assert "'filter/leen' is not configured" in said.err
    assert "bad.yaml:19" in said.err

    said = phoenix("pipeline", "create", "mine", "--from-collector", "mine.yaml", "--critical", "^nginx$")
    assert "left out: batch   (mine.yaml:12)" in said.err
    assert "critical processes are kept" in said.err

    found = deploy(machine, "mine", "--backend", f"{backend.url}/mine")
    assert found["pipeline"] == "mine version 1"
    first = until("metrics at the backend", lambda: names_of(backend, "/mine"), 30)
    assert "process.memory.usage" in first
    (item,) = phoenix.data("pipeline", "get-active-config", NODE)["items"]
    assert item["marker"] == item["expected"]
    assert "filter/deployed.lean" in item["config"]["processors"]

    (folder / "mine.yaml").write_text(COLLECTOR.replace("memory.virtual", "disk.io"), "utf-8")
    phoenix("pipeline", "update", "mine", "--file", "mine.yaml", "--note", "keep memory")
    assert deploy(machine, "mine", "--backend", f"{backend.url}/mine2")["pipeline"] == "mine version 2"
    until("metrics of the new version", lambda: "process.memory.virtual" in names_of(backend, "/mine2"), 30)
    phoenix("pipeline", "rollback", NODE)
    assert phoenix.data("pipeline", "status", NODE)["pipeline"] == "mine version 1"

    said = phoenix("pipeline", "delete", "mine", code=1)
    assert f"deployment '{NODE}'" in said.err
    phoenix("pipeline", "export", "mine", "--format", "phoenix", "--output-file", "document.yaml")
    assert yaml.safe_load((folder / "document.yaml").read_text())["kind"] == "Pipeline"
    figure(f"{len(first)} metrics at the backend; versions 1, 2, 1 proven by the collector")

    assert "process.memory.virtual" not in names_of(backend, "/mine")
    assert "process.disk.io" not in names_of(backend, "/mine2")
