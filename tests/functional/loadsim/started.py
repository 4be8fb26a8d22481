"""Real generators for tests: started as a user would, and counted by the mark in their environment."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

import pytest

from chalicelib.domain.load import LoadPhase, LoadStatus
from loadsim.processes.marker import marked
from loadsim.status_file import read_status

T = TypeVar("T")
ROOT = Path(__file__).resolve().parents[3]
PATIENCE_S = 60.0
WATCHDOG_S = 5.0
"""What the product promises: nothing is left this long after a parent died."""


def eventually(what: str, look: Callable[[], T], within: float = PATIENCE_S) -> T:
    """The first truthy result of `look`; a failed test that says `what` was awaited when there is none in time."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.05)
    pytest.fail(f"not within {within:g} s: {what}; last seen: {look()!r}")


def comm(pid: int) -> str:
    return Path(f"/proc/{pid}/comm").read_text().strip()


def command_line(pid: int) -> tuple[str, ...]:
    return tuple(Path(f"/proc/{pid}/cmdline").read_text().removesuffix("\0").split("\0"))


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def end_all(pids: Iterable[int]) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):  # it may end by itself meanwhile
            os.kill(pid, signal.SIGKILL)


class Load:
    """One `python -m loadsim run`."""

    def __init__(self, folder: Path, duration: float | None = None, **spec: object) -> None:
        self.run_id = f"test-{secrets.token_hex(6)}"
        self.status_file = folder / f"{self.run_id}.json"
        command = [sys.executable, "-m", "loadsim", "run", "--run-id", self.run_id, "--spec", json.dumps(spec)]
        command += ["--status-file", str(self.status_file)]
        command += ["--duration", str(duration)] if duration else []
        self.process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)

    def status(self) -> LoadStatus | None:
        return read_status(self.status_file)

    def running(self) -> LoadStatus:
        def look() -> LoadStatus | None:
            status = self.status()
            return status if status and status.phase is LoadPhase.RUNNING else None

        return eventually("the load runs", look)

    def pids(self) -> list[int]:
        """The simulated processes, without their spawner."""
        return [pid for pid in marked(self.run_id) if pid != self.spawner()]

    def spawner(self) -> int:
        (pid,) = children(self.process.pid)
        return pid

    def left(self) -> dict[int, str]:
        return marked(self.run_id)

    def end(self) -> None:
        """Whatever the test found out: nothing of it stays."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate(timeout=PATIENCE_S)
        end_all(self.left())
