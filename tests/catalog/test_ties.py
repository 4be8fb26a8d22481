"""What live processes seldom do, on made-up scrapes through the real collector: exact ties, waiting, nothing at all.

Each scrape is sent as one OTLP request, as the scraper would hand it on, and compared with brute force.
"""

from __future__ import annotations

import random
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality, NumberDataPoint, ResourceMetrics

from chalicelib.adapters.catalog.files import FileCatalog
from chalicelib.domain.critical import CriticalPattern
from chalicelib.domain.experiment.spec import Backend
from chalicelib.domain.pipeline.assembly import standalone
from chalicelib.domain.pipeline.rendering import render
from tests.catalog import brute
from tests.catalog.brute import Scrape
from tests.catalog.capture import Capture
from tests.catalog.conftest import Runner

CRITICAL = (CriticalPattern(name="^critical"),)
SCRAPES = 40
PAGE = 4096


def process(pid: int, name: str, time_ns: int, chance: random.Random) -> ResourceMetrics:
    """One process as the scraper gives it; shares and sizes come from few values, so that many are equal."""
    resource = ResourceMetrics()
    for key, value in (
        ("process.executable.name", name),
        ("process.command_line", f"{name} --x"),
        ("process.owner", "o"),
    ):
        resource.resource.attributes.append(KeyValue(key=key, value=AnyValue(string_value=value)))
    resource.resource.attributes.append(KeyValue(key="process.pid", value=AnyValue(int_value=pid)))
    scope = resource.scope_metrics.add()
    scope.scope.name = "made-up"
    memory = scope.metrics.add(name="process.memory.usage", unit="By").sum
    memory.aggregation_temporality = AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
    memory.data_points.append(NumberDataPoint(time_unix_nano=time_ns, as_int=chance.choice((0, 1, 5, 5, 9)) * PAGE))
    if chance.random() < 0.8:
        share = scope.metrics.add(name=brute.HELPER, unit="1").gauge
        for state, value in (
            ("user", chance.choice((0.0, 0.0, 0.005, 0.01, 0.25))),
            ("system", chance.choice((0.0, 0.005, 0.01))),
            ("wait", chance.choice((0.0, 0.9))),
        ):
            point = NumberDataPoint(time_unix_nano=time_ns, as_double=value)
            point.attributes.append(KeyValue(key="state", value=AnyValue(string_value=state)))
            share.data_points.append(point)
    return resource


def made_up(index: int) -> ExportMetricsServiceRequest:
    chance = random.Random(index)
    count = chance.choice((1, 2, 5, 6, 40, 200))
    pids = chance.sample(range(1, 4_194_304), count)
    request = ExportMetricsServiceRequest()
    for pid in pids:
        name = "critical-1" if chance.random() < 0.05 else "other"
        request.resource_metrics.append(process(pid, name, time_of(index), chance))
    return request


def time_of(index: int) -> int:
    return 1_700_000_000_000_000_000 + index * 1_000_000_000


def scrape_of(index: int) -> Scrape:
    scrape = Scrape(time_of(index), time_of(index))
    for row, attributes in brute.rows_of(made_up(index).resource_metrics):
        scrape.rows.append(row)
        scrape.attributes[row.pid] = attributes
    return scrape


@contextmanager
def receiving(runner: Runner, config: dict[str, Any]) -> Iterator[str]:
    """The collector with an OTLP receiver in place of the scraper; gives the receiver's URL."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config["receivers"] = {"otlp": {"protocols": {"http": {"endpoint": f"127.0.0.1:{port}"}}}}
    config["service"]["pipelines"]["metrics"]["receivers"] = ["otlp"]
    config["service"]["telemetry"] = {"metrics": {"level": "none"}}
    with runner.running(config):
        deadline = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                assert time.monotonic() < deadline, "the receiver did not open"
                time.sleep(0.05)
        yield f"http://127.0.0.1:{port}/v1/metrics"


def send(url: str, body: bytes) -> None:
    reply = httpx.post(url, content=body, headers={"Content-Type": "application/x-protobuf"}, timeout=10)
    assert reply.status_code == 200, reply.text


RULES: list[tuple[str, dict[str, Any], Callable[[Scrape], set[int]]]] = [
    ("process-topk-v1", {"k": 1}, lambda scrape: brute.top_k(scrape, 1, CRITICAL)),
    ("process-topk-v1", {"k": 5}, lambda scrape: brute.top_k(scrape, 5, CRITICAL)),
    ("process-topk-v1", {"k": 500}, lambda scrape: brute.top_k(scrape, 500, CRITICAL)),
    (
        "process-topk-v1",
        {"k": 5, "memory_floor": 5 * PAGE},
        lambda scrape: brute.top_k(scrape, 5, CRITICAL, memory_floor=5 * PAGE),
    ),
    (
        "process-priority-filter-v1",
        {"cpu_min": 0.015, "memory_min": 9 * PAGE},
        lambda scrape: brute.over_thresholds(scrape, 0.015, 9 * PAGE, CRITICAL),
    ),
    ("process-baseline-v1", {}, Scrape.pids),
]


@pytest.mark.parametrize(("name", "parameters", "rule"), RULES, ids=[f"{name}-{given}" for name, given, _ in RULES])
def test_made_up_scrapes_are_kept_by_the_rule(
    name: str, parameters: dict[str, Any], rule: Callable[[Scrape], set[int]], catalog: FileCatalog, runner: Runner
) -> None:
    with Capture() as capture:
        backend = Backend(otlp=f"{capture.url}/out")
        config = standalone(render(catalog.get(name), parameters), CRITICAL, 0.5, backend)
        with receiving(runner, config) as url:
            for index in range(SCRAPES):
                send(url, made_up(index).SerializeToString())
        assert runner.errors() == []
    scrapes = [scrape_of(index) for index in range(SCRAPES)]
    got = brute.by_scrape(capture.resources("/out"), scrapes)
    tied = 0
    for scrape, rows in zip(scrapes, got, strict=True):
        keeps = rule(scrape)
        wanted = [row for row in scrape.rows if row.pid in keeps]
        if name != "process-baseline-v1":
            wanted = [row for row in wanted if row.metric != brute.HELPER]
        assert {row.pid for row in rows} == keeps
        assert brute.identities(rows) == brute.identities(wanted)
        memories = list(brute.scores(scrape)[1].values())
        tied += len(memories) - len(set(memories))
    assert tied > 500, "without ties this proves nothing"


def test_the_collector_keeps_running_when_a_scrape_is_empty(
    catalog: FileCatalog, runner: Runner, tmp_path: Path
) -> None:
    with Capture() as capture:
        backend = Backend(otlp=f"{capture.url}/out")
        config = standalone(render(catalog.get("process-topk-v1"), {}), CRITICAL, 0.5, backend)
        with receiving(runner, config) as url:
            send(url, ExportMetricsServiceRequest().SerializeToString())
            send(url, made_up(4).SerializeToString())
    assert {row.pid for row, _ in brute.rows_of(capture.resources("/out"))} == brute.top_k(scrape_of(4), 10, CRITICAL)
