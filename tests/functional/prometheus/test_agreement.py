"""The measured agreement: one run of the real collector over the machine's own processes, counted at the edge and sent
to a real Prometheus by remote write, compared scrape by scrape. It runs as on a node of a cluster, whose configuration
holds no name: what its data is called comes from the collector's environment."""

from __future__ import annotations

import os
import time
from pathlib import Path

from chalicelib.adapters.catalog.files import FileCatalog
from chalicelib.adapters.otlp.metrics import OtlpMetricsCodec
from chalicelib.adapters.prometheus.arms import PrometheusArms
from chalicelib.adapters.prometheus.client import PrometheusApi
from chalicelib.domain.cluster.sharing import share, stamped
from chalicelib.domain.critical import CriticalPattern
from chalicelib.domain.experiment.source import Prometheus as Named
from chalicelib.domain.experiment.spec import Backend
from chalicelib.domain.kubernetes.exchange import HOST_VARIABLE, host_of_node
from chalicelib.domain.measurement import Count, Variant
from chalicelib.domain.pipeline.assembly import assemble
from chalicelib.domain.pipeline.rendering import render
from chalicelib.domain.pipeline.request import AssemblyArm, AssemblyRequest, Kpi
from chalicelib.domain.sources.agreement import Agreement, agreement
from chalicelib.ports.kpis import Asked
from chalicelib.settings import ROOT
from phoenix_cli.binaries.resolve import resolve_collector
from phoenix_cli.collector.process import CollectorProcess
from tests.catalog.capture import Capture
from tests.engines import prometheus

INTERVAL_S = 1.0
SCRAPES = 8
NODE = "ip-10-0-0-1.eu-west-1.compute.internal"
HOST = host_of_node("prod", NODE)
ARMS = {Variant.BASELINE: "process-baseline-v1", Variant.CANDIDATE: "process-aggregated-v1"}


def configuration(capture: Capture, server: prometheus.Prometheus) -> dict[str, object]:
    catalog = FileCatalog(ROOT / "catalog")
    request = AssemblyRequest(
        interval_s=INTERVAL_S,
        critical=(CriticalPattern(id="collector", name="^otelcol"),),
        arms=tuple(
            AssemblyArm(
                variant=variant,
                fragment=render(catalog.get(pipeline), {}),
                backend=Backend(remote_write=server.remote_write),
            )
            for variant, pipeline in ARMS.items()
        ),
        kpi=Kpi(endpoint=capture.url, scope="exp-1", host=HOST),
    )
    return stamped(share(assemble(request), HOST), "exp-1")


def scrapes_of(edge: list[Count]) -> int:
    return min(len({count.end_ns for count in edge if count.variant is variant}) for variant in ARMS)


def counted(capture: Capture) -> list[Count]:
    codec = OtlpMetricsCodec()
    bodies = [received.body.SerializeToString() for received in capture.requests("/v1/metrics")]
    found = [count for body in bodies for count in codec.decode(body, "application/x-protobuf").counts]
    assert {count.host for count in found} <= {NODE}
    return [count.model_copy(update={"host": HOST}) for count in found]  # as the control plane does, by the token


def compared(edge: list[Count], server: prometheus.Prometheus) -> Agreement:
    span = (min(count.start_ns for count in edge), max(count.end_ns for count in edge))
    critical = frozenset(process for count in edge for process in count.critical)
    asked = Asked("default", "exp-1", INTERVAL_S, {HOST: span}, {HOST: critical}, {HOST: NODE})
    source = PrometheusArms(PrometheusApi(server.url, lambda *_: {}, private=True), Named(url=server.url))
    named = {"experiment": "e", "source": "Prometheus"}
    return agreement(named, 0, 1, edge, source.arms(asked), INTERVAL_S)


def arrived(found: Agreement) -> bool:
    """Whether every scrape that can be told apart is there, in full."""
    return found.compared == found.scrapes - sum(arm.shared for arm in found.arms) and found.equal == found.compared


def test_prometheus_has_exactly_what_the_edge_counted(tmp_path: Path) -> None:
    folder = tmp_path / "collector"
    env = {"PHOENIX_TOKEN": "phx_x", HOST_VARIABLE: NODE}
    folder.mkdir()
    with Capture() as capture, prometheus.running(prometheus.resolve(os.environ), tmp_path) as server:
        binary = resolve_collector(os.environ, print)
        with CollectorProcess(binary, folder, configuration(capture, server), env) as collector:
            deadline = time.monotonic() + 120
            while scrapes_of(edge := counted(capture)) < SCRAPES:
                assert time.monotonic() < deadline, collector.words()
                time.sleep(0.2)
            while not arrived(found := compared(edge, server)):
                assert time.monotonic() < deadline, found
                time.sleep(0.5)
    assert (found.difference, found.largest) == (0, 0)
    # On a busy machine two scrapes may fall together: those cannot be told apart, and are not compared.
    assert found.compared >= SCRAPES
    assert found.edge_points > 100 * SCRAPES
    baseline, candidate = found.arms
    assert candidate.edge_points < baseline.edge_points
    for arm in found.arms:
        assert arm.unclaimed_points == 0
        assert arm.there_critical == arm.edge_critical >= arm.compared, arm.lost
