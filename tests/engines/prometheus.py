"""A real Prometheus that takes remote write: found by one fixed order, started on a free port, stopped by its pid.

Never a stand-in, never a skip: what is missing is an error with the line that installs it.
"""

from __future__ import annotations

import http.client
import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

ROOT = Path(__file__).resolve().parents[2]
INSTALL = "sh setup/prometheus.sh (Debian), or https://prometheus.io/download/, or set PHOENIX_PROMETHEUS"
_START_SECONDS, _STOP_SECONDS, _TRIES = 60.0, 20.0, 5


class PrometheusMissing(Exception):
    """No Prometheus can be found or started; the text says what to do."""


def resolve(environ: Mapping[str, str], root: Path = ROOT) -> Path:
    """The binary: PHOENIX_PROMETHEUS, else .tools/bin/prometheus below `root`, else `prometheus` on PATH. Raises
    `PrometheusMissing`."""
    named, local = environ.get("PHOENIX_PROMETHEUS"), root / ".tools" / "bin" / "prometheus"
    found = named or (str(local) if local.is_file() else shutil.which("prometheus", path=environ.get("PATH", "")))
    if not found:
        raise PrometheusMissing(f"prometheus is not installed: {INSTALL}")
    try:
        done = subprocess.run([found, "--version"], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired) as e:
        raise PrometheusMissing(f"{found} cannot be run ({e}): {INSTALL}") from e
    if not (done.stdout + done.stderr).startswith("prometheus, version"):
        raise PrometheusMissing(f"{found} is no Prometheus: {INSTALL}")
    return Path(found)


@dataclass(frozen=True)
class Prometheus:
    """One running server on the loopback interface."""

    process: subprocess.Popen[bytes]
    port: int

    @property
    def url(self) -> str:
        """Base URL of its API."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def remote_write(self) -> str:
        """Where it takes remote write."""
        return f"{self.url}/api/v1/write"

    def query(self, promql: str) -> list[dict[str, Any]]:
        """The series of an instant query now."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("GET", "/api/v1/query?" + urlencode({"query": promql}))
            answer = json.loads(connection.getresponse().read())
        finally:
            connection.close()
        assert answer["status"] == "success", answer
        found: list[dict[str, Any]] = answer["data"]["result"]
        return found

    def stop(self) -> None:
        """End it in order, by force after a while."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(_STOP_SECONDS)


@contextmanager
def running(binary: Path, folder: Path, scrape: str = "") -> Iterator[Prometheus]:
    """A server for the length of a block. folder: its own. scrape: its scrape_configs, as YAML."""
    (folder / "prometheus.yml").write_text(f"global: {{scrape_interval: 1s}}\n{scrape}", "utf-8")
    server = _start(binary, folder)
    try:
        yield server
    finally:
        server.stop()


def _start(binary: Path, folder: Path) -> Prometheus:
    log = folder / "prometheus.log"
    for _ in range(_TRIES):
        port = _free_port()
        command = [
            str(binary),
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--web.enable-remote-write-receiver",
        ]
        with log.open("wb") as out:
            process = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        server = Prometheus(process, port)
        if _ready(server):
            return server
        server.stop()
    raise PrometheusMissing(f"{binary} did not start, {_TRIES} times: {log.read_text('utf-8', 'replace')[-1000:]}")


def _ready(server: Prometheus) -> bool:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and server.process.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
        with suppress(OSError):
            connection.request("GET", "/-/ready")
            if connection.getresponse().status == 200:
                return True
        connection.close()
        time.sleep(0.05)
    return False


def _free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])
