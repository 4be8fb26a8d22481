"""How many measurement requests a second one control plane takes on this machine, and how long each waits.

A real `phoenix up` on a free port is sent requests as collectors send them (captured form, every one another scrape)
by clients in a process of their own, and asked for its health between, as the floor of gateway and server. Then a
thousand hosts report on time (thousand_hosts.py).
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from bench.ingest import thousand_hosts
from bench.ingest.bodies import COUNTS, CRITICAL, TELEMETRY
from bench.ingest.client import HEALTH, Job, Outcome
from bench.ingest.clients import run_client
from bench.instruments import conditions, proc
from bench.instruments.running import BenchFailed, collector_binary, dynamodb
from bench.registry import Options
from bench.report import Cell, Column, Report, Table
from phoenix_cli.client import Client
from phoenix_cli.local.demo.stack import Stack
from phoenix_cli.local.instance import running
from tests.engines import dynoxide

CONNECTIONS = (1, 4, 8)
KINDS = (HEALTH, COUNTS, TELEMETRY)
SECONDS = 3.0
PREPARE_SECONDS = 60.0
SHOWN = {HEALTH: "GET /healthz", COUNTS: "POST counts", TELEMETRY: "POST collector telemetry"}
COLUMNS = (
    Column("request", "request"),
    Column("connections", "connections", "d"),
    Column("requests", "requests", ",d"),
    Column("requests_per_second", "/s", ",.0f"),
    Column("p50_ms", "p50 ms", ".1f"),
    Column("p95_ms", "p95 ms", ".1f"),
    Column("p99_ms", "p99 ms", ".1f"),
    Column("errors", "errors", "d"),
    Column("server_cpu_ms", "server CPU ms/request", ".2f"),
)


@dataclass(frozen=True)
class Measured:
    """One run of a client. cpu_s: of the server from the client's start to its end (it idles while the client prepares
    its requests)."""

    outcome: Outcome
    cpu_s: float


def run(options: Options) -> Report:
    """Measure every kind of request with every number of connections, in turns."""
    rounds = 1 if options.quick else 3
    machine = conditions.machine()
    with tempfile.TemporaryDirectory() as folder, _control_plane(Path(folder), options.store) as stack:
        port = urlsplit(stack.url).port or 0
        pid = _pid(Path(folder))
        tokens = _enrol(stack, thousand_hosts.HOSTS)
        found: dict[tuple[str, int], list[Measured]] = {}
        for number in range(rounds):
            print(f"  round {number + 1} of {rounds}", file=sys.stderr, flush=True)
            for count in CONNECTIONS:
                for kind in KINDS:
                    job = Job(port, kind, SECONDS, dict(list(tokens.items())[:count]))
                    found.setdefault((kind, count), []).append(_measure(job, pid))
        fleet = thousand_hosts.table(port, pid, tokens, quick=options.quick)
    rates = {key: _rate(measured) for key, measured in found.items()}
    said = {
        **machine,
        **conditions.load_after(),
        "store": options.store if options.store == "sqlite" else f"dynamodb (dynoxide {dynoxide.VERSION})",
        "rounds": rounds,
        "seconds_a_round": SECONDS,
        "body": f"3 variants, {CRITICAL} critical processes each, telemetry of 23 kB; both gzip",
        "client": "one process, one thread and host token a connection",
    }
    order = [(kind, count) for kind in KINDS for count in CONNECTIONS]
    table = Table("Requests into phoenix up", COLUMNS, tuple(_row(*key, found[key]) for key in order))
    return Report("ingest", said, (table, fleet), (hosts_note(rates), thousand_hosts.note(fleet)))


def hosts_note(rates: dict[tuple[str, int], float]) -> str:
    """What the rates mean: hosts that send one request of counts and one of telemetry every 15 s."""
    most = max(CONNECTIONS)
    both = 1 / rates[(COUNTS, most)] + 1 / rates[(TELEMETRY, most)]
    return f"At these rates one control plane is full with {15 / both:,.0f} hosts that report every 15 s."


@contextmanager
def _control_plane(folder: Path, store: str) -> Iterator[Stack]:
    with ExitStack() as ends:
        arguments: tuple[str, ...] = ()
        if store == "dynamodb":
            arguments = ("--store", "dynamodb", "--endpoint", ends.enter_context(dynamodb(folder)).endpoint)
        env = {**os.environ, "PHOENIX_OTELCOL": str(collector_binary())}
        stack = Stack(folder / "stack", env, keep=False, arguments=arguments)
        ends.callback(stack.stop)
        stack.start_control_plane()
        yield stack


def _pid(folder: Path) -> int:
    found = running(folder / "stack" / "data")
    if found is None:
        raise BenchFailed("the control plane is gone")
    return found.pid


def _enrol(stack: Stack, count: int) -> dict[str, str]:
    """Host names and their own tokens, over the API."""
    client = Client(stack.profile)
    tokens = {}
    for number in range(count):
        host = f"bench-{number:04d}"
        invited = client.post("/api/v1/enrolments", {"host": host})["token"]
        tokens[host] = client.post("/api/v1/enrolments/exchange", {"token": invited, "host": host})["token"]
    return tokens


def _measure(job: Job, pid: int) -> Measured:
    """Run a client process. Raises BenchFailed when it fails or was itself the limit."""
    before = proc.cpu_seconds(pid)
    outcome = run_client("bench.ingest.client", job, job.seconds + PREPARE_SECONDS)
    cpu = proc.cpu_seconds(pid) - before
    if outcome.exhausted or not outcome.latencies:
        raise BenchFailed(f"the client, not the server, was the limit: {len(outcome.latencies)} requests")
    return Measured(outcome, cpu)


def _rate(measured: list[Measured]) -> float:
    return statistics.median(len(one.outcome.latencies) / one.outcome.seconds for one in measured)


def _row(kind: str, connections: int, measured: list[Measured]) -> tuple[Cell, ...]:
    latencies = sorted(value for one in measured for value in one.outcome.latencies)
    return (
        SHOWN[kind],
        connections,
        len(latencies),
        _rate(measured),
        1000 * percentile(latencies, 0.5),
        1000 * percentile(latencies, 0.95),
        1000 * percentile(latencies, 0.99),
        sum(sum(one.outcome.errors.values()) for one in measured),
        1000 * sum(one.cpu_s for one in measured) / len(latencies),
    )


def percentile(ordered: list[float], share: float) -> float:
    """The smallest value that at least this share of the values does not exceed (nearest rank)."""
    rank = max(1, -int(-share * len(ordered) // 1))
    return ordered[rank - 1]
