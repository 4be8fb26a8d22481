"""Running a collector for a few seconds: own folder, no environment but dummies, limits, deadlines, and its end."""

from __future__ import annotations

import http.client
import json
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from chalicelib.adapters.collector import confined
from chalicelib.adapters.collector.confined import MAX_LOG
from chalicelib.adapters.collector.scrapes import request
from chalicelib.adapters.collector.sinks import Sinks
from chalicelib.adapters.collector.validator import REMEDY, clean_message, dummy
from chalicelib.domain.errors import Unavailable
from chalicelib.domain.pipeline.document import to_yaml
from chalicelib.domain.pipeline.masking import mask_text
from chalicelib.domain.validation.outcome import Hidden, Outcome
from chalicelib.domain.validation.population import Scrape

DEADLINE_S = 8.0
"""From start to end of one collector: one or two runs and `validate` have to fit into one request."""
AT_ONCE = 2
QUEUE_S = 3.0
"""How long a trial waits for its turn."""
_STOP_S = 3.0
_PORT_TRIES = 3
_TAKEN = "address already in use"
_FAILED = ("failed to eval condition", "failed to execute statement")


class CollectorTrials:
    """Implements ports.collector.ConfigTrials with a collector binary; at most two run at once."""

    def __init__(self, binary: Path | None, *, deadline_s: float = DEADLINE_S, queue_s: float = QUEUE_S) -> None:
        self._binary = binary
        self._deadline_s = deadline_s
        self._queue_s = queue_s
        self._places = threading.BoundedSemaphore(AT_ONCE)

    def run(
        self, make: Callable[[str, str], Mapping[str, Any]], scrapes: Sequence[Scrape], environment: frozenset[str]
    ) -> Outcome:
        """See ConfigTrials."""
        if self._binary is None:
            raise Unavailable("no collector is known that could run these pipelines", hint=REMEDY)
        if not self._places.acquire(timeout=self._queue_s):
            raise Unavailable(f"{AT_ONCE} other trials are running", hint="try again in a few seconds")
        try:
            for _ in range(_PORT_TRIES):
                outcome = self._once(self._binary, make, scrapes, environment)
                if _TAKEN not in outcome.failure:
                    break
            return outcome
        finally:
            self._places.release()

    def _once(
        self,
        binary: Path,
        make: Callable[[str, str], Mapping[str, Any]],
        scrapes: Sequence[Scrape],
        environment: frozenset[str],
    ) -> Outcome:
        with tempfile.TemporaryDirectory(prefix="phoenix-trial-") as folder, Sinks() as sinks:
            port = _free_port()
            path = Path(folder) / "config.yaml"
            path.write_text(to_yaml(make(f"127.0.0.1:{port}", sinks.url)), encoding="utf-8")
            run = _Run(binary, path, {name: dummy(name) for name in environment}, self._deadline_s)
            with run:
                failure, refused = run.feed(port, [request(scrape) for scrape in scrapes])
            if sinks.full:
                failure = failure or "the pipelines multiply the scrape beyond what a trial takes"
            points = {} if failure else sinks.received()
            return Outcome(points, failure or run.failure, refused, tuple(_hidden(run.log())))


class _Run:
    """One collector process; use as a context manager, once."""

    def __init__(self, binary: Path, config: Path, environment: Mapping[str, str], deadline_s: float) -> None:
        launcher = (sys.executable, "-I", "-S", str(Path(confined.__file__)))
        self._command = [*launcher, str(binary.resolve()), f"--config={config}"]
        self._config, self._log = config, config.with_name("log")
        self._environment = environment
        self._end = time.monotonic() + deadline_s
        self._deadline_s = deadline_s
        self.failure = ""

    def __enter__(self) -> _Run:
        try:
            with self._log.open("wb") as log:
                self._process = subprocess.Popen(
                    self._command,
                    env=dict(self._environment),
                    cwd=self._config.parent,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
        except OSError as error:
            raise Unavailable(f"the collector cannot be started: {error.strerror}", hint=REMEDY) from error
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGINT)
        try:
            code = self._process.wait(max(self._end - time.monotonic(), _STOP_S))
        except subprocess.TimeoutExpired:
            self.failure = "the collector did not end in time"
        else:
            self.failure = "" if code == 0 else self._words() or f"the collector ended with code {code}"
        finally:
            self._process.kill()
            self._process.wait()

    def feed(self, port: int, bodies: Sequence[bytes]) -> tuple[str, str]:
        """(why nothing could be fed, the collector's words about a scrape that it refused); "" each for none."""
        if failure := self._listens(port):
            return failure, ""
        try:
            for body in bodies:
                if refused := self._post(port, body):
                    return "", refused
        except OSError as error:
            dead = self._process.poll() is not None
            return self._words() if dead else f"the collector took no scrape: {error or type(error).__name__}", ""
        except http.client.HTTPException as error:
            return f"the collector answered no HTTP: {type(error).__name__}", ""
        return "", ""

    def log(self) -> str:
        """What it said, bounded."""
        with suppress(OSError), self._log.open("rb") as file:
            return file.read(MAX_LOG).decode("utf-8", "replace")
        return ""

    def _listens(self, port: int) -> str:
        while time.monotonic() < self._end:
            if self._process.poll() is not None:
                return self._words() or f"the collector ended with code {self._process.returncode}"
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                return ""
            time.sleep(0.03)
        return f"the collector did not start within {self._deadline_s:g} s"

    def _post(self, port: int, body: bytes) -> str:
        left = max(self._end - time.monotonic(), 0.1)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=left)
        try:
            connection.request("POST", "/v1/metrics", body, {"Content-Type": "application/x-protobuf"})
            answer = connection.getresponse()
            text = answer.read(16_384)
        finally:
            connection.close()
        return "" if answer.status == 200 else _refusal(answer.status, text)

    def _words(self) -> str:
        plain = [line for line in self.log().splitlines() if line and not line.startswith(("{", "\t"))]
        return clean_message("\n".join(plain[:20]), self._config)


def _refusal(status: int, body: bytes) -> str:
    """The message of a google.rpc.Status, whose second field it is; printable parts are enough to read it."""
    words = "".join(char if char.isprintable() else " " for char in body.decode("utf-8", "replace")).strip(" �")
    return mask_text(words)[:1000] or f"HTTP {status}"


def _hidden(log: str) -> Iterable[Hidden]:
    """Failures that the collector only logs, in the order of the log."""
    for line in log.splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict) and entry.get("msg") in _FAILED:
            words = mask_text(str(entry.get("error", "")))[:300]
            yield Hidden(str(entry.get("otelcol.component.id", "")), words)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
