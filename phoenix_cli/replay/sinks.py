"""What a replaying collector sends, taken in scrape by scrape: sizes as sent, points by name, critical processes.

Scrapes are fed one by one and answered when all is delivered, so whatever arrives belongs to the scrape that is being
fed. Nothing is judged here.
"""

from __future__ import annotations

import gzip
import zlib
from collections import Counter, defaultdict
from dataclasses import dataclass, field

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric

from chalicelib.domain.pipeline.kpi import CRITICAL_PROCESSES, SERIES
from phoenix_cli.recording.points import NAME, PID, count, value
from phoenix_cli.replay.configuration import COUNTS, OUTPUT

MAX_CRITICAL = 2_000
"""Critical processes in one scrape of one stream, as many as a control plane takes."""
_PATTERN, _VARIANT = "phoenix.critical", "phoenix.variant"
Critical = dict[tuple[str, int], str]
"""Critical processes of a scrape: pattern and pid to name."""


@dataclass
class Stream:
    """What was received of one pipeline (or of the raw stream, where only counts are): one entry a scrape."""

    points: list[int] = field(default_factory=list)
    plain_bytes: list[int] = field(default_factory=list)
    wire_bytes: list[int] = field(default_factory=list)
    counted: list[int | None] = field(default_factory=list)
    """Series by the counting branch that hosts have; None: it said nothing."""
    critical: list[Critical] = field(default_factory=list)
    by_name: Counter[str] = field(default_factory=Counter)
    """Points over all scrapes."""
    series: set[int] = field(default_factory=set)

    def begin(self) -> None:
        """A new scrape."""
        for values in (self.points, self.plain_bytes, self.wire_bytes):
            values.append(0)
        self.counted.append(None)
        self.critical.append({})


class ReplaySinks:
    """Takes requests (`collector.intake`). streams: by number of the pipeline; -1 is the raw stream."""

    def __init__(self) -> None:
        self.streams: dict[int, Stream] = defaultdict(Stream)
        self._known: tuple[int, ...] = ()

    def begin_scrape(self, pipelines: int) -> None:
        """From now on requests belong to the next scrape."""
        for number in range(-1, pipelines):
            self.streams[number].begin()

    def take(self, name: str, encoding: str, body: bytes) -> int:
        """One request of the collector; the status to answer."""
        kind, number = _sink(name)
        try:
            plain = gzip.decompress(body) if encoding == "gzip" else body
            request = ExportMetricsServiceRequest.FromString(plain)
        except (DecodeError, OSError, EOFError, zlib.error):
            return 400
        if kind == OUTPUT:
            self._output(self.streams[number], request, len(plain), len(body))
        elif kind == COUNTS:
            self._counts(number, request)
            if any(len(stream.critical[-1]) > MAX_CRITICAL for stream in self.streams.values()):
                return 400
        else:
            return 404
        return 200

    @staticmethod
    def _output(stream: Stream, request: ExportMetricsServiceRequest, plain: int, wire: int) -> None:
        counted = count(request, stream.series)
        stream.points[-1] += counted.points
        stream.plain_bytes[-1] += plain
        stream.wire_bytes[-1] += wire
        stream.by_name.update(counted.by_name)

    def _counts(self, number: int, request: ExportMetricsServiceRequest) -> None:
        for resource in request.resource_metrics:
            said = {pair.key: value(pair) for pair in resource.resource.attributes}
            stream = self.streams[-1 if said.get(_VARIANT) == "raw" else number]
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    _count(stream, metric)


def _count(stream: Stream, metric: Metric) -> None:
    if metric.name == SERIES:
        stream.counted[-1] = (stream.counted[-1] or 0) + sum(point.as_int for point in metric.sum.data_points)
    elif metric.name == CRITICAL_PROCESSES:
        for point in metric.sum.data_points:
            said = {pair.key: value(pair) for pair in point.attributes}
            if isinstance(said.get(PID), int):
                stream.critical[-1][str(said.get(_PATTERN)), said[PID]] = str(said.get(NAME, ""))


def _sink(name: str) -> tuple[str, int]:
    first = name.partition("/")[0]
    for kind in (OUTPUT, COUNTS):
        if first.startswith(kind) and first.removeprefix(kind).isdigit():
            return kind, int(first.removeprefix(kind))
    return "", -1
