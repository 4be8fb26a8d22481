"""dynoxide, a DynamoDB-compatible engine: found by one fixed order, only in the pinned version, started and stopped.

Never another engine in its place, never a skip: what is missing is an error with the line that installs it.
"""

from __future__ import annotations

import http.client
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

VERSION = "1.5.0"
CRATE_VERSION = "3.2.0"
"""Crate 3.2.0 is product 1.5.0."""
INSTALL = (
    f"cargo install dynoxide-rs --version {CRATE_VERSION} --locked --no-default-features "
    "--features native-sqlite,http-server,cli --root .tools"
)
ROOT = Path(__file__).resolve().parents[2]
_START_SECONDS = 10.0
_STOP_SECONDS = 10.0
_TRIES = 5


class DynoxideMissing(Exception):
    """The pinned dynoxide cannot be found or started; the text says what to run."""


def resolve(environ: Mapping[str, str], root: Path = ROOT) -> Path:
    """The binary: PHOENIX_DYNOXIDE, else .tools/bin/dynoxide below `root`, else `dynoxide` on PATH.

    The first that is set or exists is taken and must have the pinned version; raises `DynoxideMissing`.
    """
    named = environ.get("PHOENIX_DYNOXIDE")
    local = root / ".tools" / "bin" / "dynoxide"
    on_path = shutil.which("dynoxide", path=environ.get("PATH", ""))
    if named:
        found = Path(named)
    elif local.is_file():
        found = local
    elif on_path:
        found = Path(on_path)
    else:
        raise DynoxideMissing(f"dynoxide {VERSION} is not installed. Run in the repository: {INSTALL}")
    _demand_version(found)
    return found


def _demand_version(binary: Path) -> None:
    try:
        done = subprocess.run([str(binary), "--version"], capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired) as e:
        raise DynoxideMissing(f"{binary} cannot be run ({e}). Run in the repository: {INSTALL}") from e
    said = done.stdout.strip()
    if said != f"dynoxide {VERSION}":
        raise DynoxideMissing(
            f"{binary} says {said[:80]!r}, wanted dynoxide {VERSION}. Run in the repository: {INSTALL}"
        )


@dataclass(frozen=True)
class Dynoxide:
    """One running server on the loopback interface."""

    process: subprocess.Popen[bytes]
    port: int

    @property
    def endpoint(self) -> str:
        """The URL for clients."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """Process id."""
        return self.process.pid

    def stop(self) -> None:
        """End it in order (SIGTERM), by force after ten seconds."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End it at once (SIGKILL), as a crash would."""
        self.process.kill()
        self.process.wait(_STOP_SECONDS)


def start(binary: Path, db_path: Path | None = None, port: int | None = None) -> Dynoxide:
    """A server that answers; in memory unless `db_path`. Raises `DynoxideMissing` with its own last words."""
    words = ""
    for _ in range(_TRIES):
        chosen = port or _free_port()
        command = [str(binary), "--log", "quiet", "--port", str(chosen)]
        if db_path is not None:
            command += ["--db-path", str(db_path)]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        server = Dynoxide(process, chosen)
        if _ready(server):
            return server
        server.stop()
        words = process.stderr.read(2000).decode("utf-8", "replace") if process.stderr else ""
    raise DynoxideMissing(f"{binary} did not answer within {_START_SECONDS} s, {_TRIES} times: {words.strip()}")


@contextmanager
def running(binary: Path, db_path: Path | None = None) -> Iterator[Dynoxide]:
    """A server for the length of a block."""
    server = start(binary, db_path)
    try:
        yield server
    finally:
        server.stop()


def _ready(server: Dynoxide) -> bool:
    """Whether it answers before the deadline; False at once when it has ended (the port was taken meanwhile)."""
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and server.process.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=1)
        try:
            connection.request("GET", "/")
            if connection.getresponse().status == 200:
                return True
        except OSError:
            time.sleep(0.01)
        finally:
            connection.close()
    return False


def _free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])
