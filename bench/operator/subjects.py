"""What is measured: Phoenix's operator, and the floor. Each as a process on this machine, in the cluster's network."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.instruments import running
from bench.instruments.running import BenchFailed
from chalicelib.settings import ROOT

FLOOR = Path(__file__).resolve().parent / "floor"
KWOK_MODULE, KWOK_VERSION = "sigs.k8s.io/kwok", "v0.8.0"
STAGES = ("node/fast", "node/heartbeat-with-lease", "pod/fast")
"""Of kwok's own: how its nodes and pods behave."""
BUILD_SECONDS = 1800.0


@dataclass(frozen=True)
class Subject:
    """agents: how its user agents begin."""

    name: str
    agents: tuple[str, ...]
    command: tuple[str, ...]


def phoenix(kubeconfig: Path, collector: Path) -> Subject:
    """The operator as it is run in a cluster, with its collector for validating."""
    images = ("--collector-image=phoenix/collector", "--operator-image=phoenix/operator")
    words = (f"--kubeconfig={kubeconfig}", f"--otelcol={collector}", *images, "--health-port=0", "--metrics-port=0")
    return Subject("Phoenix", ("phoenix-operator", "kopf"), (sys.executable, "-m", "operators", *words))


def floor(kubeconfig: Path, tools: Path) -> Subject:
    """The least that client-go can do."""
    return Subject("client-go floor", ("phoenix-bench-floor",), (str(tools / "floor"), f"--kubeconfig={kubeconfig}"))


def build(tools: Path) -> None:
    """The floor and kwok, once. Raises BenchFailed with the compiler's words."""
    tools.mkdir(parents=True, exist_ok=True)
    if not (tools / "floor").exists():
        _go(["build", "-trimpath", "-ldflags=-s -w", "-o", str(tools / "floor"), "."], FLOOR)
    if not (tools / "kwok").exists():
        _go(["install", "-trimpath", f"{KWOK_MODULE}/cmd/kwok@{KWOK_VERSION}"], ROOT, GOBIN=str(tools), GOFLAGS="")
    if not (tools / "stages.yaml").exists():
        module = json.loads(_go(["mod", "download", "-json", f"{KWOK_MODULE}@{KWOK_VERSION}"], ROOT))["Dir"]
        parts = [p for stage in STAGES for p in sorted((Path(module) / "kustomize" / "stage" / stage).glob("*.yaml"))]
        texts = [part.read_text("utf-8") for part in parts if part.name != "kustomization.yaml"]
        (tools / "stages.yaml").write_text("---\n".join(texts), "utf-8")


def kwok(kubeconfig: Path, tools: Path) -> tuple[str, ...]:
    """The command that simulates the nodes of `resources.node`."""
    selected = "--manage-nodes-with-annotation-selector=kwok.x-k8s.io/node=fake"
    config = f"--config={tools / 'stages.yaml'}"
    lease = "--node-lease-duration-seconds=40"
    return (str(tools / "kwok"), f"--kubeconfig={kubeconfig}", config, "--manage-all-nodes=false", selected, lease)


def _go(words: list[str], folder: Path, **env: str) -> str:
    done = subprocess.run(
        ["go", *words], cwd=folder, env={**os.environ, **env}, capture_output=True, text=True, timeout=BUILD_SECONDS
    )
    if done.returncode != 0:
        raise BenchFailed(f"go {words[0]}: {done.stderr[-1000:]}")
    return done.stdout


@contextmanager
def started(command: tuple[str, ...], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The process, ended with its block. Raises BenchFailed when it ended by itself, with the end of its log."""
    with log.open("ab") as out:
        child = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
    try:
        try:
            yield child
        except BenchFailed as error:
            raise BenchFailed(f"{error}; it printed:\n{log.read_text('utf-8', 'replace')[-2000:]}") from error
        if child.poll() is not None:
            raise BenchFailed(f"{command[0]} ended by itself:\n{log.read_text('utf-8', 'replace')[-2000:]}")
    finally:
        running.end(child, signal.SIGTERM)
