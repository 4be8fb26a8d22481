"""A load client in a process of its own: keep-alive connections that send one request after another for some seconds.

`python -m bench.ingest.client`: reads a Job as JSON, prepares every request beforehand, runs, and answers with an
Outcome as JSON. A plain socket and a short reader of answers, so that the client takes little of the CPU that the
server needs.
"""

from __future__ import annotations

import itertools
import json
import socket
import sys
import threading
import time
from dataclasses import asdict, dataclass, field

from bench.ingest.bodies import bodies

MOST_A_SECOND = 3000
"""Requests prepared for each second, over all connections."""
HEALTH = "healthz"
_TIMEOUT_S = 30.0
_STEP_NS = 1_000_000_000


@dataclass(frozen=True)
class Job:
    """port: of the server on this machine. kind: HEALTH, or a kind of bodies. tokens: host to its token, one
    connection each."""

    port: int
    kind: str
    seconds: float
    tokens: dict[str, str]


@dataclass
class Outcome:
    """latencies: seconds of each answered request. errors: status codes but 200, and broken connections as 0."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    errors: dict[str, int] = field(default_factory=dict)
    exhausted: bool = False
    """Whether a connection ran out of prepared requests: the client, not the server, was the limit."""


def prepared(job: Job) -> list[list[bytes]]:
    """Whole HTTP requests for each connection."""
    each = int(job.seconds * MOST_A_SECOND / len(job.tokens)) + 1
    if job.kind == HEALTH:
        return [[b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"] * (4 * each) for _ in job.tokens]
    out = []
    for host, token in job.tokens.items():
        made = bodies(job.kind, host, f"bench-{job.kind}", time.time_ns(), _STEP_NS)
        out.append([http_request(token, body) for body in itertools.islice(made, each)])
    return out


def http_request(token: str, body: bytes) -> bytes:
    """A report of measurements."""
    lines = [
        "POST /v1/metrics HTTP/1.1",
        "Host: localhost",
        f"Authorization: Bearer {token}",
        "Content-Type: application/x-protobuf",
        "Content-Encoding: gzip",
        f"Content-Length: {len(body)}",
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


def send(port: int, requests: list[bytes], seconds: float, start: threading.Barrier, outcome: Outcome) -> None:
    """One connection: send and wait, until the time is over."""
    with socket.create_connection(("127.0.0.1", port), _TIMEOUT_S) as link:
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        start.wait(_TIMEOUT_S)
        until = time.perf_counter() + seconds
        for request in requests:
            began = time.perf_counter()
            if began >= until:
                return
            link.sendall(request)
            status = answer(link)
            outcome.latencies.append(time.perf_counter() - began)
            if status != 200:
                outcome.errors[str(status)] = outcome.errors.get(str(status), 0) + 1
            if not status:
                return
    outcome.exhausted = True


def answer(link: socket.socket) -> int:
    """Read one answer; its status, or 0 when the connection ended."""
    data = b""
    while (end := data.find(b"\r\n\r\n")) < 0:
        if not (more := link.recv(65536)):
            return 0
        data += more
    head = data[:end].lower()
    missing = int(head.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0]) - (len(data) - end - 4)
    while missing > 0:
        if not (more := link.recv(missing)):
            return 0
        missing -= len(more)
    return int(head.split(b" ", 2)[1])


def run(job: Job, requests: list[list[bytes]]) -> Outcome:
    """All connections at once."""
    start = threading.Barrier(len(requests) + 1)
    parts = [Outcome() for _ in requests]
    threads = [
        threading.Thread(target=send, args=(job.port, own, job.seconds, start, part), daemon=True)
        for own, part in zip(requests, parts, strict=True)
    ]
    for thread in threads:
        thread.start()
    start.wait(_TIMEOUT_S)
    began = time.perf_counter()
    for thread in threads:
        thread.join(job.seconds + _TIMEOUT_S)
    total = Outcome(seconds=time.perf_counter() - began, exhausted=any(part.exhausted for part in parts))
    for part in parts:
        total.latencies += part.latencies
        for status, count in part.errors.items():
            total.errors[status] = total.errors.get(status, 0) + count
    return total


def main() -> int:
    """Serve one job."""
    job = Job(**json.load(sys.stdin))
    print(json.dumps(asdict(run(job, prepared(job)))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
