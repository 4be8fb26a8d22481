"""How many scrapes a collector really did, and how many series left its pipeline, by its own counters.

On a busy machine a collector misses intervals; a cost per scrape must be divided by the scrapes that happened. The
counters are pulled, twice a round, from a Prometheus reader that is added to the configuration for this.
"""

from __future__ import annotations

import copy
import re
import secrets
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from bench.instruments.running import BenchFailed

FIRST, LAST = "memory_limiter", "resource/deployed"
"""The processors that see each scrape once: right behind the receiver, and right before the exporter."""
_READY_SECONDS = 30.0
_CALLS = "otelcol_processor_internal_duration_count"
_POINTS = "otelcol_processor_incoming_items"
_LINE = re.compile(r'^(\w+)\{[^}]*processor="([^"]+)"[^}]*\} (\S+)$')


@dataclass(frozen=True)
class Counters:
    """Since the collector started: scrapes read, scrapes that left the pipeline, data points in these."""

    scrapes: int
    left: int
    points: int

    def since(self, before: Counters) -> Counters:
        """What came in between."""
        return Counters(self.scrapes - before.scrapes, self.left - before.left, self.points - before.points)


def with_reader(config: Mapping[str, Any], port: int) -> dict[str, Any]:
    """The configuration with one more telemetry reader, on a loopback port."""
    out: dict[str, Any] = copy.deepcopy(dict(config))
    metrics = out["service"]["telemetry"]["metrics"]
    metrics["level"] = "detailed"
    reader = {"pull": {"exporter": {"prometheus": {"host": "127.0.0.1", "port": port}}}}
    metrics["readers"] = [*metrics["readers"], reader]
    return out


def pull(port: int) -> Counters:
    """Ask the collector; waits until it listens. Raises BenchFailed at the deadline."""
    deadline = time.monotonic() + _READY_SECONDS
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=_READY_SECONDS) as answer:
                return parse(answer.read().decode())
        except (urllib.error.URLError, OSError) as error:
            if time.monotonic() > deadline:
                raise BenchFailed(f"the collector's telemetry does not answer: {error}") from error
            time.sleep(0.05)


def parse(text: str) -> Counters:
    """The counters out of a Prometheus page; what is not there yet is 0 (nothing was scraped)."""
    found = {(m[1], m[2]): float(m[3]) for line in text.splitlines() if (m := _LINE.match(line))}
    keys = ((_CALLS, FIRST), (_CALLS, LAST), (_POINTS, LAST))
    return Counters(*(int(found.get(key, 0)) for key in keys))


def free_port() -> int:
    """A port that nobody listens on now, below those that the kernel gives to connections: a collector binds it only a
    moment later."""
    while True:
        port = secrets.choice(range(20_000, 32_000))
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
