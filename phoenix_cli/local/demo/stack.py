"""The demo's own control plane and host, as child processes that end with it (or go on, with --keep)."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from chalicelib.domain.errors import Unavailable
from phoenix_cli.client import Client
from phoenix_cli.host_runtime import guard
from phoenix_cli.local.instance import DETACHED
from phoenix_cli.profile import Profile, load_profile

START_SECONDS = 60.0
STOP_SECONDS = 25.0
CATALOG = Path(__file__).parent / "catalog"


class Stack:
    """folder: of all data. keep: whether the processes outlive this one."""

    def __init__(self, folder: Path, env: Mapping[str, str], *, keep: bool, arguments: tuple[str, ...] = ()) -> None:
        self.folder, self._keep, self._arguments = folder, keep, arguments
        self._env = {**env, "PHOENIX_PROFILE": str(folder / "profile.json"), DETACHED: "1"}
        for name in ("PHOENIX_URL", "PHOENIX_TOKEN", "PHOENIX_DATA_DIR"):
            self._env.pop(name, None)
        self._children: list[tuple[str, subprocess.Popen[bytes]]] = []
        self.url = ""

    @property
    def profile(self) -> Profile:
        """How to reach the control plane."""
        return load_profile(self._env)

    def start_control_plane(self) -> Client:
        """Start it on a free port and wait until it serves. Raises Unavailable with the end of its log."""
        port = _free_port()
        self.url = f"http://127.0.0.1:{port}"
        words = ("up", "--port", str(port), "--data-dir", str(self.folder / "data"), "--catalog", str(CATALOG))
        child = self._start("control-plane", (*words, *self._arguments))
        self._wait(child, "control-plane", lambda: (self.folder / "data" / "instance.json").exists())
        return Client(self.profile)

    def start_host(self, client: Client, name: str) -> None:
        """Enrol this machine and wait until its collector is known to be healthy."""
        token = client.post("/api/v1/enrolments", {"host": name})["token"]
        words = ("host", "run", "--name", name, "--endpoint", self.url, "--data-dir", str(self.folder / "host"))
        child = self._start("host", words, {"PHOENIX_ENROLMENT": token})
        self._wait(child, "host", lambda: _healthy(client, name))

    def stop(self) -> None:
        """End what was started, last first."""
        while self._children:
            _, child = self._children.pop()
            with suppress(ProcessLookupError):
                child.send_signal(signal.SIGINT)
            try:
                child.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()

    def pids(self) -> dict[str, int]:
        """Process ids by name."""
        return {name: child.pid for name, child in self._children}

    def _start(
        self, name: str, words: tuple[str, ...], extra: Mapping[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        command = [sys.executable, "-m", "phoenix_cli", *words]
        if not self._keep:  # a guard ends the child when the demo dies by any cause
            command = [
                *(sys.executable, "-I", str(Path(guard.__file__)), "--parent", str(os.getpid())),
                *("--grace", str(STOP_SECONDS - 5), "--orphan-grace", "5", "--", *command),
            ]
        with (self.folder / f"{name}.log").open("ab") as log:
            child = subprocess.Popen(
                command,
                env={**self._env, **(extra or {})},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._children.append((name, child))
        return child

    def _wait(self, child: subprocess.Popen[bytes], name: str, ready: Callable[[], bool]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not ready():
            if child.poll() is not None or time.monotonic() > deadline:
                log = (self.folder / f"{name}.log").read_text("utf-8", "replace")[-2000:]
                raise Unavailable(f"the {name} did not start; the end of its log:\n{log}")
            time.sleep(0.1)


def _healthy(client: Client, name: str) -> bool:
    hosts = {host["name"]: host for host in client.items("/api/v1/hosts")}
    return name in hosts and bool(hosts[name]["connected"]) and bool(hosts[name]["collectorHealthy"])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
