"""Churn, groups and scenarios with real processes: rates, names and memory as asked, the limit kept, nothing left."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path

from chalicelib.domain.load import LoadPhase
from tests.functional.loadsim.started import PATIENCE_S, WATCHDOG_S, Load, comm, eventually

Start = Callable[..., Load]


def named(load: Load, start: str) -> dict[str, int]:
    """Pid by name of the live processes whose name begins so; one that ends meanwhile is left out."""
    found = {}
    for pid in load.pids():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            found[comm(pid)] = pid
    return {name: pid for name, pid in found.items() if name.startswith(start)}


def resident_kib(pid: int) -> int:
    (line,) = [line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS")]
    return int(line.split()[1])


def test_churn_starts_and_ends_processes_at_a_rate_and_never_more_than_asked(start_load: Start) -> None:
    load = start_load(profile="process-churn", count=60, busy=2, critical=3, startsPerSecond=15)
    load.running()
    kept = named(load, "phx-crit-")
    most = 0

    def measured() -> bool:
        nonlocal most
        most = max(most, len(load.pids()))
        status = load.status()
        return status is not None and status.rates is not None and status.restarts >= 60

    eventually("rates are said and every job was replaced", measured)
    assert most <= 60
    status = load.status()
    assert status
    assert status.rates
    assert status.asked == 60
    assert status.rates.asked == 15
    assert 0 < status.rates.starts <= 20
    assert len(kept) == 3
    assert set(kept.values()) < set(load.pids())
    load.process.kill()
    load.process.wait(PATIENCE_S)
    eventually("no process is left", lambda: not load.left(), within=WATCHDOG_S)


def test_a_group_s_memory_grows_and_its_names_are_those_of_its_template(start_load: Start) -> None:
    group = {"nameTemplate": "phx-leak-{n}", "count": 2, "memPattern": "growing", "memory": "24MiB", "period": "30s"}
    jobs = {"nameTemplate": "phx-{word}-{code}", "count": 4, "lifetime": "2s"}
    load = start_load(profile="custom", groups=[group, jobs])
    status = load.running()
    leaks = named(load, "phx-leak-")
    assert set(leaks) == {"phx-leak-01", "phx-leak-02"}
    assert status.running == 6
    before = resident_kib(leaks["phx-leak-01"])
    eventually("it has grown by 4 MiB", lambda: resident_kib(leaks["phx-leak-01"]) - before > 4096)
    assert resident_kib(leaks["phx-leak-01"]) - before <= 25 * 1024
    eventually("jobs came and went", lambda: (s := load.status()) and s.restarts >= 4)


def test_a_scenario_goes_through_its_stages_and_keeps_its_critical_processes(start_load: Start) -> None:
    stages = [
        {"name": "calm", "lasts": "5s", "profile": "realistic", "count": 12},
        {"name": "crowd", "lasts": "5s", "profile": "high-cardinality", "count": 40},
    ]
    load = start_load(profile="stages", stages=stages, critical=2)
    load.running()
    critical = set(named(load, "phx-crit-").values())
    assert len(critical) == 2
    sizes: dict[str, set[int]] = {}

    def both_seen() -> bool:
        status = load.status()
        if status and status.stage and status.phase is LoadPhase.RUNNING and status.running == status.asked:
            sizes.setdefault(status.stage.name, set()).add(status.running)
        assert len(load.pids()) <= 40
        return sizes.keys() == {"calm", "crowd"}

    eventually("both stages were whole", both_seen)
    assert sizes == {"calm": {12}, "crowd": {40}}
    assert critical <= set(load.pids())
    os.kill(load.spawner(), 9)
    eventually("no process is left", lambda: not load.left(), within=WATCHDOG_S)
