"""Recording this machine: a stock collector with the process scraper, as the assembly configures it, and a loopback
receiver that redacts each scrape and writes it down before the collector gets its answer.
"""

from __future__ import annotations

import gzip
import threading
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from chalicelib.domain.errors import PhoenixError, Unavailable
from chalicelib.domain.experiment.spec import Backend
from chalicelib.domain.pipeline import parts
from phoenix_cli.collector.intake import Intake
from phoenix_cli.collector.process import CollectorProcess
from phoenix_cli.recording.form import Header
from phoenix_cli.recording.redaction import Redactor
from phoenix_cli.recording.writer import RecordingWriter, Why

FIRST_SECONDS = 60.0
"""How long the first scrape may take, beyond its interval."""
_TURN_SECONDS = 0.1


@dataclass(frozen=True)
class Wanted:
    """What to record. duration_s: from the first scrape on."""

    host: str
    interval_s: float
    duration_s: float
    scraper_metrics: tuple[str, ...]
    patterns: tuple[str, ...]
    collector_version: str
    cpu_count: int


@dataclass(frozen=True)
class Standing:
    """Where a recording stands. elapsed_s: since the first scrape."""

    scrapes: int
    processes: int
    size: int
    elapsed_s: float


def record(
    wanted: Wanted,
    writer: RecordingWriter,
    redactor: Redactor,
    collector: Path,
    *,
    stop: threading.Event,
    report: Callable[[Standing], None],
) -> Why:
    """Record until the time is over, the file is full or `stop` is set; then the file has its name. Returns why it
    ended. Raises Unavailable when the collector or the disk fails; TooLarge for a scrape beyond any bound."""
    began = time.time()
    taking = _Taking(writer, redactor)
    try:
        with (
            TemporaryDirectory(prefix="phoenix-record-") as folder,
            Intake(taking.take) as intake,
            CollectorProcess(collector, Path(folder), _config(wanted, intake.url), {}) as running,
        ):
            taking.header = lambda: _header(wanted, running.started_ns(), began)
            why = _wait(wanted, taking, running, stop, report)
            taking.closed = True
        if taking.failure:
            raise taking.failure
        writer.finish(why, time.time(), redactor.counts)
    finally:
        writer.abandon()
    return why


class _Taking:
    """Takes each scrape in; keeps the first failure for the thread that waits."""

    def __init__(self, writer: RecordingWriter, redactor: Redactor) -> None:
        self._writer, self._redactor = writer, redactor
        self.header: Callable[[], Header] | None = None
        self.failure: PhoenixError | None = None
        self.full = False
        self.closed = False
        self.first_at: float | None = None
        self.last_at = 0.0
        self.processes = 0

    def take(self, name: str, encoding: str, body: bytes) -> int:
        """One scrape. What does not get into the file is refused for good."""
        if self.failure or self.full or self.closed or self.header is None:
            return 400
        try:
            request = ExportMetricsServiceRequest.FromString(gzip.decompress(body) if encoding == "gzip" else body)
        except (DecodeError, OSError, EOFError, zlib.error):
            return 400
        try:
            self._redactor.apply(request)
            if self.first_at is None:
                self._writer.begin(self.header())
            self.full = not self._writer.add(request.SerializeToString())
        except PhoenixError as error:
            self.failure = error
            return 400
        self.last_at = time.monotonic()
        self.first_at = self.first_at or self.last_at
        self.processes = len(request.resource_metrics)
        return 200

    def standing(self) -> Standing:
        elapsed = time.monotonic() - self.first_at if self.first_at else 0.0
        return Standing(self._writer.scrapes, self.processes, self._writer.size, elapsed)


def _wait(
    wanted: Wanted,
    taking: _Taking,
    running: CollectorProcess,
    stop: threading.Event,
    report: Callable[[Standing], None],
) -> Why:
    deadline = time.monotonic() + wanted.interval_s + FIRST_SECONDS
    while True:
        report(taking.standing())
        if taking.failure:
            return "collector"
        if taking.first_at is not None:
            deadline = taking.last_at + 3 * wanted.interval_s + FIRST_SECONDS
        if why := _over(wanted, taking, stop):
            return why
        if running.ended() or time.monotonic() > deadline:
            if taking.first_at is None:
                raise Unavailable(f"the collector sent no scrape: {running.words()}")
            return "collector"
        stop.wait(_TURN_SECONDS)


def _over(wanted: Wanted, taking: _Taking, stop: threading.Event) -> Why | None:
    if taking.first_at is None:
        if stop.is_set():
            raise Unavailable("interrupted before the first scrape: nothing was recorded")
        if taking.full:
            raise Unavailable("not even one scrape fits into the file", hint="allow more with --max-size")
        return None
    if taking.full:
        return "size"
    if stop.is_set():
        return "interrupted"
    return "duration" if time.monotonic() - taking.first_at >= wanted.duration_s else None


def _config(wanted: Wanted, url: str) -> Mapping[str, Any]:
    """One scrape, one request, answered when it is in the file: what cannot be written must not pile up."""
    exporter = parts.exporter(Backend(otlp=f"{url}/scrapes"), wanted.interval_s)
    exporter |= {"compression": "none", "sending_queue": {"enabled": False}, "retry_on_failure": {"enabled": False}}
    return {
        "receivers": {"hostmetrics": parts.receiver(wanted.interval_s, wanted.scraper_metrics)},
        "exporters": {"otlp_http": exporter},
        "service": {
            "telemetry": {"metrics": {"level": "none", "readers": []}},
            "pipelines": {"metrics": {"receivers": ["hostmetrics"], "exporters": ["otlp_http"]}},
        },
    }


def _header(wanted: Wanted, started_ns: int, began: float) -> Header:
    return Header(
        host=wanted.host,
        interval_s=wanted.interval_s,
        started_at=began,
        collector_started_ns=started_ns,
        scraper_metrics=wanted.scraper_metrics,
        patterns=wanted.patterns,
        collector_version=wanted.collector_version,
        cpu_count=wanted.cpu_count,
    )
