"""The arithmetic between what is counted and what is shown."""

from __future__ import annotations

import itertools
import os
import socket
import time

import pytest

from bench.collector import Cost
from bench.collector import _rows as collector_rows
from bench.ingest.bodies import COUNTS, CRITICAL, TELEMETRY, bodies
from bench.ingest.client import answer
from bench.ingest.ingest import hosts_note, percentile
from bench.instruments import proc
from bench.instruments.receiver import Contents, Sent
from bench.instruments.selfcount import Counters, parse
from bench.promote import Round, rows
from bench.wire import INTERVAL_S, whole_scrapes
from chalicelib.adapters.otlp.metrics import PROTOBUF, OtlpMetricsCodec


def test_cpu_per_scrape_is_divided_by_the_scrapes_that_happened() -> None:
    def cost(cpu_s: float, scrapes: int) -> Cost:
        return Cost(cpu_s=cpu_s, scrapes=scrapes, series=100, rss_highest=2**20, rss_mean=2**20, live=300)

    names = ("process-baseline-v1", "process-priority-filter-v1", "process-topk-v1")
    first = dict(zip(names, (cost(0.6, 6), cost(0.6, 6), cost(0.9, 6)), strict=True))
    second = dict(zip(names, (cost(0.5, 5), cost(0.5, 5), cost(1.0, 5)), strict=True))
    topk = collector_rows("none", [first, second])[2]
    assert topk[:5] == (300, "none", "process-topk-v1", 11, 100)
    assert topk[5:9] == (pytest.approx(1000 * 1.9 / 11), pytest.approx(1.75), pytest.approx(1.5), pytest.approx(2.0))


def test_the_collectors_own_counters_are_read() -> None:
    page = "\n".join(
        (
            "# TYPE otelcol_processor_internal_duration histogram",
            'otelcol_processor_internal_duration_count{otel_signal="metrics",processor="memory_limiter"} 4',
            'otelcol_processor_internal_duration_count{otel_signal="metrics",processor="resource/deployed"} 3',
            'otelcol_processor_incoming_items{otel_signal="metrics",processor="resource/deployed"} 2.1e+03',
        )
    )
    assert parse(page) == Counters(scrapes=4, left=3, points=2100)
    assert parse(page).since(Counters(1, 1, 100)) == Counters(3, 2, 2000)
    assert parse("") == Counters(0, 0, 0)


def test_percentiles_are_values_that_occurred() -> None:
    assert percentile([1.0, 2.0, 3.0, 4.0], 0.5) == 2.0
    assert percentile([float(n) for n in range(1, 101)], 0.95) == 95.0
    assert percentile([7.0], 0.99) == 7.0


def test_hosts_share_the_time_of_both_requests() -> None:
    assert hosts_note({(COUNTS, 8): 200.0, (TELEMETRY, 8): 200.0}).split(" hosts")[0].endswith("1,500")


def test_orders_are_summed_up_by_their_median() -> None:
    found = rows([Round(1.0, 2.0, 3.0), Round(2.0, 4.0, 3.0), Round(9.0, 9.0, 3.0)])
    assert [row[2:] for row in found] == [(3, 2.0, 1.0, 9.0), (3, 4.0, 2.0, 9.0), (3, 3.0, 3.0, 3.0)]


def test_parts_of_a_scrape_are_put_together() -> None:
    def part(start_s: float, end_s: float) -> tuple[Sent, Contents]:
        return Sent(0.0, "/x", False, b""), Contents(1, 1, int(start_s * 1e9), int(end_s * 1e9), frozenset())

    parts = [part(100.0, 100.1), part(100.2, 100.3), part(100.0 + INTERVAL_S, 100.1 + INTERVAL_S)]
    assert [len(scrape) for scrape in whole_scrapes(parts)] == [2, 1]


def test_the_bodies_are_what_the_control_plane_takes_and_never_repeat() -> None:
    codec = OtlpMetricsCodec()
    made = itertools.islice(bodies(COUNTS, "bench-07", "scope-1", time.time_ns(), 10**9), 3)
    read = [codec.decode(body, PROTOBUF) for body in made]
    assert all(len(one.counts) == 3 and one.refused_points == 0 for one in read)
    assert {len(count.critical) for one in read for count in one.counts} == {CRITICAL}
    assert {(count.host, count.scope) for one in read for count in one.counts} == {("bench-07", "scope-1")}
    ends = [one.counts[0].end_ns for one in read]
    assert [b - a for a, b in itertools.pairwise(ends)] == [10**9, 10**9]
    own = next(bodies(TELEMETRY, "bench-07", "scope-1", time.time_ns(), 10**9))
    assert codec.decode(own, PROTOBUF).samples[0].host == "bench-07"


@pytest.mark.parametrize(
    ("parts", "status"),
    [
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", b"ok"], 200),
        ([b"HTTP/1.1 401 Unauthorized\r\ncontent-le", b"ngth: 0\r\n\r\n"], 401),
        ([b"HTTP/1.1 200 OK\r\n"], 0),
    ],
)
def test_the_client_reads_whole_answers(parts: list[bytes], status: int) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(10)
        for part in parts:
            theirs.sendall(part)
        theirs.shutdown(socket.SHUT_WR)
        assert answer(ours) == status
        assert ours.recv(1) == b""


def test_the_kernel_tells_cpu_and_memory_of_a_process() -> None:
    before = proc.cpu_seconds(os.getpid())
    until = time.process_time() + 0.05
    while time.process_time() < until:
        pass
    assert proc.cpu_seconds(os.getpid()) > before
    found = proc.memory(os.getpid())
    assert 0 < found.rss <= found.highest
    assert proc.live_processes() >= 2
