"""Experiments on real processes: what is kept, what is saved, the winner rolled out; counted at the user's backend."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from loadsim.agent.runs import mark_prefix
from loadsim.processes.marker import marked
from tests.acceptance.conftest import HOST
from tests.acceptance.machine import Machine
from tests.acceptance.manifests import manifest, written
from tests.acceptance.test_deployment import NAME, active, deploy
from tests.acceptance.waiting import until
from tests.catalog import brute
from tests.catalog.capture import Capture

pytestmark = pytest.mark.timeout(600)
Figure = Callable[[str], None]
CRITICAL_NAME = re.compile("^phx-crit-")


def arm(backend: Capture, path: str, pipeline: str, **parameters: Any) -> dict[str, Any]:
    return {"pipeline": pipeline, "parameters": parameters, "backend": {"otlp": f"{backend.url}/{path}"}}


def critical_points(rows: list[brute.Row]) -> set[tuple[int, int, str]]:
    """(time, pid, name): one per critical process and scrape; both arms carry the very same times."""
    return {
        (row.time, row.pid, row.name)
        for row in rows
        if row.metric == "process.memory.usage" and CRITICAL_NAME.search(row.name)
    }


def own_criticals(machine: Machine, count: int) -> set[int]:
    """Pids of the critical processes of the machine's own load, by the kernel; others of such names may run as well."""

    def look() -> set[int]:
        pids = marked(mark_prefix(machine.folder / "host" / "loadsim"))
        return {pid for pid in pids if CRITICAL_NAME.search(Path(f"/proc/{pid}/comm").read_text())}

    return until(f"{count} critical processes run", lambda: found if len(found := look()) == count else set(), 60)


@dataclass(frozen=True)
class Arms:
    """What really arrived at the backend, cut into the scrapes of the baseline (which keeps everything)."""

    baseline: list[list[brute.Row]]
    candidate: list[list[brute.Row]]


def arrived(backend: Capture, name: str) -> Arms:
    """All but the newest scrapes, of which one arm may have arrived and the other not."""
    kept = brute.rows_of(backend.resources(f"/{name}/candidate"))
    newest = max(row.time for row, _ in kept)
    scrapes = brute.scrapes_of(backend.resources(f"/{name}/baseline"))
    whole = [scrape for scrape in scrapes[:-1] if scrape.end < newest][:-1]
    candidate: list[list[brute.Row]] = [[] for _ in whole]
    for row, _ in kept:
        if row.time <= whole[-1].end:
            (index,) = [i for i, scrape in enumerate(whole) if scrape.start <= row.time <= scrape.end]
            candidate[index].append(row)
    return Arms([scrape.rows for scrape in whole], candidate)


@pytest.mark.acceptance(
    "AT-P02",
    "process-priority-filter-v1 against baseline, 80 simulated processes of which 4 critical; every critical process "
    "in every scrape at the user's OTLP server compared with the baseline's",
)
def test_priority_filter_keeps_every_critical_process_from_its_first_scrape(
    machine: Machine, backend: Capture, tmp_path: Path, figure: Figure
) -> None:
    name = "keeps-criticals"
    candidate = arm(backend, f"{name}/candidate", "process-priority-filter-v1")
    document = manifest(
        name,
        HOST,
        candidate,
        baseline=arm(backend, f"{name}/baseline", "process-baseline-v1"),
        schedule={"warmUp": "4s", "minDuration": "32s", "maxDuration": "45s", "evaluateEvery": "2s"},
        load={"profile": "high-cardinality", "count": 80, "busy": 6, "critical": 4, "restartsPerMinute": 30},
    )
    machine.phoenix("experiment", "create", "-f", written(tmp_path, document), "--start")
    own = own_criticals(machine, 4)
    machine.phoenix("experiment", "status", name, "--wait", "150", code=None, seconds=200)
    result = machine.phoenix.data("experiment", "compare", name)
    if result["state"] == "awaiting_promotion":
        machine.phoenix("experiment", "stop", name)
        machine.phoenix("experiment", "status", name, "--wait", "60", code=None)

    (pattern,) = result["critical"]["patterns"]
    assert (pattern["candidateRetention"], pattern["baselineRetention"]) == (1.0, 1.0)
    assert result["critical"]["breaches"] == result["critical"]["unconfirmed"] == []
    # Nothing was lost; whether so few scrapes are enough to promote it, is not what is asked here.
    assert result["verdict"] in ("promote", "inconclusive", "insufficient_data"), result["explanation"]
    assert result["reduction"]["value"] > 0, "a filter that drops nothing keeps everything"

    arms = arrived(backend, name)
    wanted = critical_points([row for scrape in arms.baseline for row in scrape])
    assert wanted == critical_points([row for scrape in arms.candidate for row in scrape])
    assert own <= {pid for _, pid, _ in wanted}
    kept = [pid for _, pid, _ in wanted if pid in own]
    assert len(kept) >= 4 * 8
    figure(
        f"{len(kept)} of {len(kept)} process-scrapes of 4 critical processes kept, the first scrape included; "
        f"series -{result['reduction']['value']:.0%}"
    )


