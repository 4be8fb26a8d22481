"""What simulated load costs beside what it simulates: CPU of the generator and its spawner with 1 000 processes at rest
and at 20, 30 and 50 starts a second, rates achieved beside those asked, and stress-ng's fork stressor in the same run.

CPU is the kernel's: time on a processor of the generator and of the spawner (schedstat), and what the processes that
ended had used themselves (cutime and cstime of the spawner). stress-ng forks processes that do nothing and end at once,
with no name, command line or memory of their own and no population: it is the floor, in C.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from bench.instruments import conditions, proc
from bench.instruments.running import START_SECONDS, STOP_SECONDS, BenchFailed, end
from bench.registry import Options
from bench.report import Cell, Column, Report, Table

ALIVE = 1000
RATES = (0.0, 20.0, 30.0, 50.0)
"""Asked starts a second; 0 is the population at rest."""
GOAL_RATE, GOAL_CPU = 30.0, 0.10
SETTLE_S = 3.0
STRESS_S = 5
_TICKS = os.sysconf("SC_CLK_TCK")
_CUTIME, _CSTIME = 16, 17
"""Fields of /proc/<pid>/stat (proc(5)): CPU of children that were waited for."""
COLUMNS = (
    Column("what", "what"),
    Column("alive", "alive", ",d"),
    Column("asked_per_s", "asked/s", ".0f"),
    Column("starts_per_s", "starts/s", ",.1f"),
    Column("ends_per_s", "ends/s", ",.1f"),
    Column("generator_cpu_pct", "generator % of a core", ".2f"),
    Column("spawner_cpu_pct", "spawner %", ".2f"),
    Column("own_cpu_pct", "both %", ".2f"),
    Column("processes_cpu_pct", "its processes %", ".2f"),
    Column("ms_per_start", "CPU ms/start, all", ".2f"),
)
STRESS_MISSING = "stress-ng is not installed; on Debian: apt-get install stress-ng"


@dataclass(frozen=True)
class Cost:
    """One span: seconds, starts and ends in it, CPU seconds of generator, spawner, and processes that ended."""

    seconds: float
    starts: int
    ends: int
    generator: float
    spawner: float
    processes: float

    @property
    def own(self) -> float:
        """Share of a core of the generator and the spawner."""
        return (self.generator + self.spawner) / self.seconds


def run(options: Options) -> Report:
    """Measure every rate and stress-ng, round by round; without stress-ng its row is empty and a note says why."""
    stress = shutil.which("stress-ng")
    rounds, span = (1, 8.0) if options.quick else (2, 12.0)
    machine = conditions.machine()
    found: dict[float, list[Cost]] = {rate: [] for rate in RATES}
    forks: list[Cost] = []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(rounds):
            for rate in RATES:
                print(
                    f"  round {number + 1} of {rounds}: {ALIVE} alive, {rate:g} starts/s", file=sys.stderr, flush=True
                )
                with load(rate, Path(folder)) as (generator, status):
                    time.sleep(SETTLE_S)
                    found[rate].append(measure(generator, status, span))
            forks += [stressed(stress, Path(folder))] if stress else []
    rows = [_row(_name(rate), ALIVE, rate, costs) for rate, costs in found.items()]
    rows.append(_row("stress-ng --fork 1", None, None, forks))
    said_of = notes(found[GOAL_RATE]) + (() if stress else (STRESS_MISSING,))
    said = {
        **machine,
        **conditions.load_after(),
        "stress_ng": _version(stress) if stress else "missing",
        "rounds": rounds,
        "span_s": span,
    }
    return Report("loadsim", said, (Table("Cost of simulated load", COLUMNS, tuple(rows)),), said_of)


def notes(at_goal: Sequence[Cost]) -> tuple[str, ...]:
    """How to read the table, and whether the goal is met."""
    own = statistics.median(cost.own for cost in at_goal)
    word = "met" if own < GOAL_CPU else "missed"
    total = own + statistics.median(cost.processes / cost.seconds for cost in at_goal)
    return (
        f"Goal: under {GOAL_CPU:.0%} of a core at {GOAL_RATE:g} starts/s with {ALIVE} alive: {word}, generator and "
        f"spawner use {own:.1%}; with what the started processes use themselves, to become what they are and to end, "
        f"{total:.1%}.",
        "Medians of the rounds. Populations: high-cardinality at rest, process-churn otherwise; no busy processes.",
        "stress-ng: CPU of everything it ran; its children do nothing at all, and it keeps no population.",
    )


@contextmanager
def load(rate: float, folder: Path) -> Iterator[tuple[int, Path]]:
    """A complete population of ALIVE processes, none of them busy: pid of its generator, its status file."""
    status, log = folder / "load.json", folder / "load.log"
    status.unlink(missing_ok=True)
    spec: dict[str, Any] = {"count": ALIVE, "busy": 0, "restartsPerMinute": 0, "durationS": "10m"}
    spec |= {"profile": "process-churn", "startsPerSecond": rate} if rate else {"profile": "high-cardinality"}
    words = ["run", "--spec", json.dumps(spec), "--status-file", str(status), "--die-with-parent"]
    with log.open("wb") as out:
        child = subprocess.Popen(
            [sys.executable, "-m", "loadsim", *words], stdin=subprocess.PIPE, stdout=out, stderr=out
        )
    try:
        deadline = time.monotonic() + START_SECONDS
        while not status.exists() or _said(status)["phase"] != "running":
            if child.poll() is not None or time.monotonic() > deadline:
                raise BenchFailed(f"the load did not start:\n{log.read_text('utf-8', 'replace')[-2000:]}")
            time.sleep(0.2)
        yield child.pid, status
    finally:
        if child.stdin:
            child.stdin.close()
        end(child, signal.SIGTERM)


def measure(generator: int, status: Path, seconds: float) -> Cost:
    """What a running load costs over so many seconds. Starts and ends are those that its status reports."""
    (spawner,) = map(int, Path(f"/proc/{generator}/task/{generator}/children").read_text("ascii").split())
    before, began = _counted(generator, spawner, status), time.monotonic()
    time.sleep(seconds)
    after, took = _counted(generator, spawner, status), time.monotonic() - began
    starts, ends, *cpu = (b - a for a, b in zip(before, after, strict=True))
    return Cost(took, int(starts), int(ends), *cpu)


def _counted(generator: int, spawner: int, status: Path) -> tuple[float, ...]:
    said = _said(status)
    fields = Path(f"/proc/{spawner}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    ended = sum(int(fields[number - 3]) for number in (_CUTIME, _CSTIME)) / _TICKS
    ends = said["spawned"] - said["running"]
    return said["spawned"], ends, proc.run_seconds(generator), proc.run_seconds(spawner), ended


def stressed(stress: str, folder: Path) -> Cost:
    """stress-ng's fork stressor, one instance for STRESS_S seconds. Raises BenchFailed when it fails."""
    out = folder / "stress.yaml"
    command = [stress, "--fork", "1", "--timeout", f"{STRESS_S}s", "--metrics", "--yaml", str(out)]
    try:
        subprocess.run(command, check=True, timeout=STRESS_S + STOP_SECONDS, capture_output=True)
        (said,) = yaml.safe_load(out.read_text("utf-8"))["metrics"]
    except (subprocess.SubprocessError, OSError, KeyError, ValueError) as error:
        raise BenchFailed(f"stress-ng --fork: {error}") from error
    return of_stress(said)


