"""An OTLP/HTTP receiver that only counts and keeps bytes while it is measured; bodies are decoded afterwards.

The sizes are those of the HTTP body as it came over the wire (gzip), and after decompression.
"""

from __future__ import annotations

import gzip
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric, NumberDataPoint


@dataclass(frozen=True)
class Sent:
    """One request: when it came (monotonic seconds), where to, whether compressed, the body as it came."""

    at: float
    path: str
    compressed: bool
    wire: bytes

    @property
    def plain(self) -> bytes:
        """The body after decompression."""
        return gzip.decompress(self.wire) if self.compressed else self.wire


@dataclass(frozen=True)
class Contents:
    """What a request holds: data points, how many processes they are of, oldest and newest time (Unix ns), names of
    the metrics."""

    points: int
    processes: int
    first_ns: int
    last_ns: int
    metrics: frozenset[str]


@dataclass
class Receiver:
    """A server on a free loopback port, for the length of a block."""

    _sent: list[Sent] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __enter__(self) -> Receiver:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=5)

    @property
    def url(self) -> str:
        """Base URL; any path below it is taken."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def take(self, sent: Sent) -> None:
        """Keep one request."""
        with self._lock:
            self._sent.append(sent)

    def sent(self, path: str, since: float = 0.0, until: float = float("inf")) -> list[Sent]:
        """Requests to a path that came in a span of time, in order."""
        with self._lock:
            return [one for one in self._sent if one.path == path and since <= one.at < until]


def contents(sent: Sent) -> Contents:
    """Decode one request."""
    request = ExportMetricsServiceRequest.FromString(sent.plain)
    metrics = [m for r in request.resource_metrics for s in r.scope_metrics for m in s.metrics]
    times = [point.time_unix_nano for metric in metrics for point in _points(metric)]
    processes = sum(len(_points(metric)) for metric in metrics if metric.name == "process.memory.usage")
    names = frozenset(metric.name for metric in metrics)
    return Contents(len(times), processes, min(times, default=0), max(times, default=0), names)


def _points(metric: Metric) -> Sequence[NumberDataPoint]:
    data: Sequence[NumberDataPoint] = getattr(metric, metric.WhichOneof("data") or "gauge").data_points
    return data


def _handler(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 30

        def do_POST(self) -> None:
            body = self._body()
            compressed = self.headers.get("Content-Encoding", "").lower() == "gzip"
            receiver.take(Sent(time.monotonic(), self.path, compressed, body))
            self.send_response(200)
            self.send_header("Content-Type", "application/x-protobuf")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def _body(self) -> bytes:
            if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length", 0)))
            chunks = []
            while size := int(self.rfile.readline().strip(), 16):
                chunks.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(chunks)

        def log_message(self, *_: object) -> None:
            """Silence: the table is enough."""

    return Handler
