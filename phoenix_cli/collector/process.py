"""One collector process in a folder of its own, under the guard: it ends with the block, and with us whatever kills us.

Not here: what its configuration says, and who receives what it sends.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from chalicelib.domain.errors import Unavailable
from chalicelib.domain.pipeline.document import to_yaml
from chalicelib.domain.pipeline.masking import mask_text
from phoenix_cli.host_runtime import guard

GRACE_SECONDS = 10.0
SWEEP_SECONDS = 7.0
"""How long the guard may take after that for what is left below it."""
MAX_LOG = 1024 * 1024
_STARTED = re.compile(r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z)\t", re.MULTILINE)
_WORDS = re.compile(r"^\d{4}-\d\d-\d\dT\S+\t(?:info|debug|warn)\t.*$", re.MULTILINE)


class CollectorProcess:
    """Use as a context manager, once. folder: private and empty; environment: all that the collector sees."""

    def __init__(self, binary: Path, folder: Path, config: Mapping[str, Any], environment: Mapping[str, str]) -> None:
        self._binary, self._folder, self._config = binary, folder, config
        self._environment = dict(environment)
        self._log = folder / "collector.log"
        self._launched = 0

    def __enter__(self) -> CollectorProcess:
        path = self._folder / "config.yaml"
        path.write_text(to_yaml(self._config), encoding="utf-8")
        guarding = ("--parent", str(os.getpid()), "--grace", str(GRACE_SECONDS), "--orphan-grace", "3", "--")
        self._launched = time.time_ns()
        try:
            with self._log.open("wb") as log:
                self._process = subprocess.Popen(
                    [sys.executable, "-I", str(Path(guard.__file__)), *guarding, str(self._binary), f"--config={path}"],
                    env=self._environment,
                    cwd=self._folder,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
        except OSError as error:
            raise Unavailable(f"the collector cannot be started: {error.strerror or error}") from error
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End it in order, by force after ten seconds; does nothing when it is gone."""
        with suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(GRACE_SECONDS + SWEEP_SECONDS)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(5)

    def ended(self) -> bool:
        """Whether it is gone."""
        return self._process.poll() is not None

    def started_ns(self) -> int:
        """When it began (Unix ns): the time of its first log line, or of its launch while it has said nothing."""
        found = _STARTED.search(self._text())
        if not found:
            return self._launched
        moment = datetime.fromisoformat(found[1].replace("Z", "+00:00"))
        return round(moment.timestamp() * 1000) * 1_000_000

    def words(self) -> str:
        """What it said that is no ordinary log line, without secrets and bounded."""
        plain = _WORDS.sub("", self._text()).replace(str(self._folder), "")
        lines = [line.strip() for line in plain.splitlines() if line.strip()]
        return mask_text("; ".join(dict.fromkeys(lines)))[:1000] or "it said nothing"

    def wait_listening(self, port: int, deadline: float) -> None:
        """Until it takes connections on a loopback port. deadline: monotonic seconds. Raises Unavailable."""
        while time.monotonic() < deadline:
            if self.ended():
                raise Unavailable(f"the collector ended at its start: {self.words()}")
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                return
            time.sleep(0.03)
        raise Unavailable("the collector did not start in time", hint="is the machine overloaded?")

    def _text(self) -> str:
        with suppress(OSError), self._log.open("rb") as file:
            return file.read(MAX_LOG).decode("utf-8", "replace")
        return ""


def free_port() -> int:
    """A TCP port of the loopback interface that nobody used a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
