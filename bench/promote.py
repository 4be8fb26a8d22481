"""Seconds from a person's order to the collector's own confirmation: promote, and roll back.

A real control plane, supervisor and collector on this machine. Each round runs a short experiment to the verdict
promote, orders the promotion, waits for the read-back, and rolls back. Confirmed means: the running collector reported
a configuration that carries the wanted marker, and is healthy. Nothing here takes the supervisor's word for it.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from bench.instruments import conditions
from bench.instruments.running import CRITICAL_PROCESSES, BenchFailed, collector_binary, population
from bench.registry import Options
from bench.report import Cell, Column, Report, Table
from chalicelib.domain.experiment.state import END_STATES, Experiment, State
from phoenix_cli.binaries.progress import PlainReport
from phoenix_cli.binaries.resolve import resolve_supervisor
from phoenix_cli.client import Client
from phoenix_cli.local.demo.stack import Stack
from phoenix_cli.local.server import IDLE_POLL_SECONDS

HOST, DEPLOYMENT = "bench-host", "current"
BASELINE: dict[str, Any] = {"pipeline": "process-baseline-v1"}
CANDIDATE: dict[str, Any] = {"pipeline": "process-topk-v1", "parameters": {"k": 5}}
CRITICAL = [{"name": f"^phx-crit-{n:02d}$"} for n in range(1, CRITICAL_PROCESSES + 1)]
PROCESSES = 150
DEPLOYED_SECONDS, VERDICT_SECONDS, ORDER_SECONDS = 60.0, 180.0, 120.0
POLL_S = 0.05
SETTLE_S = 3.0 * IDLE_POLL_SECONDS
"""Before each order: a host that was just told something polls more often for a while."""
COLUMNS = (
    Column("order", "order"),
    Column("until", "until"),
    Column("rounds", "rounds", "d"),
    Column("median_s", "median s", ".2f"),
    Column("lowest_s", "lowest", ".2f"),
    Column("highest_s", "highest", ".2f"),
)
T = TypeVar("T")


@dataclass(frozen=True)
class Round:
    """Seconds since the order. confirmed: by the control plane's record; completed, restored: seen by a client."""

    confirmed: float
    completed: float
    restored: float


def run(options: Options) -> Report:
    """Run the rounds on one control plane and one host."""
    rounds = 2 if options.quick else 5
    machine = conditions.machine()
    collector, supervisor = collector_binary(), resolve_supervisor(os.environ, PlainReport(sys.stderr))
    env = {**os.environ, "PHOENIX_OTELCOL": str(collector), "PHOENIX_OPAMPSUPERVISOR": str(supervisor)}
    with tempfile.TemporaryDirectory() as folder, population(PROCESSES, Path(folder)):
        stack = Stack(Path(folder) / "stack", env, keep=False)
        try:
            client = stack.start_control_plane()
            stack.start_host(client, HOST)
            _deploy(client)
            found = [_round(client, number, rounds) for number in range(1, rounds + 1)]
        finally:
            stack.stop()
    said = {
        **machine,
        **conditions.load_after(),
        "collector": conditions.version_of(collector),
        "simulated_processes": PROCESSES,
        "interval_s": 1,
        "host_polls_every_s": IDLE_POLL_SECONDS,
        "client_polls_every_s": POLL_S,
    }
    return Report("promote", said, (Table("From an order to its proof", COLUMNS, tuple(rows(found))),), NOTES)


NOTES = ("Each order comes while the host polls at its idle pace; the collector restarts with the new configuration.",)


def rows(found: list[Round]) -> list[tuple[Cell, ...]]:
    """Median, lowest and highest of each span."""
    spans = (
        ("promote", "the collector's read-back", [one.confirmed for one in found]),
        ("promote", "experiment completed, deployment current", [one.completed for one in found]),
        ("roll back", "the collector's read-back", [one.restored for one in found]),
    )
    return [(o, until, len(s), statistics.median(s), min(s), max(s)) for o, until, s in spans]


