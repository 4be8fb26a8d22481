"""What benchmarks run: a real collector, a real population of processes, real engines. Each ends with its block."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.instruments import proc
from chalicelib.domain.pipeline.document import to_yaml
from phoenix_cli.binaries.progress import PlainReport
from phoenix_cli.binaries.resolve import resolve_collector
from tests.engines import dynoxide

START_SECONDS = 90.0
STOP_SECONDS = 15.0
CRITICAL_PROCESSES = 5
"""In every population; they are named phx-crit-01 and so on."""
FEWEST = 40
"""Simulated processes that a comparison needs on any machine: critical, busy and idle ones."""


class BenchFailed(Exception):
    """A benchmark could not measure; the text says why. A number is never made up instead."""


def collector_binary() -> Path:
    """The collector of this machine, in the product's own order. Raises CollectorMissing."""
    return resolve_collector(os.environ, PlainReport(sys.stderr))


@contextmanager
def dynamodb(folder: Path) -> Iterator[dynoxide.Dynoxide]:
    """A DynamoDB-compatible engine that keeps its data in a folder. Raises BenchFailed when there is none."""
    try:
        with dynoxide.running(dynoxide.resolve(os.environ), folder / "dynoxide.sqlite") as server:
            yield server
    except dynoxide.DynoxideMissing as error:
        raise BenchFailed(str(error)) from error


@contextmanager
def collector(binary: Path, config: Mapping[str, Any], folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A running collector. Raises BenchFailed when it ends early or its log holds an error."""
    folder.mkdir(parents=True)
    path, log = folder / "config.yaml", folder / "collector.log"
    path.write_text(to_yaml(config), "utf-8")
    env = {"PATH": os.environ.get("PATH", ""), "PHOENIX_TOKEN": "phx_of-no-use"}
    with log.open("wb") as out:
        child = subprocess.Popen(
            [str(binary), f"--config={path}"], env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=out
        )
    try:
        try:
            yield child
        except OSError as error:
            if child.poll() is None:
                raise
            raise BenchFailed(f"the collector ended:\n{log.read_text('utf-8', 'replace')[-2000:]}") from error
        said = log.read_text("utf-8", "replace")
        if child.poll() is not None or "\terror\t" in said:
            raise BenchFailed(f"the collector failed:\n{said[-2000:]}")
    finally:
        end(child, signal.SIGINT)


def missing(total: int) -> int:
    """How many processes to start so that about so many live on this machine in all; FEWEST where enough live here
    already. Benchmarks show the number that they found."""
    return max(total - proc.live_processes(), FEWEST)


@contextmanager
def population(count: int, folder: Path, profile: str = "high-cardinality") -> Iterator[None]:
    """So many simulated processes, critical ones among them. Raises BenchFailed when they do not start in time."""
    folder.mkdir(parents=True, exist_ok=True)
    status = folder / "load.json"
    status.unlink(missing_ok=True)
    spec = {"profile": profile, "count": count, "critical": CRITICAL_PROCESSES, "durationS": "1h"}
    words = ["run", "--spec", json.dumps(spec), "--status-file", str(status), "--die-with-parent"]
    with (folder / "load.log").open("wb") as log:
        child = subprocess.Popen(
            [sys.executable, "-m", "loadsim", *words], stdin=subprocess.PIPE, stdout=log, stderr=log
        )
    try:
        _wait_running(child, status, folder / "load.log")
        yield
    finally:
        end(child, signal.SIGTERM)


def end(child: subprocess.Popen[bytes], ask: signal.Signals) -> None:
    """Ask it to end, and make it end at the deadline."""
    if child.poll() is None:
        child.send_signal(ask)
    try:
        child.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait(STOP_SECONDS)


def _wait_running(child: subprocess.Popen[bytes], status: Path, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not status.exists() or json.loads(status.read_text("utf-8"))["phase"] != "running":
        if child.poll() is not None or time.monotonic() > deadline:
            raise BenchFailed(f"the load did not start:\n{log.read_text('utf-8', 'replace')[-2000:]}")
        time.sleep(0.1)
