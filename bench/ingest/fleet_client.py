"""Hosts that send on time, whatever the server does: each request has its moment, and waits count from that moment.

`python -m bench.ingest.fleet_client`: reads a Job as JSON, prepares every request beforehand, runs, and answers with an
Outcome as JSON. An answer that comes late never holds up what other hosts send (no co-ordinated omission), as long as
one of the connections is free.
"""

from __future__ import annotations

import json
import socket
import sys
import threading
import time
from dataclasses import asdict, dataclass

from bench.ingest.bodies import bodies
from bench.ingest.client import Outcome, answer, http_request

_TIMEOUT_S = 30.0


@dataclass(frozen=True)
class Job:
    """port: of the server on this machine. kinds: of bodies, in turns. rate: requests a second, evenly spread over the
    hosts. interval: seconds between two scrapes of a host. tokens: host to its token."""

    port: int
    kinds: tuple[str, ...]
    rate: float
    seconds: float
    interval: float
    tokens: dict[str, str]
    connections: int = 64


def prepared(job: Job) -> list[bytes]:
    """Whole HTTP requests in the order of their moments; every one another host's, or another scrape."""
    first, step = time.time_ns(), round(job.interval * 1e9)
    made = {(host, kind): bodies(kind, host, f"fleet-{kind}", first, step) for host in job.tokens for kind in job.kinds}
    hosts = list(job.tokens)
    out = []
    for number in range(round(job.rate * job.seconds)):
        host = hosts[number // len(job.kinds) % len(hosts)]
        kind = job.kinds[number % len(job.kinds)]
        out.append(http_request(job.tokens[host], next(made[host, kind])))
    return out


def run(job: Job, requests: list[bytes]) -> Outcome:
    """Send all of them on time."""
    outcome, lock = Outcome(), threading.Lock()
    numbers = iter(range(len(requests)))
    start = threading.Barrier(job.connections + 1)
    began: list[float] = []

    def worker() -> None:
        link = _connected(job.port)
        start.wait(_TIMEOUT_S)
        while True:
            with lock:
                number = next(numbers, None)
            if number is None:
                return
            due = began[0] + number / job.rate
            time.sleep(max(0.0, due - time.perf_counter()))
            status = _sent(link, requests[number])
            if not status:  # the server had closed it while it was idle: a collector's client connects again, too
                link.close()
                link = _connected(job.port)
                status = _sent(link, requests[number])
            waited = time.perf_counter() - due
            with lock:
                outcome.latencies.append(waited)
                if status != 200:
                    outcome.errors[str(status)] = outcome.errors.get(str(status), 0) + 1

    threads = [threading.Thread(target=worker, daemon=True) for _ in range(job.connections)]
    for thread in threads:
        thread.start()
    began.append(time.perf_counter() + 0.2)
    start.wait(_TIMEOUT_S)
    for thread in threads:
        thread.join(job.seconds + 2 * _TIMEOUT_S)
    outcome.seconds = time.perf_counter() - began[0]
    return outcome


def _sent(link: socket.socket, request: bytes) -> int:
    """The status of its answer, 0 for none."""
    try:
        link.sendall(request)
        return answer(link)
    except OSError:
        return 0


def _connected(port: int) -> socket.socket:
    link = socket.create_connection(("127.0.0.1", port), _TIMEOUT_S)
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return link


def main() -> int:
    """Serve one job."""
    job = Job(**json.load(sys.stdin))
    print(json.dumps(asdict(run(job, prepared(job)))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
