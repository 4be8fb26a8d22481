"""One long-running child under a guard: start, restart with backoff, stop under a deadline, output to a line reader.

Not here: what the child is, and what its lines mean. Clock times are monotonic seconds.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from phoenix_cli.host_runtime import guard
from phoenix_cli.host_runtime.line_reader import LineReader

ORPHAN_GRACE_SECONDS = 3.0
FIRST_DELAY_SECONDS = 1.0
LONGEST_DELAY_SECONDS = 30.0
SETTLED_SECONDS = 60.0
SWEEP_ALLOWANCE_SECONDS = 7.0


@dataclass(frozen=True)
class Child:
    """What to run. grace: seconds between SIGINT and SIGKILL when it is stopped."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    grace: float


class Supervised:
    """Keeps one child running. For one long-lived thread: on Linux a child dies with the thread that made it."""

    def __init__(self, child: Child, *, on_line: Callable[[str], None], note: Callable[[str], None]) -> None:
        self._child = child
        self._on_line = on_line
        self._note = note
        self._process: subprocess.Popen[bytes] | None = None
        self._reader: LineReader | None = None
        self._started = 0.0
        self._next_start = 0.0
        self._kill_at = float("inf")
        self._delay = FIRST_DELAY_SECONDS

    @property
    def pid(self) -> int | None:
        """The guard's process id while it runs; the child is below it."""
        return self._process.pid if self._process else None

    def tick(self) -> None:
        """Start the child when it should run and does not. Call a few times a second."""
        now = time.monotonic()
        if self._process is None:
            if now >= self._next_start:
                self._start(now)
        elif self._process.poll() is not None:
            self._ended(now, self._process.returncode)

    def _start(self, now: float) -> None:
        try:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-I", str(Path(guard.__file__))),
                    *("--parent", str(os.getpid())),
                    *("--grace", str(self._child.grace), "--orphan-grace", str(ORPHAN_GRACE_SECONDS), "--"),
                    *self._child.command,
                ],
                env=dict(self._child.environment),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as e:
            self._retry_later(now, f"{self._child.name} cannot be started: {e.strerror or e}")
            return
        self._started = now
        assert self._process.stdout is not None  # noqa: S101 (PIPE was asked for; for the type checker)
        self._reader = LineReader(self._process.stdout.fileno(), self._on_line)
        self._reader.start()

    def _ended(self, now: float, code: int) -> None:
        if now - self._started >= SETTLED_SECONDS:
            self._delay = FIRST_DELAY_SECONDS
        self._release()
        self._retry_later(now, f"{self._child.name} ended (exit {code})")

    def _retry_later(self, now: float, why: str) -> None:
        self._note(f"{why}; starting it again in {self._delay:.0f} s")
        self._next_start = now + self._delay
        self._delay = min(self._delay * 2, LONGEST_DELAY_SECONDS)

    def request_stop(self) -> None:
        """Ask the child to end; returns at once."""
        self._kill_at = time.monotonic() + self._child.grace + SWEEP_ALLOWANCE_SECONDS
        if self._process:
            with suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGINT)

    def ended(self) -> bool:
        """Whether the child and all below it are gone after `request_stop`; the guard is killed past the deadline."""
        if self._process is not None:
            if self._process.poll() is None and time.monotonic() < self._kill_at:
                return False
            self.finish()
        return True

    def finish(self) -> None:
        """Wait until the child and all below it are gone: its grace and the guard's sweep, then the guard is killed."""
        if self._process is None:
            return
        try:
            allowed = self._child.grace + SWEEP_ALLOWANCE_SECONDS
            self._process.wait(max(0.0, min(allowed, self._kill_at - time.monotonic())))
        except subprocess.TimeoutExpired:
            self._note(f"{self._child.name} did not stop in time; killed")
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(5)
        self._release()

    def _release(self) -> None:
        if self._reader:
            self._reader.stop()
        if self._process and self._process.stdout:
            self._process.stdout.close()
        self._process, self._reader = None, None
