"""A loopback HTTP server that keeps what a trial's collector sends, by sink, up to a limit. Nothing is judged here."""

from __future__ import annotations

import secrets
import threading
from collections import defaultdict
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from chalicelib.adapters.collector.scrapes import points
from chalicelib.domain.validation.outcome import Point

MAX_BYTES = 128 * 1024 * 1024
"""Of all requests of one trial: a hundred sinks of a scrape of about 1 MB."""
_READ_S = 5.0


class Sinks:
    """Use as a context manager. The path holds a secret of this run: nobody else on the machine can add to it."""

    def __init__(self) -> None:
        self._secret = secrets.token_hex(16)
        self._bodies: dict[str, list[bytes]] = defaultdict(list)
        self._lock = threading.Lock()
        self._left = MAX_BYTES
        self.full = False

    def __enter__(self) -> Sinks:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=_READ_S)

    @property
    def url(self) -> str:
        """Base URL of the sinks."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/{self._secret}"

    def received(self) -> Mapping[str, tuple[Point, ...]]:
        """Points by sink, in the order of their arrival."""
        with self._lock:
            bodies = {name: list(parts) for name, parts in self._bodies.items()}
        return {name: tuple(point for body in parts for point in _decoded(body)) for name, parts in bodies.items()}

    def take(self, path: str, body: bytes) -> int:
        """Keep a request; the HTTP status to answer."""
        secret, _, name = path.removeprefix("/").partition("/")
        if not secrets.compare_digest(secret.encode(), self._secret.encode()):
            return 404
        with self._lock:
            self._left -= len(body)
            if self._left < 0:
                self.full = True
                return 400
            self._bodies[name].append(body)
        return 200

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        sinks = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = _READ_S

            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length", -1))
                status = 413 if not 0 <= length <= MAX_BYTES else sinks.take(self.path, self.rfile.read(length))
                self.close_connection = status == 413
                self.send_response(status)
                self.send_header("Content-Type", "application/x-protobuf")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Silence: what arrives is counted, not told."""

        return Handler


def _decoded(body: bytes) -> list[Point]:
    request = ExportMetricsServiceRequest()
    try:
        request.ParseFromString(body)
    except DecodeError:
        return []
    return list(points(request))
