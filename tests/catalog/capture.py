"""An OTLP/HTTP receiver for tests: keeps every request it was sent, decoded, by path. No judgement here."""

from __future__ import annotations

import gzip
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import ResourceMetrics


@dataclass
class Received:
    """One request."""

    headers: dict[str, str]
    body: ExportMetricsServiceRequest


@dataclass
class Capture:
    """A running server on a free port of an address. `down_until` (monotonic seconds) answers 503 for /v1/metrics."""

    address: str = "127.0.0.1"
    down_until: float = 0.0
    refused: int = 0
    _requests: dict[str, list[Received]] = field(default_factory=lambda: defaultdict(list))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __enter__(self) -> Capture:
        self._server = ThreadingHTTPServer((self.address, 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=5)

    @property
    def url(self) -> str:
        return f"http://{self.address}:{self._server.server_address[1]}"

    def requests(self, path: str) -> list[Received]:
        with self._lock:
            return list(self._requests[path])

    def wait_for(self, path: str, count: int, deadline_s: float) -> None:
        """Until so many requests came in. AssertionError after the deadline."""
        deadline = time.monotonic() + deadline_s
        while (got := len(self.requests(path))) < count:
            assert time.monotonic() < deadline, f"{got} of {count} requests at {path} in {deadline_s:g} s"
            time.sleep(0.05)

    def resources(self, path: str) -> list[ResourceMetrics]:
        return [resource for request in self.requests(path) for resource in request.body.resource_metrics]

    def take(self, path: str, headers: dict[str, str], body: bytes) -> int:
        if path == "/v1/metrics" and time.monotonic() < self.down_until:
            self.refused += 1
            return 503
        plain = gzip.decompress(body) if headers.get("content-encoding") == "gzip" else body
        received = Received(headers, ExportMetricsServiceRequest.FromString(plain))
        with self._lock:
            self._requests[path].append(received)
        return 200

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        capture = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 30

            def do_POST(self) -> None:
                body = self._body()
                headers = {key.lower(): value for key, value in self.headers.items()}
                status = capture.take(self.path, headers, body)
                self.send_response(status)
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
                """Silence: the test's own output is enough."""

        return Handler
