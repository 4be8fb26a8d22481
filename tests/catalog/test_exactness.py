"""Both arms, the raw stream and the counts of one collector on live processes, against brute force, every scrape."""

from __future__ import annotations

import os
import re
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from chalicelib.adapters.catalog.files import FileCatalog
from chalicelib.domain.critical import CriticalPattern
from chalicelib.domain.experiment.spec import Backend
from chalicelib.domain.measurement import Variant
from chalicelib.domain.pipeline.assembly import assemble
from chalicelib.domain.pipeline.marker import stamp
from chalicelib.domain.pipeline.rendering import render
from chalicelib.domain.pipeline.request import AssemblyArm, AssemblyRequest, Kpi
from tests.catalog import brute, many, rules
from tests.catalog.brute import Scrape
from tests.catalog.capture import Capture
from tests.catalog.conftest import TOKEN, Runner
from tests.catalog.counts import Counted, counts, telemetry
from tests.catalog.population import HOSTILE, Population
from tests.catalog.rules import Case

INTERVAL_S = 1.5
SCRAPES = 7
LATE_AFTER = 4
DEADLINE_S = 60.0

CRITICAL = (
    CriticalPattern(id="late", name="^late-critical$"),
    CriticalPattern(id="worker", command_line="payments-worker --queue=(a|b)"),
    *(CriticalPattern(id=f"hostile-{i}", name=f"^{re.escape(name)}$") for i, name in enumerate(HOSTILE)),
    CriticalPattern(id="quoted", command_line=r'say "hi" \$\{env:HOME\} \$\$ é\\n'),
    CriticalPattern(id="nobody", owner='no"body'),
)


PRIORITY = rules.priority(
    cpu_min=0.004,
    memory_min=20 << 20,
    keep_names=["^queue-c$"],
    keep_command_lines=["^idle-7 --n=.7$"],
    drop_names=["^busy-[0-9]$", "^naïve"],
    drop_command_lines=["--n=17$"],
)
PAIRS = (
    (rules.baseline(), rules.topk(k=7)),
    (PRIORITY, rules.aggregated()),
    (rules.adaptive(budget=60), rules.aggressive()),
    (rules.critical(), rules.basic()),
    (rules.standard(min_age=5), rules.dynamic(busy_cpu=0.3, detail=20, unusual=0.02, every=5)),
)
"""Every pipeline of the catalog once; what each pair sends is made by one collector from one scrape."""


@dataclass
class Run:
    """What one run delivered."""

    scrapes: list[Scrape]
    rows: dict[str, list[list[brute.Row]]]
    counted: dict[str, list[Counted]]
    capture: Capture
    marker: str
    late_pid: int
    launched: int


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


def run(arms: dict[Variant, Case], catalog: FileCatalog, runner: Runner, folder: Path) -> Run:
    with Capture() as capture, Population(folder) as population:
        populate(population)
        request = AssemblyRequest(
            interval_s=INTERVAL_S,
            critical=CRITICAL,
            arms=tuple(
                AssemblyArm(
                    variant=variant,
                    fragment=render(catalog.get(case.pipeline), case.parameters),
                    backend=Backend(otlp=f"{capture.url}/{variant.value}"),
                )
                for variant, case in arms.items()
            ),
            kpi=Kpi(endpoint=capture.url, scope="exp-1", host="test-host"),
            raw_backend=Backend(otlp=f"{capture.url}/raw"),
        )
        config, marker = stamp(assemble(request), 1)
        with runner.running(config):
            launched = time.time_ns()
            capture.wait_for("/raw", LATE_AFTER, DEADLINE_S)
            late = population.idle("late-critical")
            capture.wait_for("/raw", SCRAPES, DEADLINE_S)
        assert runner.errors() == []
    scrapes = brute.scrapes_of(capture.resources("/raw"))
    rows = {variant.value: brute.by_scrape(capture.resources(f"/{variant.value}"), scrapes) for variant in arms}
    counted = counts(capture.resources("/v1/metrics"), scrapes)
    return Run(scrapes, rows, counted, capture, marker, late, launched)


@pytest.fixture
def processes(tmp_path: Path) -> Path:
    folder = tmp_path / "processes"
    folder.mkdir()
    return folder


def check_arm(run: Run, variant: Variant, case: Case) -> None:
    """Processes, rows and sums equal the rule in every scrape; nothing twice, nothing changed, nothing else."""
    around = rules.Around(round(INTERVAL_S * 1e9), CRITICAL)
    rows = run.rows[variant.value]
    assert many.compare_live(case, around, run.launched, run.scrapes, rows) == []
    assert many.falls(rows) == []


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


def report(run: Run, variants: dict[Variant, Case]) -> str:
    raw = sum(len(scrape.without_helper()) for scrape in run.scrapes)
    parts = [f"{len(run.scrapes)} scrapes, {max(len(s.pids()) for s in run.scrapes)} processes, raw {raw} points"]
    parts += [f"{case.pipeline} {sum(map(len, run.rows[variant.value]))}" for variant, case in variants.items()]
    criticals = sum(len(brute.criticals(scrape, CRITICAL)) for scrape in run.scrapes)
    return " · ".join([*parts, f"criticals {criticals}"])


def check_own_processes(run: Run) -> None:
    """The run saw churn and itself: brute force over an empty stream would prove nothing."""
    assert len(run.scrapes) >= 6
    assert all(min(scrape.pids()) == run.scrapes[0].rows[0].pid == scrape.rows[0].pid for scrape in run.scrapes)
    assert all(os.getpid() in scrape.pids() for scrape in run.scrapes)
    assert len(set.union(*(scrape.pids() for scrape in run.scrapes))) > len(run.scrapes[0].pids()) + 15


def test_every_pipeline_of_the_catalog_is_in_a_pair(catalog: FileCatalog) -> None:
    assert sorted(case.pipeline for pair in PAIRS for case in pair) == catalog.names()


@pytest.mark.parametrize("pair", PAIRS, ids=["-".join(case.id.partition("[")[0] for case in pair) for pair in PAIRS])
def test_both_arms_and_their_counts_are_exact_under_churn(
    pair: tuple[Case, Case], catalog: FileCatalog, runner: Runner, processes: Path
) -> None:
    arms = dict(zip((Variant.BASELINE, Variant.CANDIDATE), pair, strict=True))
    result = run(arms, catalog, runner, processes)
    print(report(result, arms))
    check_own_processes(result)
    for variant, case in arms.items():
        check_arm(result, variant, case)
    check_counts(result, [Variant.RAW, *arms])
    check_critical_story(result, list(arms))
    check_telemetry(result)
    sent = sum(map(len, result.rows[Variant.CANDIDATE.value]))
    assert sent < sum(len(scrape.without_helper()) for scrape in result.scrapes)
