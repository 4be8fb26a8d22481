"""Both arms, the raw stream and the counts of one collector on live processes, against brute force, every scrape."""

from __future__ import annotations

import os
import re
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from chalicelib.adapters.catalog.files import FileCatalog
from chalicelib.domain.critical import CriticalPattern
from chalicelib.domain.experiment.spec import OtlpBackend
from chalicelib.domain.measurement import Variant
from chalicelib.domain.pipeline.assembly import assemble
from chalicelib.domain.pipeline.marker import stamp
from chalicelib.domain.pipeline.rendering import render
from chalicelib.domain.pipeline.request import AssemblyArm, AssemblyRequest, Kpi
from tests.catalog import brute
from tests.catalog.brute import Scrape
from tests.catalog.capture import Capture
from tests.catalog.conftest import TOKEN, Runner
from tests.catalog.counts import Counted, counts, telemetry
from tests.catalog.population import HOSTILE, Population

INTERVAL_S = 2.0
RUN_S = 21.0
LATE_AFTER_S = 9.0

CRITICAL = (
    CriticalPattern(id="late", name="^late-critical$"),
    CriticalPattern(id="worker", command_line="payments-worker --queue=(a|b)"),
    *(CriticalPattern(id=f"hostile-{i}", name=f"^{re.escape(name)}$") for i, name in enumerate(HOSTILE)),
    CriticalPattern(id="quoted", command_line=r'say "hi" \$\{env:HOME\} \$\$ é\\n'),
    CriticalPattern(id="nobody", owner='no"body'),
)


@dataclass
class Arm:
    """A pipeline under test and the brute-force rule for the pids it keeps."""

    pipeline: str
    parameters: dict[str, float]
    keeps: Callable[[Scrape], set[int]]


BASELINE = Arm("process-baseline-v1", {}, Scrape.pids)
TOPK = Arm("process-topk-v1", {"k": 7}, lambda scrape: brute.top_k(scrape, 7, CRITICAL))
PRIORITY = Arm(
    "process-priority-filter-v1",
    {"cpu_min": 0.004, "memory_min": 20 << 20},
    lambda scrape: brute.over_thresholds(scrape, 0.004, 20 << 20, CRITICAL),
)


@dataclass
class Run:
    """What one run delivered."""

    scrapes: list[Scrape]
    rows: dict[str, list[list[brute.Row]]]
    counted: dict[str, list[Counted]]
    capture: Capture
    marker: str
    late_pid: int


def populate(population: Population) -> None:
    for name in HOSTILE:
        population.idle(name, "job")
    population.idle("quiet", 'say "hi" ${env:HOME} $$ é\\n')
    population.idle("queue-a", "payments-worker --queue=a")
    population.idle("queue-c", "payments-worker --queue=c")
    for index in range(60):
        population.idle(f"idle-{index % 30}", f"--n={index}")
    for index in range(6):
        population.busy(f"busy-{index}", 0.02 + 0.01 * (index % 3), 8 * (index + 1))
    population.churn(per_second=8, living=24)


def run(arms: dict[Variant, Arm], catalog: FileCatalog, runner: Runner, folder: Path) -> Run:
    with Capture() as capture, Population(folder) as population:
        populate(population)
        request = AssemblyRequest(
            interval_s=INTERVAL_S,
            critical=CRITICAL,
            arms=tuple(
                AssemblyArm(
                    variant=variant,
                    fragment=render(catalog.get(arm.pipeline), arm.parameters),
                    backend=OtlpBackend(otlp=f"{capture.url}/{variant.value}"),
                )
                for variant, arm in arms.items()
            ),
            kpi=Kpi(endpoint=capture.url, scope="exp-1", host="test-host"),
            raw_backend=OtlpBackend(otlp=f"{capture.url}/raw"),
        )
        config, marker = stamp(assemble(request), 1)
        with runner.running(config):
            time.sleep(LATE_AFTER_S)
            late = population.idle("late-critical")
            time.sleep(RUN_S - LATE_AFTER_S)
        assert runner.errors() == []
    scrapes = brute.scrapes_of(capture.resources("/raw"))
    rows = {variant.value: brute.by_scrape(capture.resources(f"/{variant.value}"), scrapes) for variant in arms}
    return Run(scrapes, rows, counts(capture.resources("/v1/metrics"), scrapes), capture, marker, late)


@pytest.fixture
def processes(tmp_path: Path) -> Path:
    folder = tmp_path / "processes"
    folder.mkdir()
    return folder


def check_arm(run: Run, variant: Variant, arm: Arm) -> None:
    """Kept pids and rows equal brute force in every scrape; nothing twice, nothing changed, nothing else."""
    for index, scrape in enumerate(run.scrapes):
        keeps = arm.keeps(scrape)
        want = brute.identities(row for row in scrape.without_helper() if row.pid in keeps)
        got = brute.identities(run.rows[variant.value][index])
        assert {row.pid for row in run.rows[variant.value][index]} == keeps, f"scrape {index}: other processes"
        assert got == want, f"scrape {index}: other rows"


