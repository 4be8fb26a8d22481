"""A loopback HTTP server that hands every request of our own collector to one function. It judges nothing.

The path holds a secret of this run, so that nobody else on the machine can add to it.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MAX_BODY = 256 * 1024 * 1024
"""Bytes of one request, as sent."""
_READ_SECONDS = 60.0

Take = Callable[[str, str, bytes], int]
"""Name of the sink (the path after the secret), content encoding, body; the HTTP status to answer."""


class Intake:
    """Use as a context manager; requests are handed over one at a time."""

    def __init__(self, take: Take) -> None:
        self._take = take
        self._secret = secrets.token_hex(16)
        self._lock = threading.Lock()

    def __enter__(self) -> Intake:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=5)

    @property
    def url(self) -> str:
        """Base URL of the sinks."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/{self._secret}"

    def receive(self, path: str, encoding: str, body: bytes) -> int:
        """One request; the status to answer."""
        secret, _, name = path.removeprefix("/").partition("/")
        if not secrets.compare_digest(secret.encode(), self._secret.encode()):
            return 404
        with self._lock:
            return self._take(name, encoding, body)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        intake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = _READ_SECONDS
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length", -1))
                if 0 <= length <= MAX_BODY:
                    encoding = self.headers.get("Content-Encoding", "")
                    status = intake.receive(self.path, encoding, self.rfile.read(length))
                else:
                    status, self.close_connection = 413, True
                self.send_response(status)
                self.send_header("Content-Type", "application/x-protobuf")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Silence: what arrives is handed on, not told."""

        return Handler
