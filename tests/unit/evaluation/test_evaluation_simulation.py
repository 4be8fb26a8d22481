"""The vectorised simulation is the code in use: same intervals and decisions on the same data. And its goals hold."""

from __future__ import annotations

import numpy as np
import pytest

from bench.evaluation.evaluation import ERROR_TITLE, TABLES
from bench.evaluation.methods import METHODS, Bounds, decided, in_use, spending_levels
from bench.evaluation.noise import FAMILIES, SLOW, Arms, Family, hosts
from bench.evaluation.page import MARKERS, PAGE, STATED, block
from bench.markdown import put
from chalicelib.domain.evaluation.interval import answer, retention

BY_NAME = {family.name: family for family in FAMILIES}
USUAL = [family.name for family in FAMILIES if family.limit is not None and family.limit < SLOW]


def made(family: Family, runs: int, n: int, truth: float = 0.0) -> Arms:
    a, b = family.make(np.random.default_rng(11), runs, n)
    return a, b * (1 - truth)


def same_intervals(bounds: Bounds, a: np.ndarray, b: np.ndarray) -> None:
    for i, n in enumerate(bounds.looks):
        for run in range(len(a)):
            ratio = retention(a[run, :n].tolist(), b[run, :n].tolist(), n / 4)
            assert ratio is not None
            low = min(bounds.low[run, i], bounds.value[run, i] - bounds.floor)
            high = max(bounds.high[run, i], bounds.value[run, i] + bounds.floor)
            assert (ratio.low, ratio.high) == pytest.approx((low, high), rel=1e-7)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_simulation_has_the_intervals_of_this_code(family: Family) -> None:
    a, b = made(family, 6, 60, truth=0.6)
    same_intervals(in_use(a, b, [16, 20, 33, 60]), a, b)


def test_simulation_has_the_intervals_of_this_code_for_many_hosts() -> None:
    a, b = hosts(10, 0.9)(np.random.default_rng(3), 5, 60)
    same_intervals(in_use(a, b, [20, 47]), a, b)


@pytest.mark.parametrize("name", ["AR(1) .5", "AR(1) .97", "bursts *", "outages *"])
def test_simulation_and_this_code_decide_the_same_runs_at_the_same_look(name: str) -> None:
    a, b = made(BY_NAME[name], 20, 240)
    for truth in (0.9, 0.6, 0.5, 0.3):
        found = decided(in_use(a, b), truth, 0.5)
        for run in range(len(a)):
            said, at = "running", 0
            for n in range(20, 241):
                kept = (b[run, :n] * (1 - truth)).tolist()
                said = answer(retention(a[run, :n].tolist(), kept, n / 4), 0.5, n / 4, 5, last=False)
                if said != "running":
                    at = n
                    break
            wanted = (found.promoted[run], found.rejected[run], found.when[run])
            assert (said == "promote", said == "reject", at) == wanted


def test_simulation_has_the_host_term_of_this_code() -> None:
    rng = np.random.default_rng(5)
    a, b = rng.uniform(900, 1100, (4, 60)), rng.uniform(200, 500, (4, 60))
    shares = np.array([0.2, 0.3, 0.5])
    unlike = np.array([0.05, 0.35, 0.6])
    sums_a = a.cumsum(1)[:, [39, 59], None] * shares
    sums_b = b.cumsum(1)[:, [39, 59], None] * unlike
    bounds = in_use(a, b, [40, 60], (sums_a, sums_b))
    for i, n in enumerate(bounds.looks):
        for run in range(4):
            each = list(zip(sums_a[run, i].tolist(), sums_b[run, i].tolist(), strict=True))
            ratio = retention(a[run, :n].tolist(), b[run, :n].tolist(), n / 4, each)
            assert ratio is not None
            assert (ratio.low, ratio.high) == pytest.approx((bounds.low[run, i], bounds.high[run, i]), rel=1e-9)


@pytest.mark.parametrize(
    "name", [family.name for family in FAMILIES if family.limit is not None and family.limit < SLOW]
)
def test_false_promotions_are_as_rare_as_promised(name: str) -> None:
    """5 % at most up to phi 0.95, with a look at every scrape for an hour, also for noise of other kinds."""
    a, b = made(BY_NAME[name], 1000, 240)
    assert decided(in_use(a, b), 0.5, 0.5).promoted.mean() <= 0.06
    assert decided(METHODS["t 95 %"](a[:200], b[:200]), 0.5, 0.5).promoted.mean() > 0.1


@pytest.mark.parametrize("name", [family.name for family in FAMILIES if family.quick])
def test_a_large_reduction_is_promoted_within_a_quarter_of_an_hour(name: str) -> None:
    a, b = made(BY_NAME[name], 2000, 60)
    assert decided(in_use(a, b), 0.9, 0.5).promoted.mean() >= 0.999


def test_spending_levels_add_up_to_what_may_be_spent() -> None:
    """Independent steps of a Brownian motion cross the bounds about as often as the levels say, seldom early."""
    times = (0.25, 0.5, 0.75, 1.0)
    levels = spending_levels(times, 0.025)
    assert levels == sorted(levels)
    assert levels[0] < 0.0001
    assert 0.018 < levels[-1] < 0.025


def test_results_are_written_into_the_guide_between_its_markers() -> None:
    page = PAGE.read_text("utf-8")
    row = {column.key: "–" if column.form == "" else 0.5 for column in TABLES[ERROR_TITLE]}
    result = {
        "tables": [{"title": ERROR_TITLE, "rows": [{**row, "family": "flat *", "limit": None}]}],
        "conditions": dict.fromkeys(STATED, 1),
        "notes": ["a note"],
    }
    text = block(result)
    assert "| flat \\* | 50.0% |" in text
    written = put(page, MARKERS, text)
    assert text in written
    assert put(written, MARKERS, text) == written
    assert (written.partition(MARKERS[0])[0], written.partition(MARKERS[1])[2]) == (
        page.partition(MARKERS[0])[0],
        page.partition(MARKERS[1])[2],
    )
    assert all(title in page for title in TABLES), "run: make bench-evaluation"
    with pytest.raises(ValueError, match="has no"):
        put(page.replace(MARKERS[0], ""), MARKERS, "")
