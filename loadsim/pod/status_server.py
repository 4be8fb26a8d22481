"""How a load stands, by HTTP: GET /status (a LoadStatus as JSON) and GET /healthz, nothing else. Read-only, bounded.

Every connection gets one answer, within a total deadline and whatever it sends; more connections at once than there is
room for are closed. It takes no credential: what it says is no secret, and it can change nothing.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType

from chalicelib.domain.errors import Unavailable
from chalicelib.domain.load import LoadStatus

DEADLINE_S = 2.0
"""From accepting a connection to closing it."""
MOST_AT_ONCE = 8
LONGEST_REQUEST = 8192
"""Bytes of a request's head."""
SILENT_S = 15.0
"""A load that has said nothing for so long is not well: it speaks every second."""


@dataclass
class Saying:
    """What a load said last, and when. Written by the load's thread, read by those that answer."""

    clock: Callable[[], float] = time.monotonic
    status: LoadStatus | None = None
    _at: float = field(default=float("-inf"), init=False)

    def tell(self, status: LoadStatus) -> None:
        """The load stands so now."""
        self.status, self._at = status, self.clock()

    def answer(self, head: bytes) -> bytes:
        """The whole response to a request whose head is this."""
        method, _, rest = head.partition(b"\r\n")[0].partition(b" ")
        target, _, version = rest.partition(b" ")
        if not version.startswith(b"HTTP/1."):
            return _response(400, "text/plain", b"not HTTP/1.1\n")
        path = target.partition(b"?")[0]
        if path not in (b"/status", b"/healthz"):
            return _response(404, "text/plain", b"there are /status and /healthz\n")
        if method != b"GET":
            return _response(405, "text/plain", b"GET only\n")
        return self._status() if path == b"/status" else self._health()

    def _status(self) -> bytes:
        if self.status is None:
            return _response(503, "text/plain", b"nothing is known yet\n")
        return _response(200, "application/json", self.status.model_dump_json(by_alias=True).encode())

    def _health(self) -> bytes:
        silent = self.clock() - self._at
        if silent > SILENT_S:
            return _response(503, "text/plain", f"silent for more than {SILENT_S:g} s\n".encode())
        return _response(200, "text/plain", b"ok\n")


_WORDS = {200: "OK", 400: "Bad Request", 404: "Not Found", 405: "Method Not Allowed", 503: "Service Unavailable"}


def _response(code: int, kind: str, body: bytes) -> bytes:
    head = (
        f"HTTP/1.1 {code} {_WORDS[code]}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
        "Cache-Control: no-store\r\nConnection: close\r\n" + ("Allow: GET\r\n" if code == 405 else "") + "\r\n"
    )
    return head.encode("ascii") + body


class StatusServer:
    """Answers from threads of its own while its `with` block lasts. Port 0: any that is free (`port` says which)."""

    def __init__(self, saying: Saying, port: int, host: str = "") -> None:
        self._saying = saying
        try:
            self._socket = socket.create_server((host, port), backlog=MOST_AT_ONCE)
        except OSError as error:
            raise Unavailable(f"status port {port}: {error.strerror}", hint="choose a free --port") from error
        self.port: int = self._socket.getsockname()[1]
        self._room = threading.BoundedSemaphore(MOST_AT_ONCE)
        self._thread = threading.Thread(target=self._serve, name="status", daemon=True)

    def __enter__(self) -> StatusServer:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits in accept
        self._thread.join(DEADLINE_S)
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except ConnectionError:  # it went away before it was accepted
                continue
            except OSError:
                return
            if self._room.acquire(blocking=False):
                threading.Thread(target=self._answer, args=(connection,), daemon=True).start()
            else:
                connection.close()

    def _answer(self, connection: socket.socket) -> None:
        try:
            with connection, contextlib.suppress(OSError):
                deadline = time.monotonic() + DEADLINE_S
                head = _head(connection, deadline)
                connection.settimeout(max(0.01, deadline - time.monotonic()))
                connection.sendall(self._saying.answer(head))
        finally:
            self._room.release()


def _head(connection: socket.socket, deadline: float) -> bytes:
    """What came until the head's end, the bound, or the deadline."""
    data = b""
    while b"\r\n\r\n" not in data and len(data) < LONGEST_REQUEST and (left := deadline - time.monotonic()) > 0:
        connection.settimeout(left)
        chunk = connection.recv(4096)
        if not chunk:
            break
        data += chunk
    return data
