"""`bench catalog`: what it calls a mismatch, how it judges targets, and that its pages say what its result says."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from bench.catalog import page as catalog_page
from bench.catalog.catalog import Plan, Sized
from bench.catalog.columns import COLUMNS, TARGETS_TITLE
from bench.catalog.costing import Alone, Costs
from bench.catalog.exactness import Run, Shown, judge
from bench.catalog.subjects import CASES, EXCLUDE, INCLUDE, RIVALS, SAMPLING, THRESHOLD, Look, rivals
from bench.catalog.targets import judged
from bench.markdown import put
from bench.registry import RESULTS
from chalicelib.adapters.catalog.files import FileCatalog
from tests.catalog.brute import HELPER, Row, Scrape
from tests.unit.pipeline.golden import CATALOG

NAMES = FileCatalog(CATALOG).names()
LOOK = Look(critical=("phx-crit-01",), heavy=("big",), idle=("quiet",), kernel=("kworker/0:0",))


@pytest.fixture(scope="module")
def result() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((RESULTS / "catalog.json").read_text("utf-8"))
    return found


def test_every_pipeline_is_measured_with_its_defaults() -> None:
    catalog = FileCatalog(CATALOG)
    assert sorted(case.pipeline for case in CASES) == NAMES
    for case in CASES:
        defaults = {one.name: one.default for one in catalog.get(case.pipeline).metadata.parameters}
        assert {**defaults, **case.parameters} == defaults


def test_the_readme_links_every_pipeline() -> None:
    text = (CATALOG / "README.md").read_text("utf-8")
    assert all(f"[{name}]({name}/README.md)" in text for name in NAMES)


def test_the_readme_says_what_the_result_says(result: dict[str, Any]) -> None:
    page = (CATALOG / "README.md").read_text("utf-8")
    assert put(page, catalog_page.MARKERS, catalog_page.block(result)) == page, "run: python -m bench.catalog.page"
    sized = [table for table in result["tables"] if table["title"] not in catalog_page.OTHERS]
    assert sized
    for table in sized:
        assert sorted(row["name"] for row in table["rows"]) == sorted((*NAMES, *RIVALS))
        assert all(set(row) == {column.key for column in COLUMNS} for row in table["rows"])


@pytest.mark.parametrize("name", NAMES)
def test_the_effect_of_a_pipeline_is_the_measured_one(name: str, result: dict[str, Any]) -> None:
    stated = yaml.safe_load((CATALOG / name / "metadata.yaml").read_text("utf-8"))["effect"]
    assert stated == yaml.safe_load(catalog_page.effects(result)[name])["effect"], "run: python -m bench.catalog.page"


def test_a_missed_target_is_said(result: dict[str, Any]) -> None:
    (targets,) = [table for table in result["tables"] if table["title"] == TARGETS_TITLE]
    found = {row["met"] for row in targets["rows"]}
    whole = result["conditions"]["command"] == "make bench-catalog"
    assert found <= ({"yes", "no"} if whole else {"yes", "no", "not measured"})


def shown(series: float, mismatches: int = 0, kept: int = 5) -> Shown:
    return Shown(series=series, wire=series * 10, kept=kept, wanted=5, mismatches=mismatches)


def sized(series: float, ratio: float = 1.2, mismatches: int = 0, kept: int = 5, alone: Alone | None = None) -> Sized:
    each = {case.pipeline: shown(series, mismatches, kept) for case in CASES} | {"process-baseline-v1": shown(1000)}
    costs = {case.pipeline: Costs(6, 100.0, ratio, ratio, ratio, 50.0, 1.0) for case in CASES}
    run = Run(scrapes=1, processes=1000, shown=each)
    return Sized(Plan(1.0, 1, 1, 1), costs, run, shared=run, alone=alone)


def met(measured: dict[int, Sized]) -> set[str]:
    return {said for _, _, said in judged(measured)}


def test_targets_are_met_missed_or_not_measured() -> None:
    good = sized(100, alone=Alone(0.001, 60.0, 310))
    assert met({1000: good}) == {"yes"}
    assert met({300: good}) == {"yes", "not measured"}
    assert met({}) == {"not measured"}
    for bad in (sized(600), sized(100, ratio=1.6), sized(100, mismatches=1), sized(100, kept=4)):
        assert "no" in met({1000: bad})
    assert "no" in met({1000: sized(100, alone=Alone(0.06, 60.0, 310))})
    assert "no" not in met({1000: good, 3000: sized(100, ratio=1.6)}), "that target ends at 1 000"


def row(pid: int, name: str, metric: str, value: float, state: str = "") -> Row:
    return Row((pid, metric, state, value), 10**9, pid, name, metric, state, "", 0, value)


def scrape() -> Scrape:
    found = Scrape(10**9, 10**9)
    for pid, name, mib, cpu in ((11, "phx-crit-01", 1, 0.0), (12, "big", 200, 0.5), (13, "quiet", 2, 0.0)):
        found.attributes[pid] = {"process.executable.name": name, "process.command_line": name}
        found.rows.append(row(pid, name, "process.memory.usage", mib << 20))
        found.rows.append(row(pid, name, HELPER, cpu, "user"))
        found.rows.append(row(pid, name, "process.cpu.time", 10.0, "user"))
    return found


def wrong(name: str, pids: set[int], metrics: tuple[str, ...] = ("process.memory.usage", "process.cpu.time")) -> int:
    (rival,) = [one for one in rivals(LOOK) if one.name == name]
    raw = scrape()
    sent = [one for one in raw.rows if one.pid in pids and one.metric in metrics]
    return judge(rival, LOOK, [raw], [sent])[0]


def test_a_rival_is_held_to_what_it_promises() -> None:
    assert wrong(INCLUDE, {11, 12, 13}) == 0, "fewer than ten: all are among the largest"
    assert wrong(INCLUDE, {11, 12}) == 1
    assert wrong(EXCLUDE, {11, 12}) == 0
    assert wrong(EXCLUDE, {11, 12, 13}) == 1
    assert wrong(THRESHOLD, {12}) == 0
    assert wrong(THRESHOLD, {12}, ("process.memory.usage",)) == 1
    assert wrong(THRESHOLD, {11, 12}) == 1
    assert wrong(SAMPLING, {11, 12, 13}) == 3, "ten times the host is not the host"
