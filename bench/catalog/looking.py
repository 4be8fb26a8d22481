"""One look at a host, as somebody takes it who writes lists of names for the receiver: what is heavy now, what is idle.

Read from the kernel by psutil, names as the scraper gives them. Lists go stale from here on: that is what is measured.
"""

from __future__ import annotations

import time

import psutil

from bench.catalog.subjects import HEAVY, IDLE, Look

LOOK_SECONDS = 2.0
_KTHREADD = 2


def look(critical: tuple[str, ...]) -> Look:
    """Watch for two seconds. critical: names that are critical here."""
    before = _cpu()
    time.sleep(LOOK_SECONDS)
    worked = {pid: seconds - before.get(pid, seconds) for pid, seconds in _cpu().items()}
    names: dict[int, str] = {}
    memory: dict[int, int] = {}
    kernel: set[str] = set()
    for process in psutil.process_iter(["name", "ppid", "memory_info"]):
        name = str(process.info["name"])
        if process.info["ppid"] == _KTHREADD or process.pid == _KTHREADD:
            kernel.add(name)
        elif process.info["memory_info"] is not None:
            names[process.pid], memory[process.pid] = name, process.info["memory_info"].rss
    by_cpu = sorted(names, key=lambda pid: -worked.get(pid, 0.0))[:HEAVY]
    by_memory = sorted(names, key=lambda pid: -memory[pid])[:HEAVY]
    heavy = tuple(dict.fromkeys(names[pid] for pid in (*by_cpu, *by_memory)))
    idle = [name for pid, name in names.items() if not worked.get(pid) and name not in (*heavy, *critical)]
    return Look(critical, heavy, tuple(dict.fromkeys(idle))[:IDLE], tuple(sorted(kernel)))


def _cpu() -> dict[int, float]:
    """pid to seconds of CPU so far."""
    found = {}
    for process in psutil.process_iter(["cpu_times"]):
        if (times := process.info["cpu_times"]) is not None:
            found[process.pid] = times.user + times.system
    return found
