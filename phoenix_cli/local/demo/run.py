"""The demo from first to last: start, compare, wait for the scheduled verdict, read back, report, remove."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chalicelib.domain.errors import Conflict, PhoenixError, Unavailable
from chalicelib.domain.evaluation.result.result import Evaluation
from chalicelib.domain.experiment.state import Experiment
from phoenix_cli.binaries.progress import progress_report
from phoenix_cli.binaries.resolve import resolve_collector, resolve_supervisor
from phoenix_cli.client import Client
from phoenix_cli.commands.experiment import fetch, follow, report
from phoenix_cli.commands.pipeline import wait_settled
from phoenix_cli.local.demo.scenario import (
    BASELINE,
    DEPLOYMENT,
    HOST,
    Scenario,
    failures,
    manifest,
    phases,
    seconds_from_breach,
)
from phoenix_cli.local.demo.stack import Stack
from phoenix_cli.output import note
from phoenix_cli.show.experiment.compare import compare_document
from phoenix_cli.show.experiment.status import verdict_lines

FOLLOW_SECONDS = 240.0


@dataclass(frozen=True)
class Demo:
    """What the command line says. folder: gets the report; its `run` folder holds everything else."""

    scenario: Scenario
    folder: Path
    keep: bool
    count: int
    busy: int
    critical: int
    up_arguments: tuple[str, ...] = ()


def run(demo: Demo) -> int:
    """Run it; 0 when everything came out as it must, 1 otherwise. Everything started is ended, whatever happens."""
    with progress_report(os.environ, sys.stderr) as progress:  # set-up, not part of the demo's time
        collector = resolve_collector(os.environ, progress)
        supervisor = resolve_supervisor(os.environ, progress)
    env = {**os.environ, "PHOENIX_OTELCOL": str(collector), "PHOENIX_OPAMPSUPERVISOR": str(supervisor)}
    data = demo.folder / "run"
    _refuse_running(data)
    shutil.rmtree(data, ignore_errors=True)
    stack = Stack(data, env, keep=demo.keep, arguments=demo.up_arguments)
    finished = False
    try:
        code = _compare(demo, stack)
        finished = True
        return code
    finally:
        if demo.keep and finished:
            _say_kept(stack)
        else:
            note("removing what was started …")
            stack.stop()
            if finished:
                shutil.rmtree(data, ignore_errors=True)
            else:
                note(f"logs are in {data}")


def _compare(demo: Demo, stack: Stack) -> int:
    seconds: dict[str, float] = {}
    with _phase("start the control plane", "control_plane", seconds):
        client = stack.start_control_plane()
    with _phase(f"enrol this machine as {HOST}; start its supervisor and collector", "host", seconds):
        stack.start_host(client, HOST)
    with _phase(f"deploy {BASELINE}, as what runs today", "deploy_baseline", seconds):
        _deploy_baseline(client, demo)
    candidate = demo.scenario.candidate["pipeline"]
    note(f"• compare {demo.scenario.baseline['pipeline']} with {candidate} under {demo.count} simulated processes")
    body = manifest(demo.scenario, demo.count, demo.busy, demo.critical)
    client.post("/api/v1/experiments", body, start="true")
    experiment, evaluation = follow(client, demo.scenario.name, FOLLOW_SECONDS, quiet=False)
    if experiment.ended_at is None:
        raise Unavailable(f"the experiment did not end within {FOLLOW_SECONDS:g} s: {experiment.message}")
    experiment, evaluation = fetch(client, demo.scenario.name)
    read_back = _read_back(client)
    wrong = failures(demo.scenario, experiment, evaluation, read_back, demo.critical)
    _write(demo, client, experiment, evaluation, read_back, phases(experiment, seconds), wrong)
    print()
    print("\n".join(verdict_lines(experiment, evaluation)))
    for line in wrong:
        print(f"FAILED  {line}")
    print(f"\nread back from the collector: {read_back['pipeline']}, marker {read_back['marker']}")
    print(f"report: {demo.folder / 'report.html'}   data: {demo.folder / 'report.json'}")
    return 1 if wrong else 0


def _deploy_baseline(client: Client, demo: Demo) -> None:
    critical = [{"name": f"^phx-crit-{number:02d}$"} for number in range(1, demo.critical + 1)]
    plan = {"pipeline": {"pipeline": BASELINE}, "critical": critical, "interval": "5s"}
    client.post("/api/v1/deployments", {"name": DEPLOYMENT, "hosts": [HOST], "plan": plan})
    found = wait_settled(client, DEPLOYMENT, 60)
    if found["status"][HOST]["status"] != "active":
        raise PhoenixError(f"the baseline is {found['status'][HOST]['status']}: {found['status'][HOST]['error']}")


def _read_back(client: Client) -> dict[str, Any]:
    """What the collector itself says it runs now, held against the deployment's current version."""
    deployment = client.get(f"/api/v1/deployments/{DEPLOYMENT}")
    found = client.get(f"/api/v1/deployments/{DEPLOYMENT}/active-config")
    one = next((item for item in found["items"] if item["host"] == HOST), None)
    if one is None:
        return {"verified": False, "pipeline": deployment["pipeline"], "marker": "", "why": "nothing was reported"}
    return {
        "verified": bool(one["marker"]) and one["marker"] == one["expected"],
        "pipeline": deployment["pipeline"],
        "marker": one["marker"],
        "expected": one["expected"],
        "processors": sorted(one["config"].get("processors", {})),
        "reportedAt": one["reportedAt"],
    }


def _write(
    demo: Demo,
    client: Client,
    experiment: Experiment,
    evaluation: Evaluation | None,
    read_back: dict[str, Any],
    seconds: dict[str, float],
    wrong: list[str],
) -> None:
    demo.folder.mkdir(parents=True, exist_ok=True)
    document = compare_document(experiment, evaluation, phases=seconds)
    document["readBack"] = read_back
    document["failures"] = wrong
    if evaluation is not None and (restored := seconds_from_breach(experiment, evaluation)) is not None:
        document["restoredSecondsAfterBreach"] = round(restored, 2)
    (demo.folder / "report.json").write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", "utf-8")
    page = report(client, experiment, evaluation, seconds)
    (demo.folder / "report.html").write_text(page, "utf-8")


@contextmanager
def _phase(what: str, key: str, seconds: dict[str, float]) -> Iterator[None]:
    note(f"• {what}")
    start = time.monotonic()
    yield
    seconds[key] = round(time.monotonic() - start, 2)


def _refuse_running(data: Path) -> None:
    from phoenix_cli.local.instance import running

    if found := running(data / "data"):
        raise Conflict(
            f"a demo already runs here, at {found.url} (process {found.pid})",
            hint=f"stop it: phoenix down --data-dir {data / 'data'}",
        )


def _say_kept(stack: Stack) -> None:
    note(f"left running: {stack.url}   token: {stack.folder / 'data' / 'admin-token'}")
    note(f"use it: export PHOENIX_PROFILE={stack.folder / 'profile.json'}")
    note("stop it: kill " + " ".join(str(pid) for pid in reversed(stack.pids().values())))
