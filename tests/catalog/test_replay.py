"""A replay tells the truth: for every pipeline its counts equal brute force over the recording, scrape by scrape, and
for a live run they equal what the live collector counted for the same scrapes.
"""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from chalicelib.adapters.catalog.files import FileCatalog
from chalicelib.domain.critical import CriticalPattern
from chalicelib.domain.experiment.spec import Backend
from chalicelib.domain.measurement import Variant
from chalicelib.domain.pipeline.assembly import assemble
from chalicelib.domain.pipeline.rendering import render
from chalicelib.domain.pipeline.request import AssemblyArm, AssemblyRequest, Kpi
from phoenix_cli.collector.process import CollectorProcess
from phoenix_cli.recording.points import NAME
from phoenix_cli.replay.feeding import Replayed, replay
from tests.catalog import brute, rules
from tests.catalog.brute import Scrape
from tests.catalog.capture import Capture
from tests.catalog.conftest import TOKEN
from tests.catalog.counts import counts
from tests.catalog.history import SECOND, History
from tests.catalog.population import Population
from tests.catalog.recorded import recorded
from tests.catalog.test_history import CASES, CRITICAL, INTERVAL_S

SCRAPES = 8
LIVE = (CriticalPattern(id="web", name="^web-"), CriticalPattern(id="init", command_line="^/sbin/init"))


@pytest.fixture(scope="module")
def history(
    tmp_path_factory: pytest.TempPathFactory, catalog: FileCatalog, collector: Path
) -> tuple[list[Scrape], Replayed, int]:
    """A made-up history of half an hour ago, its replay through every case at once, and when its collector began."""
    began = time.time_ns() - 3600 * SECOND
    made = History(11, began + 1800 * SECOND, round(INTERVAL_S * SECOND), 160, 2.0)
    requests = [made.scrape() for _ in range(SCRAPES)]
    scrapes = brute.scrapes_of([resource for request in requests for resource in request.resource_metrics])
    assert len(scrapes) == SCRAPES
    assert made.reused > 10
    path = tmp_path_factory.mktemp("recorded") / "history.phxrec"
    recording = recorded(path, requests, interval_s=INTERVAL_S, collector_started_ns=began)
    fragments = [render(catalog.get(case.pipeline), case.parameters) for case in CASES]
    return scrapes, replay(recording, fragments, CRITICAL, collector, lambda _: None), began


@pytest.mark.parametrize("index", range(len(CASES)), ids=[case.id for case in CASES])
def test_a_replay_counts_what_the_rule_says(index: int, history: tuple[list[Scrape], Replayed, int]) -> None:
    scrapes, replayed, began = history
    around = rules.Around(round(INTERVAL_S * SECOND), CRITICAL, began)
    rule, stream = CASES[index].rule(around), replayed.outputs[index]
    points, names = [], {name: 0 for name in stream.by_name}
    for number, scrape in enumerate(scrapes):
        expected = rule(scrape)
        points.append(sum(expected.rows.values()) + len(expected.sums))
        for identity, times in expected.rows.items():
            name = str(dict(identity[0]).get(NAME, ""))
            names[name] = names.get(name, 0) + times
        for group, _, _ in expected.sums:
            names[group] = names.get(group, 0) + 1
        assert set(stream.critical[number]) == {
            (pattern, pid) for pid, pattern in brute.criticals(scrape, CRITICAL).items()
        }
    assert stream.points == points
    assert [number or 0 for number in stream.counted] == points, "the counting branch of hosts says something else"
    assert stream.by_name == {name: number for name, number in names.items() if number}
    assert all(0 < wire < plain for wire, plain in zip(stream.wire_bytes, stream.plain_bytes, strict=True))


def test_the_raw_stream_is_counted_without_helper_metrics(history: tuple[list[Scrape], Replayed, int]) -> None:
    scrapes, replayed, _ = history
    assert replayed.raw.counted == [len(scrape.without_helper()) for scrape in scrapes]


@pytest.mark.parametrize(
    ("name", "parameters"), [("process-aggregated-v1", {}), ("process-topk-v1", {"k": 4, "disk": True})]
)
def test_a_replay_counts_what_the_live_collector_counted(
    name: str, parameters: dict[str, object], catalog: FileCatalog, collector: Path, tmp_path: Path
) -> None:
    """Processes come and go; some are born after the collector, so that sums from zero and in full both occur."""
    arms = tuple(
        AssemblyArm(variant=variant, fragment=render(catalog.get(of), given))
        for variant, of, given in (
            (Variant.BASELINE, "process-baseline-v1", {}),
            (Variant.CANDIDATE, name, parameters),
        )
    )
    work = tmp_path / "collector"
    work.mkdir()
    (tmp_path / "population").mkdir()
    with Capture() as capture, Population(tmp_path / "population") as population:
        population.idle("web-1")
        request = AssemblyRequest(
            interval_s=1.0,
            critical=LIVE,
            arms=arms,
            kpi=Kpi(endpoint=capture.url, scope="exp-1", host="test-host"),
            raw_backend=Backend(otlp=f"{capture.url}/raw"),
        )
        with CollectorProcess(collector, work, assemble(request), {"PHOENIX_TOKEN": TOKEN}) as running:
            capture.wait_for("/raw", 1, 60)
            started = running.started_ns()
            population.idle("web-2")
            population.busy("busy-1", 0.2, 4)
            population.churn(per_second=8, living=10)
            capture.wait_for("/raw", 4, 60)
    requests = [one.body for one in capture.requests("/raw")]
    scrapes = brute.scrapes_of(capture.resources("/raw"))
    live = counts(capture.resources("/v1/metrics"), scrapes)
    assert len(scrapes) == len(requests), "two scrapes came in one request"
    recording = recorded(tmp_path / "live.phxrec", requests, interval_s=1.0, collector_started_ns=started)
    again = replay(recording, [arm.fragment for arm in arms], LIVE, collector, lambda _: None)
    for variant, stream in zip(("raw", "baseline", "candidate"), (again.raw, *again.outputs), strict=True):
        assert [number or 0 for number in stream.counted] == [one.series for one in live[variant]], variant
        for sent, one in zip(stream.critical, live[variant], strict=True):
            assert {(pattern, name, pid) for (pattern, pid), name in sent.items()} == set(one.critical)