def check_counts(run: Run, variants: list[Variant]) -> None:
    """What the edge counted equals what brute force counts in the delivered streams, for raw and every arm."""
    assert set(run.counted) == {variant.value for variant in variants}
    for index, scrape in enumerate(run.scrapes):
        critical = brute.criticals(scrape, CRITICAL)
        named = Counter((pattern, _name(scrape, pid), pid) for pid, pattern in critical.items())
        for variant in variants:
            rows = scrape.without_helper() if variant is Variant.RAW else run.rows[variant.value][index]
            counted = run.counted[variant.value][index]
            assert counted.series == len(rows), f"scrape {index}, {variant}: series"
            assert counted.critical == named, f"scrape {index}, {variant}: criticals"


def _name(scrape: Scrape, pid: int) -> str:
    return str(scrape.attributes[pid]["process.executable.name"])


def check_critical_story(run: Run, arms: list[Variant]) -> None:
    """Every pattern that was started is found in every scrape from the first; the late one from its first scrape on,
    in every arm."""
    always = {pattern.id for pattern in CRITICAL} - {"late", "nobody"}
    late_seen = []
    for index, scrape in enumerate(run.scrapes):
        found = brute.criticals(scrape, CRITICAL)
        assert set(found.values()) - {"late"} == always
        late_seen.append(run.late_pid in found)
        for variant in arms:
            assert set(found) <= {row.pid for row in run.rows[variant.value][index]}
    first = late_seen.index(True)
    assert 0 < first < len(late_seen) - 1
    assert all(late_seen[first:])


def check_telemetry(run: Run) -> None:
    """Scope, host and marker are on the counts and on the collector's own telemetry; the token travels as a header."""
    assert {request.headers.get("authorization") for request in run.capture.requests("/v1/metrics")} == {
        f"Bearer {TOKEN}"
    }
    assert {request.headers.get("authorization") for request in run.capture.requests("/raw")} == {None}
    resources = run.capture.resources("/v1/metrics")
    own = telemetry(resources)
    assert len(own) >= 2
    for resource in resources:
        attributes = brute.attributes_of(resource.resource.attributes)
        assert attributes["phoenix.scope"] == "exp-1"
        assert attributes["phoenix.host"] == "test-host"
        assert attributes["phoenix.config"] == run.marker
    names = {metric.name for resource in own for scope in resource.scope_metrics for metric in scope.metrics}
    assert {
        "otelcol_process_cpu_seconds",
        "otelcol_process_memory_rss",
        "otelcol_receiver_accepted_metric_points",
        "otelcol_exporter_sent_metric_points",
        "otelcol_exporter_queue_batch_send_size_bytes",
    } <= names


def report(run: Run, variants: dict[Variant, Arm]) -> str:
    raw = sum(len(scrape.without_helper()) for scrape in run.scrapes)
    parts = [f"{len(run.scrapes)} scrapes, {max(len(s.pids()) for s in run.scrapes)} processes, raw {raw} points"]
    parts += [f"{arm.pipeline} {sum(map(len, run.rows[variant.value]))}" for variant, arm in variants.items()]
    criticals = sum(len(brute.criticals(scrape, CRITICAL)) for scrape in run.scrapes)
    return " · ".join([*parts, f"criticals {criticals}"])


def check_own_processes(run: Run) -> None:
    """The run saw churn and itself: brute force over an empty stream would prove nothing."""
    assert len(run.scrapes) >= 6
    assert all(min(scrape.pids()) == run.scrapes[0].rows[0].pid == scrape.rows[0].pid for scrape in run.scrapes)
    assert all(os.getpid() in scrape.pids() for scrape in run.scrapes)
    assert len(set.union(*(scrape.pids() for scrape in run.scrapes))) > len(run.scrapes[0].pids()) + 40


@pytest.mark.parametrize("candidate", [TOPK, PRIORITY], ids=["topk", "priority"])
def test_both_arms_and_their_counts_are_exact_under_churn(
    candidate: Arm, catalog: FileCatalog, runner: Runner, processes: Path
) -> None:
    arms = {Variant.BASELINE: BASELINE, Variant.CANDIDATE: candidate}
    result = run(arms, catalog, runner, processes)
    print(report(result, arms))
    check_own_processes(result)
    for variant, arm in arms.items():
        check_arm(result, variant, arm)
    check_counts(result, [Variant.RAW, *arms])
    check_critical_story(result, list(arms))
    check_telemetry(result)
    smaller = sum(map(len, result.rows[Variant.CANDIDATE.value]))
    assert smaller < 0.5 * sum(len(scrape.without_helper()) for scrape in result.scrapes)
