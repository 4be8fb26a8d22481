"""One arm on its own, as a deployment runs it, and what happens while the control plane is away."""

from __future__ import annotations

import time
from pathlib import Path

from chalicelib.adapters.catalog.files import FileCatalog
from chalicelib.domain.critical import CriticalPattern
from chalicelib.domain.experiment.spec import Backend
from chalicelib.domain.measurement import Variant
from chalicelib.domain.pipeline.assembly import assemble, standalone
from chalicelib.domain.pipeline.rendering import render
from chalicelib.domain.pipeline.request import AssemblyArm, AssemblyRequest, Kpi
from tests.catalog import brute
from tests.catalog.capture import Capture
from tests.catalog.conftest import Runner
from tests.catalog.counts import counts
from tests.catalog.population import Population

INTERVAL_S = 1.5
CRITICAL = (CriticalPattern(id="web", name="^web-"),)
AWAY_S = 8.0
DEADLINE_S = 60.0
LONGEST_RETRY_S = 7.5


def test_a_deployment_goes_on_and_its_counts_resume_after_the_control_plane_was_away(
    catalog: FileCatalog, runner: Runner, tmp_path: Path
) -> None:
    with Capture() as capture, Population(tmp_path) as population:
        for index in range(20):
            population.idle(f"idle-{index}")
        web = {population.idle("web-1"), population.idle("web-2")}
        request = AssemblyRequest(
            interval_s=INTERVAL_S,
            critical=CRITICAL,
            arms=(
                AssemblyArm(
                    variant=Variant.DEPLOYED,
                    fragment=render(catalog.get("process-topk-v1"), {"k": 3}),
                    backend=Backend(otlp=f"{capture.url}/deployed"),
                ),
            ),
            kpi=Kpi(endpoint=capture.url, scope="dep-1", host="test-host"),
            raw_backend=Backend(otlp=f"{capture.url}/raw"),
        )
        capture.down_until = time.monotonic() + AWAY_S
        with runner.running(assemble(request)):
            time.sleep(AWAY_S)
            while_away = len(capture.requests("/deployed"))
            back = time.monotonic()
            while not capture.requests("/v1/metrics") and time.monotonic() < back + 60:
                time.sleep(0.1)
            time.sleep(LONGEST_RETRY_S + INTERVAL_S)
    assert capture.refused > 0
    assert while_away > 0
    scrapes = brute.scrapes_of(capture.resources("/raw"))
    rows = brute.by_scrape(capture.resources("/deployed"), scrapes)
    counted = counts(capture.resources("/v1/metrics"), scrapes)
    assert set(counted) == {"raw", "deployed"}
    for index, scrape in enumerate(scrapes):
        keeps = brute.top_k(scrape, 3, CRITICAL)
        assert {row.pid for row in rows[index]} == keeps
        assert web <= keeps
        assert counted["raw"][index].series == len(scrape.without_helper())
        assert counted["deployed"][index].series == len(rows[index])
        assert sum(counted["deployed"][index].critical.values()) == len(web)


def test_an_arm_without_a_backend_is_counted_all_the_same(catalog: FileCatalog, runner: Runner, tmp_path: Path) -> None:
    with Capture() as capture, Population(tmp_path) as population:
        web = population.idle("web-1")
        arms = tuple(
            AssemblyArm(variant=variant, fragment=render(catalog.get(name), {}))
            for variant, name in (
                (Variant.BASELINE, "process-baseline-v1"),
                (Variant.CANDIDATE, "process-priority-filter-v1"),
            )
        )
        request = AssemblyRequest(
            interval_s=INTERVAL_S,
            critical=CRITICAL,
            arms=arms,
            kpi=Kpi(endpoint=capture.url, scope="exp-2", host="test-host"),
            raw_backend=Backend(otlp=f"{capture.url}/raw"),
        )
        with runner.running(assemble(request)):
            capture.wait_for("/raw", 4, DEADLINE_S)
        assert runner.errors() == []
    scrapes = brute.scrapes_of(capture.resources("/raw"))
    counted = counts(capture.resources("/v1/metrics"), scrapes)
    assert len(scrapes) >= 3
    for index, scrape in enumerate(scrapes):
        assert counted["baseline"][index] == counted["raw"][index]
        assert counted["baseline"][index].series == len(scrape.without_helper())
        keeps = brute.over_thresholds(scrape, 0.005, 104857600, CRITICAL)
        assert counted["candidate"][index].series == sum(row.pid in keeps for row in scrape.without_helper())
        assert set(counted["candidate"][index].critical) == {("web", "web-1", web)}


def test_a_standalone_config_runs_on_a_stock_collector_and_sends_nothing_of_ours(
    catalog: FileCatalog, runner: Runner, tmp_path: Path
) -> None:
    with Capture() as capture, Population(tmp_path) as population:
        web = population.idle("web-1")
        fragment = render(catalog.get("process-topk-v1"), {"k": 2})
        backend = Backend(otlp=f"{capture.url}/own")
        with runner.running(standalone(fragment, CRITICAL, INTERVAL_S, backend)):
            capture.wait_for("/own", 3, DEADLINE_S)
    scrapes = brute.scrapes_of(capture.resources("/own"))
    assert len(scrapes) >= 2
    for scrape in scrapes:
        assert web in scrape.pids()
        assert len(scrape.pids()) <= 5
        assert not [key for attributes in scrape.attributes.values() for key in attributes if "phoenix" in key]
    assert capture.requests("/v1/metrics") == []
