"""One machine as a user sets it up: `phoenix up`, `phoenix host enrol`, `phoenix host run`, each a process of its own
under a folder of its own; and the proof that nothing of it is left."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import psutil

from loadsim.agent.runs import mark_prefix
from loadsim.processes.marker import marked
from phoenix_cli.binaries.resolve import resolve_collector
from phoenix_cli.host_runtime import guard
from phoenix_cli.profile import load_profile
from tests.acceptance.command_line import Phoenix
from tests.acceptance.waiting import until

ROOT = Path(__file__).resolve().parents[2]
MARK = "PHOENIX_ACCEPTANCE"
START_SECONDS = 60.0
STOP_SECONDS = 30.0
_NOT_OURS = ("PHOENIX_URL", "PHOENIX_TOKEN", "PHOENIX_DATA_DIR", "PHOENIX_PROFILE", "PHOENIX_ENROLMENT")


def free_port() -> int:
    """A loopback port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(folder: Path, mark: str) -> dict[str, str]:
    """What our commands see: this environment without another control plane's, marked, with a profile of its own."""
    kept = {key: value for key, value in os.environ.items() if key not in _NOT_OURS}
    own = {"PHOENIX_PROFILE": str(folder / "profile.json"), MARK: mark, "NO_COLOR": "1", "PYTHONPATH": str(ROOT)}
    return {**kept, **own, "COLUMNS": "200"}


def left(mark: str) -> dict[int, str]:
    """pid to command of every live process that carries the mark."""
    found = {}
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.status() != psutil.STATUS_ZOMBIE and process.environ().get(MARK) == mark:
                found[process.pid] = " ".join(process.cmdline())[:200]
    return found


class Machine:
    """Use as a context manager: leaving it stops everything and fails when a process of it is left."""

    def __init__(self, folder: Path, host: str, prefix: tuple[str, ...] = ()) -> None:
        self.folder, self.host = folder, host
        self.listen: tuple[str, ...] = ()
        """Options of `phoenix up` besides port and folder."""
        self.mark = f"at-{secrets.token_hex(6)}"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.phoenix = Phoenix(environment(folder, self.mark), folder, prefix)
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._http: httpx.Client | None = None

    def __enter__(self) -> Machine:
        return self

    def __exit__(self, *_: object) -> None:
        for name in reversed(list(self._children)):
            self.stop(name)
        if self._http:
            self._http.close()
        until("nothing of the machine is left", lambda: not self.left(), 10)

    @property
    def data(self) -> Path:
        """The control plane's data folder."""
        return self.folder / "data"

    def left(self) -> dict[int, str]:
        """Every live process of this machine: those that carry its mark, and the simulated load of its host."""
        return left(self.mark) | marked(mark_prefix(self.folder / "host" / "loadsim"))

    def up(self) -> float:
        """Start the control plane on its port and folder (again); seconds until it serves."""
        began = time.monotonic()
        child = self._start("control-plane", "up", "--port", str(self.port), "--data-dir", str(self.data), *self.listen)
        until("the control plane serves", lambda: self._serves(child), START_SECONDS)
        return time.monotonic() - began

    def enrol(self) -> None:
        """Let this machine's host in, as an operator and the host do: one makes the token, the other uses it."""
        token = self.phoenix("host", "enrol", self.host).out.strip()
        self.run_host({"PHOENIX_ENROLMENT": token})

    def run_host(self, extra: Mapping[str, str] | None = None) -> None:
        """Start `phoenix host run` and wait until its collector is healthy."""
        words = ("host", "run", "--name", self.host, "--endpoint", self.url, "--data-dir", str(self.folder / "host"))
        child = self._start("host", *words, extra=extra)
        began = time.time()

        def healthy() -> bool:
            assert child.poll() is None, self.log("host")
            found = self.get(f"/api/v1/hosts/{self.host}", missing={})
            return bool(found) and found["connected"] and found["collectorHealthy"] and found["lastSeen"] > began

        until("the host's collector is healthy", healthy, START_SECONDS)

    def get(self, path: str, missing: Any = None) -> Any:
        """A document of the API, for waiting cheaply; `missing` for what does not exist."""
        if self._http is None:
            token = load_profile(self.phoenix.env).token
            self._http = httpx.Client(base_url=self.url, headers={"Authorization": f"Bearer {token}"}, timeout=10)
        reply = self._http.get(path)
        if reply.status_code == 404:
            return missing
        assert reply.status_code == 200, reply.text
        return reply.json()

    def collector(self) -> psutil.Process:
        """The real collector process below `phoenix host run`."""
        binary = resolve_collector(os.environ, print).resolve()
        below = psutil.Process(self._children["host"].pid).children(recursive=True)
        (found,) = [one for one in below if _executable(one) == binary]
        return found

    def kill(self, name: str) -> int:
        """kill -9 the very process that a user would see ("control-plane" or "host"); its pid."""
        (real,) = psutil.Process(self._children[name].pid).children()
        os.kill(real.pid, signal.SIGKILL)
        self._children.pop(name).wait(STOP_SECONDS)
        return real.pid

    def stop(self, name: str) -> None:
        """Interrupt it, as Ctrl-C does, and wait for its end."""
        child = self._children.pop(name)
        with suppress(ProcessLookupError):
            child.send_signal(signal.SIGINT)
        try:
            child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
            raise AssertionError(f"{name} did not end within {STOP_SECONDS:g} s: {self.log(name)}") from None

    def ended(self, name: str) -> None:
        """Note that it was ended by other means, such as `phoenix down`; waits for that."""
        self._children.pop(name).wait(STOP_SECONDS)

    def log(self, name: str) -> str:
        """The end of what it printed."""
        return (self.folder / f"{name}.log").read_text("utf-8", "replace")[-3000:]

    def _start(self, name: str, *words: str, extra: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
        """Below a guard, which ends it should the test run itself be killed."""
        guarded = (*self.phoenix.prefix, sys.executable, "-I", str(Path(guard.__file__)), "--parent", str(os.getpid()))
        grace = ("--grace", str(STOP_SECONDS - 5), "--orphan-grace", "5", "--")
        with (self.folder / f"{name}.log").open("ab") as log:
            child = subprocess.Popen(
                [*guarded, *grace, *self.phoenix.words(*words)[len(self.phoenix.prefix) :]],
                cwd=self.folder,
                env={**self.phoenix.env, **(extra or {})},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._children[name] = child
        return child

    def _serves(self, child: subprocess.Popen[bytes]) -> bool:
        assert child.poll() is None, self.log("control-plane")
        with suppress(httpx.HTTPError):
            return httpx.get(f"{self.url}/healthz", timeout=2).status_code == 200
        return False


def _executable(process: psutil.Process) -> Path | None:
    with suppress(psutil.Error):
        return Path(process.exe())
    return None
