"""What any source of an experiment's figures must do: each data point in exactly one part, whatever the times, the
variants and the hosts; nothing invented; critical processes found where they were, and not where they were not.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from chalicelib.adapters.prometheus.arms import PrometheusArms
from chalicelib.adapters.prometheus.client import PrometheusApi
from chalicelib.domain.experiment.source import Prometheus as Named
from chalicelib.domain.experiment.spec import Backend
from chalicelib.domain.measurement import CriticalProcess, Variant
from chalicelib.domain.pipeline import parts
from chalicelib.domain.sources.agreement import agreement
from chalicelib.domain.sources.joining import ARMS, joined, replaced, spans
from chalicelib.ports.kpis import Asked, KpiSource
from chalicelib.repositories.measurements import Measurements
from chalicelib.repositories.stored_arms import StoredArms
from phoenix_cli.binaries.resolve import resolve_collector
from phoenix_cli.collector.process import CollectorProcess, free_port
from tests.contract.told import Process, Told, arrived, send
from tests.engines import prometheus
from tests.fakes.items import MemoryItemStore

TENANT, SCOPE, INTERVAL_S = "default", "exp-1", 2.0
SECOND = 10**9
EDGE = 333_000_000
"""Nanoseconds of a window at this interval: its borders are the multiples."""
NGINX = Process("nginx: master", 11)
OTHERS = tuple(Process(f"worker-{pid}", pid) for pid in range(100, 120))
NODE = "ip-10-0-0-1.eu-west-1.compute.internal"
HOSTS = ("web-1", "prod-ip-10-0-0-1-eu-west-1-compute-internal-0a1b2c3d")
NAMED = {HOSTS[1]: NODE}
"""The second one is a node of a cluster: its collector knows its name there, and no other."""


@pytest.fixture(scope="module")
def truth() -> list[Told]:
    """Twelve scrapes of two hosts whose clocks and rhythms differ, the candidate with fewer processes. Times at the
    edges of windows, one missing arm, a scrape spread over a third of its interval, a critical process that is lost.
    """
    base = (int(time.time()) - 300) * SECOND
    told = []
    for number in range(12):
        for place, host in enumerate(HOSTS):
            near = base + number * 2 * SECOND + place * 700_000_000
            start = near // EDGE * EDGE + (0, 1_000_000, -1_000_000, 999_999, -1, 1)[number % 6]
            spread = 600_000_000 if number == 5 else 40_000_000 if number % 2 else 0
            told.append(Told(host, Variant.BASELINE, start, start + spread, (NGINX, *OTHERS)))
            kept = (NGINX, *OTHERS[: 3 + number % 4])
            if number == 7:
                kept = kept[1:]
            if not (number == 8 and host == HOSTS[1]):
                told.append(Told(host, Variant.CANDIDATE, start, start + spread, kept))
    return told


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[prometheus.Prometheus]:
    with prometheus.running(prometheus.resolve(os.environ), tmp_path_factory.mktemp("prometheus")) as found:
        yield found


@pytest.fixture(scope="module")
def filled(server: prometheus.Prometheus, truth: list[Told], tmp_path_factory: pytest.TempPathFactory) -> str:
    """A Prometheus that has the truth; its URL. The exporter is the one that Phoenix gives to hosts."""
    port = free_port()
    backend = Backend(remote_write=server.remote_write)
    config = {
        "receivers": {"otlp": {"protocols": {"http": {"endpoint": f"127.0.0.1:{port}"}}}},
        "exporters": {parts.exporter_type(backend): parts.exporter(backend, INTERVAL_S)},
        "service": {
            "telemetry": {"metrics": {"level": "none"}},
            "pipelines": {"metrics": {"receivers": ["otlp"], "exporters": [parts.exporter_type(backend)]}},
        },
    }
    folder: Path = tmp_path_factory.mktemp("collector")
    with CollectorProcess(resolve_collector(os.environ, print), folder, config, {}) as collector:
        collector.wait_listening(port, time.monotonic() + 60)
        called = [replace(one, host=NAMED.get(one.host, one.host)) for one in truth]
        alike = [replace(one, host=NODE.replace(".", "-")) for one in called if one.host == NODE]
        send(f"http://127.0.0.1:{port}", [*called, *alike])
        arrived(server, sum(2 * len(one.processes) for one in [*called, *alike]))
    return server.url


@pytest.fixture(params=["measurements", "prometheus"])
def source(request: pytest.FixtureRequest, truth: list[Told]) -> KpiSource:
    if request.param == "prometheus":
        url = request.getfixturevalue("filled")
        api = PrometheusApi(url, lambda method, url, headers, body: {}, private=True)
        return PrometheusArms(api, Named(url=url))
    measurements = Measurements(MemoryItemStore(time.time))
    for one in truth:
        measurements.add(TENANT, SCOPE, one.host, [one.count(SCOPE)], [], time.time())
    return StoredArms(measurements)


def asked(truth: list[Told]) -> Asked:
    span = (min(one.start_ns for one in truth), max(one.end_ns for one in truth))
    nginx = frozenset({CriticalProcess(pattern="nginx", name=NGINX.name, pid=NGINX.pid)})
    return Asked(TENANT, SCOPE, INTERVAL_S, dict.fromkeys(HOSTS, span), dict.fromkeys(HOSTS, nginx), NAMED)


def test_every_data_point_is_in_exactly_one_part_of_its_own_scrape(source: KpiSource, truth: list[Told]) -> None:
    read = source.arms(asked(truth))
    for host in HOSTS:
        for variant in ARMS:
            own = [one.count(SCOPE) for one in truth if (one.host, one.variant) == (host, variant)]
            scrapes = spans(own, 2 * SECOND)
            found = joined(scrapes, [part for part in read if (part.host, part.variant) == (host, variant)])
            assert (found.alone, found.shared) == ([], frozenset())
            assert [sum(part.series for part in found.by_span[i]) for i in range(len(scrapes))] == [
                scrape.series for scrape in scrapes
            ]


def test_critical_processes_are_found_where_they_were_and_nowhere_else(source: KpiSource, truth: list[Told]) -> None:
    said = agreement(
        {"experiment": "e", "source": "s"},
        0,
        1,
        [one.count(SCOPE) for one in truth],
        source.arms(asked(truth)),
        INTERVAL_S,
    )
    assert (said.scrapes, said.compared, said.equal, said.largest, said.difference) == (47, 47, 47, 0, 0)
    counted = sum(one.critical for told in truth for one in told.processes)
    assert sum(row.there_critical for row in said.arms) == sum(row.edge_critical for row in said.arms) == counted
    lost = [part for part in source.arms(asked(truth)) if part.variant is Variant.CANDIDATE and part.critical]
    assert len({one.start_ns // (2 * SECOND) for one in lost}) >= 11


def test_the_arms_take_the_place_of_the_edges_counts_and_raw_stays(source: KpiSource, truth: list[Told]) -> None:
    edge = [
        one.count(SCOPE).model_copy(update={"variant": Variant.RAW, "marker": "m1", "series": 99})
        for one in truth
        if one.variant is Variant.BASELINE
    ]
    found = replaced([*edge, *edge[:3]], source.arms(asked(truth)), INTERVAL_S)
    arms = [count for count in found if count.variant is not Variant.RAW]
    assert len(arms) == 47
    assert {count.marker for count in arms} == {"m1"}
    assert {(c.host, c.end_ns) for c in arms} == {(c.host, c.end_ns) for c in edge}
    lacking = [c for c in arms if c.variant is Variant.CANDIDATE and not c.critical]
    assert len(lacking) == 2, "the critical process that the candidate lost on each host"


def test_nothing_is_asked_of_no_host_and_nothing_found_in_another_time(source: KpiSource, truth: list[Told]) -> None:
    wanted = asked(truth)
    assert source.arms(Asked(TENANT, SCOPE, INTERVAL_S, {})) == []
    before = min(one.start_ns for one in truth) - 600 * SECOND
    assert source.arms(Asked(TENANT, SCOPE, INTERVAL_S, {"web-1": (before, before + 300 * SECOND)})) == []
    assert source.arms(Asked(TENANT, SCOPE, INTERVAL_S, {"web-3": wanted.spans["web-1"]})) == []


def test_processes_that_were_not_asked_for_are_not_reported(source: KpiSource, truth: list[Told]) -> None:
    wanted = asked(truth)
    read = source.arms(Asked(TENANT, SCOPE, INTERVAL_S, wanted.spans, named=NAMED))
    assert read
    assert not any(part.critical for part in read)
