"""Running one step of a build: output to a file, progress counted, and the whole process group ends with the step.

Not here: which steps there are (build.py).
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from phoenix_cli.host_runtime import guard

TICK_SECONDS = 0.5
SHOWN_CHARACTERS = 1200
DOWNLOADING = "go: downloading "


class StepFailed(Exception):
    """A step ended with an error, could not start, or passed the deadline; the text ends with its own last words."""


def run_step(
    command: tuple[str, ...], *, cwd: Path, env: Mapping[str, str], deadline: float, tick: Callable[[str], None]
) -> None:
    """Run to the end. `deadline` is on the monotonic clock; `tick(detail)` is called about twice a second.

    Raises StepFailed. Whatever ends this function, the step's processes are gone afterwards.
    """
    log = cwd / "step.log"
    with log.open("wb") as output:
        try:
            process = subprocess.Popen(
                _guarded(command),
                cwd=cwd,
                env=dict(env),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as e:
            raise StepFailed(f"{command[0]} cannot be started: {e.strerror or e}") from e
        try:
            _watch(process, log, deadline, tick)
        finally:
            _end(process)
    if process.returncode != 0:
        raise StepFailed(f"exit {process.returncode}: {_last_words(log)}")


def _guarded(command: tuple[str, ...]) -> list[str]:
    """The command under a guard, so that it ends even when this process is killed."""
    guarding = ("--parent", str(os.getpid()), "--grace", "1", "--orphan-grace", "0.5", "--")
    return [sys.executable, "-I", str(Path(guard.__file__)), *guarding, *command]


def _watch(process: subprocess.Popen[bytes], log: Path, deadline: float, tick: Callable[[str], None]) -> None:
    while process.poll() is None:
        tick(_counted(log))
        if time.monotonic() >= deadline:
            raise StepFailed(f"not done at its deadline; last output: {_last_words(log)}")
        with suppress(subprocess.TimeoutExpired):
            process.wait(TICK_SECONDS)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill the group: `go` starts compilers, and an interrupted build must not leave them running."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(10)


def _counted(log: Path) -> str:
    lines = log.read_text("utf-8", "replace").splitlines()
    modules = sum(line.startswith(DOWNLOADING) for line in lines)
    packages = sum("/" in line and " " not in line for line in lines)
    counts = ((modules, "modules fetched"), (packages, "packages compiled"))
    return ", ".join(f"{count} {what}" for count, what in counts if count)


def _last_words(log: Path) -> str:
    """The end of the output without the noise of downloads and compiled package names."""
    lines = [line for line in log.read_text("utf-8", "replace").splitlines() if line.strip()]
    telling = [line for line in lines if not line.startswith(DOWNLOADING) and " " in line]
    return "\n".join(telling or lines)[-SHOWN_CHARACTERS:] or "no output"
