"""`phoenix demo` as a newcomer runs it: its exit code, its report, its time, and what it leaves behind (nothing)."""

from __future__ import annotations

import json
import os
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from loadsim.agent.runs import mark_prefix
from loadsim.processes.marker import marked
from tests.acceptance.command_line import Phoenix
from tests.acceptance.machine import environment, left
from tests.acceptance.waiting import until
from tests.engines import dynoxide

DEADLINE_S = 480.0
Figure = Callable[[str], None]


@dataclass(frozen=True)
class Shown:
    """What a demo left: its words, its report, its seconds."""

    out: str
    report: dict[str, Any]
    page: str
    seconds: float


def demo(folder: Path, *words: str) -> Shown:
    """Run it to its end with exit code 0 and prove that nothing of it is left."""
    mark = f"at-{secrets.token_hex(6)}"
    phoenix = Phoenix(environment(folder, mark), folder)
    own = folder / "phoenix-demo"
    began = time.monotonic()
    said = phoenix("demo", "--folder", str(own), *words, code=None, seconds=DEADLINE_S)
    seconds = time.monotonic() - began
    assert said.code == 0, f"{said.out[-3000:]}\n{said.err[-3000:]}"
    until("nothing of it is left", lambda: not left(mark) and not marked(_load_of(own)), 10)
    assert sorted(os.listdir(own)) == ["report.html", "report.json"]
    report = json.loads((own / "report.json").read_text("utf-8"))
    return Shown(said.out, report, (own / "report.html").read_text("utf-8"), seconds)


def _load_of(own: Path) -> str:
    return mark_prefix(own / "run" / "host" / "loadsim")


@pytest.mark.timeout(600)
@pytest.mark.acceptance(
    "demo", "phoenix demo: 300 real processes, baseline against top-K, automatic promotion, read-back, report"
)
def test_the_demo_promotes_and_proves_it(tmp_path: Path, figure: Figure) -> None:
    shown = demo(tmp_path)
    report = shown.report
    assert (report["verdict"], report["state"], report["failures"]) == ("promote", "completed", [])
    assert report["recomputed"]["verdict"] == "promote"
    assert report["reduction"]["value"] >= 0.5
    assert report["reduction"]["low"] >= 0.5
    patterns = report["critical"]["patterns"]
    assert [one["candidateRetention"] for one in patterns] == [1.0] * 5
    assert all(one["raw"] == one["candidate"] > 0 for one in patterns)
    assert report["readBack"]["verified"] is True
    assert report["readBack"]["marker"] == report["readBack"]["expected"]
    phases = report["phaseSeconds"]
    assert {"deploying", "warming_up", "running", "promoting"} <= set(phases)
    assert sum(phases.values()) <= shown.seconds
    assert "<svg" in shown.page
    assert "default-src 'none'" in shown.page, "the page loads nothing"
    assert 'src="http' not in shown.page
    assert "PROMOTE" in shown.out
    figure(
        f"promote after {shown.seconds:.0f} s; series -{report['reduction']['value']:.1%}, "
        f"{sum(one['candidate'] for one in patterns)} of {sum(one['raw'] for one in patterns)} critical kept"
    )


@pytest.mark.timeout(600)
@pytest.mark.acceptance(
    "demo-harm", "phoenix demo --harm on a real DynamoDB-compatible engine: rejected, baseline restored and read back"
)
def test_the_harmful_candidate_is_rejected(tmp_path: Path, figure: Figure) -> None:
    with dynoxide.running(dynoxide.resolve(os.environ)) as engine:
        shown = demo(tmp_path, "--harm", "--count", "100", "--store", "dynamodb", "--endpoint", engine.endpoint)
    report = shown.report
    assert (report["verdict"], report["reason"]) == ("reject", "critical_missing")
    assert "phx-crit-03" in report["explanation"]
    assert report["state"] == "rolled_back"
    assert report["readBack"]["verified"] is True
    assert report["readBack"]["pipeline"] == "process-baseline-v1"
    (miss,) = report["critical"]["breaches"]
    assert (miss["name"], miss["confirmed"]) == ("phx-crit-03", True)
    assert "phx-crit-03" in shown.page
    figure(f"previous pipeline confirmed {report['restoredSecondsAfterBreach']:.1f} s after the breach")


@pytest.mark.timeout(600)
@pytest.mark.acceptance("demo-aa", "phoenix demo --aa: the same pipeline twice over 100 real processes")
def test_the_same_pipeline_twice_is_not_promoted(tmp_path: Path, figure: Figure) -> None:
    shown = demo(tmp_path, "--aa", "--count", "100")
    report = shown.report
    assert report["verdict"] not in ("promote", None)
    assert report["reduction"]["value"] == 0.0
    assert report["state"] == "rolled_back"
    assert report["readBack"]["verified"] is True
    figure(f"{report['verdict']}, difference {report['reduction']['value']}")