def of_stress(said: Mapping[str, Any]) -> Cost:
    """One stressor's metrics, as stress-ng writes them. A bogo operation of fork is one process that was waited for."""
    forks = int(said["bogo-ops"])
    cpu = float(said["user-time"]) + float(said["system-time"])
    return Cost(float(said["wall-clock-time"]), forks, forks, 0.0, 0.0, cpu)


def _name(rate: float) -> str:
    return f"process-churn, {rate:g}/s" if rate else "high-cardinality at rest"


def _row(what: str, alive: int | None, asked: float | None, costs: Sequence[Cost]) -> tuple[Cell, ...]:
    def median(values: Iterator[float]) -> float | None:
        found = list(values)
        return statistics.median(found) if found else None

    per_start = [(c.generator + c.spawner + c.processes) / c.starts * 1000 for c in costs if c.starts]
    known = alive is not None
    return (
        what,
        alive,
        asked,
        median(c.starts / c.seconds for c in costs),
        median(c.ends / c.seconds for c in costs),
        median(c.generator / c.seconds * 100 for c in costs) if known else None,
        median(c.spawner / c.seconds * 100 for c in costs) if known else None,
        median(c.own * 100 for c in costs) if known else None,
        median(c.processes / c.seconds * 100 for c in costs),
        statistics.median(per_start) if per_start else None,
    )


def _said(status: Path) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(status.read_text("utf-8"))
    return said


def _version(stress: str) -> str:
    done = subprocess.run([stress, "--version"], capture_output=True, text=True, timeout=STOP_SECONDS, check=True)
    return " ".join(done.stdout.split()[:3])
