"""The collector's OTLP receiver in place of the scraper: a port for it, waiting for it, sending to it."""

from __future__ import annotations

import http.client
import socket
import time
from typing import Any


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def receiver(port: int) -> dict[str, Any]:
    return {"protocols": {"http": {"endpoint": f"127.0.0.1:{port}", "max_request_body_size": 64 << 20}}}


def wait_for(port: int, deadline_s: float = 10) -> None:
    """Until the receiver takes connections. AssertionError after the deadline."""
    deadline = time.monotonic() + deadline_s
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            assert time.monotonic() < deadline, "the receiver did not open"
            time.sleep(0.05)


def send(port: int, body: bytes) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("POST", "/v1/metrics", body, {"Content-Type": "application/x-protobuf"})
        reply = connection.getresponse()
        assert reply.status == 200, reply.read()
    finally:
        connection.close()
