"""A host runtime in a process of its own, so that tests can kill it; run as a program it is that process.

What the process tells (ready, notes) comes line by line; `family` finds everything below it.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import psutil

from phoenix_cli.host_runtime.config import HostConfig
from phoenix_cli.host_runtime.runtime import run_host

ROOT = Path(__file__).resolve().parents[3]


class HostProcess:
    """Start with `with HostProcess(...) as host`; leaving ends it and fails the test when anything survives."""

    def __init__(self, endpoint: str, data_dir: Path, binaries: Mapping[str, Path], **settings: Any) -> None:
        self.data_dir = data_dir
        self.said: list[str] = []
        self._settings = {
            "endpoint": endpoint,
            "host": "vm-a",
            "token": "phx_scratch",
            "data_dir": str(data_dir),
            "collector": str(binaries["collector"]),
            "supervisor": str(binaries["supervisor"]),
            "load_agent": [],
            "status_seconds": 1.0,
            **settings,
        }
        self._seen: dict[int, psutil.Process] = {}

    def __enter__(self) -> HostProcess:
        self.process = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(self._settings))
        self.process.stdin.close()
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.family()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(30)
        survivors = self.survivors(8.0)
        for survivor in survivors:
            survivor.kill()
        assert not survivors, f"left behind: {survivors}"

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(line.rstrip())

    def wait_said(self, text: str, seconds: float = 20.0) -> None:
        """Wait until a line with this text was said."""
        wait_for(lambda: any(text in line for line in self.said), seconds, lambda: f"{text!r} in {self.said}")

    def family(self) -> dict[str, psutil.Process]:
        """The living processes below this one: guard, supervisor, collector, and what else runs, by file name."""
        found: dict[str, psutil.Process] = {}
        for process in psutil.Process(self.process.pid).children(recursive=True) if self.process.poll() is None else []:
            self._seen[process.pid] = process
            try:
                found[_name(process.cmdline(), self._settings)] = process
            except psutil.Error:
                continue
        return found

    def survivors(self, seconds: float) -> list[psutil.Process]:
        """Of all processes ever seen below this one, those that still live after at most so many seconds."""
        deadline = time.monotonic() + seconds
        while (left := [one for one in self._seen.values() if _lives(one)]) and time.monotonic() < deadline:
            time.sleep(0.05)
        return left


def _lives(process: psutil.Process) -> bool:
    # Not psutil.wait_procs: a process that ends while it is looked up is an error to it on some kernels.
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _name(command: list[str], settings: Mapping[str, Any]) -> str:
    if any("guard.py" in part for part in command):
        return "guard"
    for role in ("supervisor", "collector"):
        if command and command[0] == settings[role]:
            return role
    return " ".join(command)


def wait_for(condition: Callable[[], object], seconds: float, what: Callable[[], str]) -> float:
    """Wait for a condition; the seconds it took. Fails with what() at the deadline."""
    start = time.monotonic()
    while not condition():
        assert time.monotonic() - start < seconds, f"not within {seconds} s: {what()}"
        time.sleep(0.02)
    return time.monotonic() - start


def main() -> int:
    settings = json.load(sys.stdin)
    for name in ("data_dir", "collector", "supervisor"):
        settings[name] = Path(settings[name])
    settings["load_agent"] = tuple(settings["load_agent"])
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        config = HostConfig(environment=os.environ, **settings)
        return run_host(config, on_ready=lambda: print("ready", flush=True), stop_event=stop)
    except Exception as e:
        print(f"{type(e).__name__}: {e}", flush=True)
        return 1


if __name__ == "__main__":
    sys.exit(main())
