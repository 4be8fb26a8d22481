"""What the kernel says of a process: CPU time and resident memory, from /proc. No process is started here."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_FIRST_AFTER_NAME = 3
_UTIME, _STIME = 14, 15
"""Numbers of fields in /proc/<pid>/stat, from 1 (proc(5))."""


@dataclass(frozen=True)
class Memory:
    """Resident bytes: now, and the highest since the process started."""

    rss: int
    highest: int


def cpu_seconds(pid: int) -> float:
    """User and system time of all threads since the start, in seconds, in steps of one clock tick (10 ms).

    Raises FileNotFoundError or ProcessLookupError when the process is gone.
    """
    text = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    fields = text[text.rindex(")") + 2 :].split()  # the name may hold spaces and brackets
    return (int(fields[_UTIME - _FIRST_AFTER_NAME]) + int(fields[_STIME - _FIRST_AFTER_NAME])) / _TICKS


def run_seconds(pid: int) -> float:
    """Time on a processor of all live threads, in seconds, to the nanosecond (proc_pid_schedstat): for spans in which
    clock ticks are too coarse. Threads that ended are not in it; a Go program hardly ever ends one.

    Raises FileNotFoundError or ProcessLookupError when the process is gone.
    """
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text("ascii").split()[0]) for task in tasks) / 1e9


def memory(pid: int) -> Memory:
    """Resident memory. Raises as cpu_seconds does, also for a process that ended and was not waited for."""
    found = {}
    for line in Path(f"/proc/{pid}/status").read_text("utf-8", "replace").splitlines():
        name, _, value = line.partition(":")
        if name in ("VmRSS", "VmHWM"):
            found[name] = int(value.split()[0]) * 1024
    if not found:
        raise ProcessLookupError(f"process {pid} ended")
    return Memory(rss=found["VmRSS"], highest=found["VmHWM"])


def live_processes() -> int:
    """How many processes the kernel lists now, kernel threads included."""
    return sum(name.isdigit() for name in os.listdir("/proc"))
