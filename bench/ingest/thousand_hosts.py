"""A thousand hosts that report every 15 s to one control plane, and how many reports a second it bears before it errs.

The requests are those of `ingest`; here each has its moment, and its latency counts from that moment.
"""

from __future__ import annotations

import gzip
import sys
import time
from itertools import islice

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from bench.ingest.bodies import COUNTS, TELEMETRY, bodies, points_in
from bench.ingest.clients import run_client
from bench.ingest.fleet_client import Job
from bench.instruments import proc
from bench.report import Cell, Column, Table

HOSTS, INTERVAL_S = 1000, 15.0
GOAL_P99_S = 0.1
SUSTAINED_P99_S = 1.0
"""Beyond it requests pile up: no rate that is sustained."""
RAMP = (150, 200, 250, 300, 400, 500, 700, 1000)
"""Requests a second."""
PREPARE_SECONDS = 240.0
COLUMNS = (
    Column("what", "what"),
    Column("rate", "requests/s", ",.0f"),
    Column("points", "points/s", ",.0f"),
    Column("seconds", "s", ".0f"),
    Column("p50_ms", "p50 ms", ".1f"),
    Column("p99_ms", "p99 ms", ".1f"),
    Column("errors", "errors", "d"),
    Column("server_cpu", "server CPU", ".0%"),
    Column("met", "goal"),
)


def table(port: int, pid: int, tokens: dict[str, str], *, quick: bool) -> Table:
    """Both goals of a thousand hosts, then the ramp up to the first rate that is not sustained."""
    seconds = INTERVAL_S if quick else 4 * INTERVAL_S
    both = (COUNTS, TELEMETRY)
    rows = [
        _row(f"{HOSTS:,} hosts, one request each 15 s", port, pid, tokens, (COUNTS,), HOSTS / INTERVAL_S, seconds),
        _row(f"{HOSTS:,} hosts, counts and telemetry", port, pid, tokens, both, 2 * HOSTS / INTERVAL_S, seconds),
    ]
    for rate in RAMP:
        row = _row("ramp: counts and telemetry", port, pid, tokens, both, rate, INTERVAL_S / 3 if quick else INTERVAL_S)
        rows.append(row)
        if row[-1] != "sustained":
            break
    return Table(f"{HOSTS:,} hosts, each on time", COLUMNS, tuple(rows))


def note(found: Table) -> str:
    """The highest rate of the ramp that was sustained."""
    borne = [row for row in found.rows if row[-1] == "sustained"]
    goal = f"Goal: p99 below {1000 * GOAL_P99_S:.0f} ms, counted from the moment a request was due. "
    if not borne:
        return f"{goal}No rate of the ramp was sustained (p99 below {SUSTAINED_P99_S:.0f} s, no error)."
    return f"{goal}Highest sustained rate (p99 below {SUSTAINED_P99_S:.0f} s, no error): {borne[-1][2]:,.0f} points/s."


def _row(
    what: str, port: int, pid: int, tokens: dict[str, str], kinds: tuple[str, ...], rate: float, seconds: float
) -> tuple[Cell, ...]:
    print(f"  {what}: {rate:.0f}/s", file=sys.stderr, flush=True)
    before = proc.cpu_seconds(pid)
    job = Job(port, kinds, rate, seconds, INTERVAL_S, tokens)
    outcome = run_client("bench.ingest.fleet_client", job, job.seconds + PREPARE_SECONDS)
    cpu = (proc.cpu_seconds(pid) - before) / outcome.seconds
    ordered = sorted(outcome.latencies)
    p99 = _percentile(ordered, 0.99)
    errors = sum(outcome.errors.values())
    points = rate * sum(_points(kind) for kind in kinds) / len(kinds)
    if what.startswith("ramp"):
        met = "sustained" if p99 <= SUSTAINED_P99_S and not errors else "not sustained"
    else:
        met = "met" if p99 < GOAL_P99_S and not errors else "not met"
    return (what, rate, points, seconds, 1000 * _percentile(ordered, 0.5), 1000 * p99, errors, cpu, met)


def _points(kind: str) -> int:
    """Data points in one request."""
    (body,) = islice(bodies(kind, "h", "s", time.time_ns(), 1), 1)
    return points_in(ExportMetricsServiceRequest.FromString(gzip.decompress(body)))


def _percentile(ordered: list[float], share: float) -> float:
    rank = max(1, -int(-share * len(ordered) // 1))
    return ordered[rank - 1]
