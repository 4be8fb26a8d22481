"""What a number was measured under: machine, load, versions. Every report states it; nothing is judged here."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path
from typing import Any

_ASK_SECONDS = 10.0


def machine() -> dict[str, Any]:
    """The machine and its load before the run. `load_before` is the 1-minute load average."""
    return {
        "cpus": len(os.sched_getaffinity(0)),
        "cpu": cpu_model(),
        "machine": platform.machine(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "load_before": round(os.getloadavg()[0], 2),
    }


def load_after() -> dict[str, float]:
    """The 1-minute load average after the run, which includes the benchmark's own work."""
    return {"load_after": round(os.getloadavg()[0], 2)}


def cpu_model() -> str:
    """The processor as the kernel names it, or "unknown"."""
    for line in Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return "unknown"


def version_of(binary: Path) -> str:
    """What `<binary> --version` says, in one line. Raises OSError or subprocess.SubprocessError."""
    done = subprocess.run([str(binary), "--version"], capture_output=True, text=True, timeout=_ASK_SECONDS, check=True)
    return " ".join(done.stdout.split())
