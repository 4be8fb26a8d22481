"""What a collector costs when nothing happens: its own process, measured by the kernel, not by itself."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

import psutil
import pytest

from tests.acceptance.machine import Machine
from tests.acceptance.test_deployment import active, deploy
from tests.acceptance.waiting import until
from tests.catalog import brute
from tests.catalog.capture import Capture

INTERVAL_S = 10
WINDOW_S = 61.0


@pytest.mark.acceptance(
    "AT-P15",
    "process-baseline-v1 every 10 s with the user's OTLP server; CPU and RSS of the real collector process from /proc",
)
def test_baseline_overhead_is_small(machine: Machine, backend: Capture, figure: Callable[[str], None]) -> None:
    deploy(machine, "process-baseline-v1", "--interval", f"{INTERVAL_S}s", "--backend", f"{backend.url}/p15")
    item = active(machine)
    assert item["marker"] == item["expected"]
    until("the first scrape is over", lambda: backend.requests("/p15"), 30)
    collector = machine.collector()
    first, began, highest = _cpu_seconds(collector.pid), time.monotonic(), 0
    while (elapsed := time.monotonic() - began) < WINDOW_S:
        highest = max(highest, collector.memory_info().rss)
        time.sleep(1.0)
    share = (_cpu_seconds(collector.pid) - first) / elapsed
    scrapes = brute.scrapes_of(backend.resources("/p15"))
    assert len(scrapes) >= WINDOW_S // INTERVAL_S
    assert 0 < share < 0.05
    assert highest < 100 * 1024 * 1024
    processes = max(len(scrape.pids()) for scrape in scrapes)
    figure(
        f"{share:.2%} of a core, {highest / 1024**2:.0f} MiB at most, over {elapsed:.0f} s and up to {processes} "
        f"processes ({psutil.cpu_count()} cores)"
    )


def _cpu_seconds(pid: int) -> float:
    """User and system time of a process, seconds (proc_pid_stat(5): fields 14 and 15)."""
    with open(f"/proc/{pid}/stat", "rb") as file:
        fields = file.read().rsplit(b")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