@dataclass(frozen=True)
class Won:
    """An experiment that waits for its promotion."""

    name: str
    criticals: set[int]
    result: dict[str, Any]


@pytest.fixture(scope="module")
def won(machine: Machine, backend: Capture, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Won]:
    """Top-K under high-cardinality load, over a deployed baseline, until its verdict."""
    deploy(machine, "process-baseline-v1", "--interval", "5s")
    name = "topk-wins"
    document = manifest(
        name,
        HOST,
        arm(backend, f"{name}/candidate", "process-topk-v1", k=10),
        baseline=arm(backend, f"{name}/baseline", "process-baseline-v1"),
        load={"profile": "high-cardinality", "count": 200, "busy": 10, "critical": 5},
    )
    path = written(tmp_path_factory.mktemp("won"), document)
    machine.phoenix("experiment", "create", "-f", path)
    machine.phoenix("experiment", "start", name)
    own = own_criticals(machine, 5)
    machine.phoenix("experiment", "status", name, "--wait", "400", code=0, seconds=430)
    yield Won(name, own, machine.phoenix.data("experiment", "compare", name))
    if machine.phoenix.data("experiment", "show", name)["state"] == "awaiting_promotion":
        machine.phoenix("experiment", "stop", name)


@pytest.mark.acceptance(
    "AT-P03",
    "process-topk-v1 (k=10) against baseline with 200 real processes of their own names and command lines; series "
    "counted at the edge and again at the user's OTLP server",
)
def test_top_k_halves_the_series_under_high_cardinality_load(won: Won, backend: Capture, figure: Figure) -> None:
    result = won.result
    assert (result["verdict"], result["state"]) == ("promote", "awaiting_promotion"), result["explanation"]
    assert result["recomputed"]["verdict"] == "promote"
    reduction = result["reduction"]
    assert reduction["low"] >= 0.5
    (pattern,) = result["critical"]["patterns"]
    assert pattern["candidateRetention"] == 1.0
    assert won.criticals <= {one["pid"] for one in result["critical"]["processes"]}

    arms = arrived(backend, won.name)
    loaded = [i for i, scrape in enumerate(arms.baseline) if len({row.pid for row in scrape}) >= 200]
    before = sum(len(arms.baseline[i]) for i in loaded)
    after = sum(len(arms.candidate[i]) for i in loaded)
    assert len(loaded) >= 8
    assert 1 - after / before >= 0.5
    assert 1 - after / before == pytest.approx(reduction["value"], abs=0.05)
    assert critical_points([row for scrape in arms.baseline for row in scrape]) == critical_points(
        [row for scrape in arms.candidate for row in scrape]
    )
    figure(
        f"series -{reduction['value']:.1%} [{reduction['low']:.1%}, {reduction['high']:.1%}] in {reduction['scrapes']} "
        f"scrapes; at the backend -{1 - after / before:.1%}"
    )


@pytest.mark.acceptance(
    "AT-P10",
    "experiment promote by hand; the collector's own effective configuration read back, nothing more of the loser at "
    "the user's OTLP server",
)
@pytest.mark.usefixtures("won")
def test_promotion_rolls_the_winner_out_and_removes_the_loser(
    machine: Machine, won: Won, backend: Capture, figure: Figure
) -> None:
    began = time.monotonic()
    machine.phoenix("experiment", "promote", won.name)
    item = active(machine)
    seconds = time.monotonic() - began
    assert item["marker"] == item["expected"]
    text = repr(item["config"])
    assert "deployed.rank" in text
    assert "baseline" not in text
    assert "metrics/candidate" not in item["config"]["service"]["pipelines"]

    shown = machine.phoenix.data("experiment", "show", won.name)
    assert shown["state"] == "completed"
    assert [proof["marker"] for proof in shown["proofs"]] == [item["marker"]]
    found = machine.phoenix.data("pipeline", "status", NAME)
    assert found["pipeline"] == "process-topk-v1 k=10"
    assert machine.collector().is_running()
    silent = len(backend.requests(f"/{won.name}/baseline"))
    delivered = len(backend.requests(f"/{won.name}/candidate"))
    until("the winner delivers", lambda: len(backend.requests(f"/{won.name}/candidate")) > delivered + 1, 20)
    assert len(backend.requests(f"/{won.name}/baseline")) == silent
    load = [one for one in machine.phoenix.data("loadsim", "status") if won.name in one["name"]]
    assert [one["status"]["phase"] for one in load] == ["stopped"]
    figure(f"{seconds:.1f} s from promote to read-back, no part of the baseline left in the collector")


