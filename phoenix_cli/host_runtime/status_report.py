"""Telling the control plane how this host's collector is: on change and regularly, for as long as the host runs.

The control plane may be away for hours; nothing here stops the host. Not here: what there is to tell (status_board.py).
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import httpx

from phoenix_cli.host_runtime.config import HostConfig
from phoenix_cli.host_runtime.facts import HostFacts
from phoenix_cli.host_runtime.secrets_in_text import redact
from phoenix_cli.host_runtime.start_errors import LONGEST_TEXT
from phoenix_cli.host_runtime.status_board import CollectorError, StatusBoard

REQUEST_SECONDS = 5.0
MOST_COLLECTORS = 2
"""What this runtime can run: the host's own, and a second one (second.py)."""
FIRST_DELAY_SECONDS = 1.0
LONGEST_DELAY_SECONDS = 60.0
REFUSALS = {
    401: "the control plane does not accept this host's token (401): enrol the host again",
    403: "this host's token is not allowed to speak for {host} (403): enrol the host again under its name",
    404: "the control plane does not know the host {host} (404): it was removed; enrol it again",
}


class StatusReport:
    """A thread that sends `PUT /api/v1/hosts/{host}/status`. Start once, stop once."""

    def __init__(
        self, config: HostConfig, facts: HostFacts, board: StatusBoard, *, note: Callable[[str], None]
    ) -> None:
        self._config = config
        self._facts = facts
        self._board = board
        self._note = note
        self._said = ""
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="status-report")
        self._jitter = random.SystemRandom()

    def start(self) -> None:
        """Start sending."""
        self._thread.start()

    def stop(self) -> None:
        """Stop; waits no longer than one request may take."""
        self._stopping.set()
        self._board.changed.set()
        self._thread.join(REQUEST_SECONDS + 1.0)

    def _run(self) -> None:
        url = f"{self._config.endpoint.rstrip('/')}/api/v1/hosts/{quote(self._config.host, safe='')}/status"
        headers = {"Authorization": f"Bearer {self._config.token}"}
        failures = 0
        with httpx.Client(timeout=REQUEST_SECONDS, headers=headers) as client:
            while not self._stopping.is_set():
                self._board.changed.clear()
                failure = self._send(client, url)
                failures = failures + 1 if failure else 0
                self._say(failure)
                if failures:
                    self._stopping.wait(self._delay(failures))
                elif not self._board.delivered():
                    self._board.changed.wait(self._config.status_seconds)

    def _send(self, client: httpx.Client, url: str) -> str:
        """Why it did not arrive; "" when it did."""
        try:
            reply = client.put(url, json=status_body(self._config, self._facts, self._board.pending(time.time())))
        except httpx.HTTPError as e:
            return f"the control plane at {self._config.endpoint} is away ({type(e).__name__}); the host goes on"
        if reply.is_success:
            return ""
        known = REFUSALS.get(reply.status_code, "")
        return known.format(host=self._config.host) or (
            f"the control plane answers {reply.status_code} to this host's status; the host goes on"
        )

    def _delay(self, failures: int) -> float:
        """Doubles from one second to a minute; half to whole of it at random, so that hosts do not return together."""
        longest = min(FIRST_DELAY_SECONDS * float(2 ** min(failures - 1, 10)), LONGEST_DELAY_SECONDS)
        return longest * self._jitter.uniform(0.5, 1.0)

    def _say(self, failure: str) -> None:
        """Each state once: a host that is refused for a day must not write a line every minute."""
        if failure == self._said:
            return
        self._note(failure or "the control plane answers again")
        self._said = failure


def status_body(config: HostConfig, facts: HostFacts, error: CollectorError | None) -> dict[str, Any]:
    """The JSON of one status, as chalicelib.domain.host.HostFacts reads it; the error's text is cleaned of secrets."""
    return {
        "agentVersion": facts.agent_version,
        "collectorVersion": facts.collector_version,
        "cpuCount": facts.cpu_count,
        "memoryBytes": facts.memory_bytes,
        "bootId": facts.boot_id,
        "collectors": MOST_COLLECTORS,
        "collectorError": error
        and {
            "text": redact(error.text, config.token)[:LONGEST_TEXT],
            "at": round(error.at, 3),
            "marker": error.marker,
            "second": error.second,
        },
    }