def _deploy(client: Client) -> None:
    plan = {"pipeline": BASELINE, "critical": CRITICAL, "interval": "1s"}
    client.post("/api/v1/deployments", {"name": DEPLOYMENT, "hosts": [HOST], "plan": plan})
    _until("the baseline is active", DEPLOYED_SECONDS, lambda: _active(client, BASELINE["pipeline"]))


def _round(client: Client, number: int, rounds: int) -> Round:
    name = f"bench-{number}"
    print(f"  round {number} of {rounds}", file=sys.stderr, flush=True)
    client.post("/api/v1/experiments", _manifest(name), start="true")
    _until("the verdict promote", VERDICT_SECONDS, lambda: _reached(client, name, State.AWAITING_PROMOTION), every=1.0)
    _settle(number, rounds)
    ordered, began = time.time(), time.monotonic()
    client.post(f"/api/v1/experiments/{name}/promote")
    done = _until("the promotion", ORDER_SECONDS, lambda: _reached(client, name, State.COMPLETED))
    completed = time.monotonic() - began
    if not _active(client, CANDIDATE["pipeline"]):
        raise BenchFailed(f"{name} is completed, but the collector does not run the candidate")
    _settle(number, rounds)
    began = time.monotonic()
    client.post(f"/api/v1/deployments/{DEPLOYMENT}/rollback", {})
    _until("the roll back", ORDER_SECONDS, lambda: _active(client, BASELINE["pipeline"]))
    return Round(max(proof.confirmed_at for proof in done.proofs) - ordered, completed, time.monotonic() - began)


def _settle(number: int, rounds: int) -> None:
    """Wait until the host polls at its idle pace, and come at another phase of that pace in every round."""
    time.sleep(SETTLE_S + IDLE_POLL_SECONDS * number / rounds)


def _manifest(name: str) -> dict[str, Any]:
    return {
        "apiVersion": "phoenix.io/v1alpha1",
        "kind": "Experiment",
        "metadata": {"name": name},
        "spec": {
            "baseline": BASELINE,
            "candidate": CANDIDATE,
            "targets": {"hosts": [HOST]},
            "critical": CRITICAL,
            "interval": "1s",
            "schedule": {"warmUp": "2s", "minDuration": "16s", "maxDuration": "120s", "evaluateEvery": "1s"},
            "success": {"seriesReduction": {"atLeast": "50%"}},
            "promotion": "manual",
        },
    }


def _reached(client: Client, name: str, state: State) -> Experiment | None:
    """The experiment once it is in a state. Raises BenchFailed when it ended in another."""
    experiment = Experiment.model_validate(client.get(f"/api/v1/experiments/{name}"))
    if experiment.state is state:
        return experiment
    if experiment.state in END_STATES:
        raise BenchFailed(f"{name} ended {experiment.state.value}: {experiment.message}")
    return None


def _active(client: Client, pipeline: str) -> bool | None:
    """True once the deployment's current version is this pipeline, and the collector itself reported its marker."""
    deployment = client.get(f"/api/v1/deployments/{DEPLOYMENT}")
    host = deployment["status"][HOST]
    if host["status"] in ("failed", "rolled_back"):
        raise BenchFailed(f"{HOST}: {host['error']}")
    if host["status"] != "active" or not deployment["pipeline"].startswith(pipeline):
        return None
    items = client.get(f"/api/v1/deployments/{DEPLOYMENT}/active-config")["items"]
    return True if items and items[0]["marker"] == items[0]["expected"] else None


def _until(what: str, seconds: float, look: Callable[[], T | None], every: float = POLL_S) -> T:
    """Look every so many seconds until there is something. Raises BenchFailed at the deadline."""
    deadline = time.monotonic() + seconds
    while (found := look()) is None:
        if time.monotonic() > deadline:
            raise BenchFailed(f"waited {seconds:g} s for: {what}")
        time.sleep(every)
    return found