@dataclass(frozen=True)
class Aggregated:
    """An A/B of the baseline against the aggregating pipeline that has come to its end."""

    name: str
    criticals: set[int]
    result: dict[str, Any]
    table: str


@pytest.fixture(scope="module")
def aggregated(machine: Machine, backend: Capture, tmp_path_factory: pytest.TempPathFactory) -> Aggregated:
    """Under 60 processes of few names, as services have; its verdict is no part of what is asked."""
    name = "aggregates"
    document = manifest(
        name,
        HOST,
        arm(backend, f"{name}/candidate", "process-aggregated-v1"),
        baseline=arm(backend, f"{name}/baseline", "process-baseline-v1"),
        schedule={"warmUp": "4s", "minDuration": "32s", "maxDuration": "36s", "evaluateEvery": "2s"},
        guardrails={"exportFailures": {"atMost": "1%", "severity": "warn"}},
        load={"profile": "realistic", "count": 60, "busy": 6, "critical": 4},
    )
    path = written(tmp_path_factory.mktemp("aggregated"), document)
    machine.phoenix("experiment", "create", "-f", path, "--start")
    own = own_criticals(machine, 4)
    machine.phoenix("experiment", "status", name, "--wait", "150", code=None, seconds=200)
    result, table = machine.phoenix.data("experiment", "compare", name), machine.phoenix("experiment", "compare", name)
    if result["state"] == "awaiting_promotion":
        machine.phoenix("experiment", "stop", name)
        machine.phoenix("experiment", "status", name, "--wait", "60", code=None)
    return Aggregated(name, own, result, table.out)


@pytest.mark.acceptance(
    "AT-P04",
    "process-baseline-v1 against process-aggregated-v1 with 60 simulated processes of few names; experiment compare, "
    "and the points at the user's OTLP server",
)
def test_compare_shows_that_the_aggregated_pipeline_has_fewer_series(
    aggregated: Aggregated, backend: Capture, figure: Figure
) -> None:
    result = aggregated.result
    assert result["verdict"] != "reject", result["explanation"]
    mean = result["series"]["mean"]
    assert 0 < mean["candidate"] < mean["baseline"] == mean["raw"]
    shown = {row["kpi"]: row for row in result["kpis"]}
    assert shown["series"]["value"] == pytest.approx(mean["candidate"])
    assert shown["exportFailures"]["severity"] == "warn"
    line = next(text.split() for text in aggregated.table.splitlines() if text.startswith("series per scrape"))
    raw, baseline, candidate = (int(word.replace(",", "")) for word in line[-3:])
    assert 0 < candidate < baseline == raw

    arrived_rows = {
        arm: len(brute.rows_of(backend.resources(f"/{aggregated.name}/{arm}"))) for arm in ("baseline", "candidate")
    }
    assert 0 < arrived_rows["candidate"] < arrived_rows["baseline"]
    figure(
        f"{baseline:,} → {candidate:,} series a scrape (-{result['reduction']['value']:.0%}); at the backend "
        f"{arrived_rows['baseline']:,} → {arrived_rows['candidate']:,} points"
    )


@pytest.mark.acceptance(
    "AT-P05",
    "critical retention of both variants in that A/B, at the edge, and critical processes one by one at the user's "
    "OTLP server",
)
def test_both_variants_of_that_ab_keep_every_critical_process(
    aggregated: Aggregated, backend: Capture, figure: Figure
) -> None:
    result = aggregated.result
    (pattern,) = result["critical"]["patterns"]
    assert (pattern["candidateRetention"], pattern["baselineRetention"]) == (1.0, 1.0)
    assert result["critical"]["breaches"] == result["critical"]["baselineBreaches"] == []
    assert aggregated.criticals <= {one["pid"] for one in result["critical"]["processes"]}

    every = {
        arm: critical_points([row for row, _ in brute.rows_of(backend.resources(f"/{aggregated.name}/{arm}"))])
        for arm in ("baseline", "candidate")
    }
    # Of the newest scrapes one arm may have arrived and the other not.
    newest = min(max(time for time, _, _ in points) for points in every.values())
    baseline, candidate = ({point for point in points if point[0] < newest} for points in every.values())
    assert baseline == candidate
    own = [pid for _, pid, _ in baseline if pid in aggregated.criticals]
    assert set(own) == aggregated.criticals
    assert len(own) >= 4 * 8
    figure(f"{len(own)} of {len(own)} process-scrapes of 4 critical processes in both variants at the backend")
