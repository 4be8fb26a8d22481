"""The interval against the design's own text and against scipy."""

from __future__ import annotations

from math import exp, inf, log, sqrt

import numpy as np
import pytest
from scipy import stats

from chalicelib.domain.evaluation.interval import (
    FLOOR,
    T99,
    M,
    answer,
    cut,
    hosts_needed,
    minutes_left,
    multiplier,
    retention,
)


def test_t_quantiles_are_those_of_scipy() -> None:
    for df, value in T99.items():
        assert value == pytest.approx(stats.t.ppf(0.99, df), abs=0.0006)


@pytest.mark.parametrize(("minutes", "stated"), [(5, 24), (10, 15), (15, 12), (30, 9), (60, 7.5)])
def test_multiplier_has_the_stated_values(minutes: float, stated: float) -> None:
    assert multiplier(minutes) == stated


def test_multiplier_is_six_in_the_long_run() -> None:
    assert multiplier(inf) == 6


def stated_rule(a: list[float], b: list[float], minutes: float) -> tuple[float, float, float]:
    """The rule as its definition says it, written down a second time on purpose."""
    n, theta = len(a), sum(b) / sum(a)
    spread = 0.0
    for k in range(8):
        part = range(round(k * n / 8), round((k + 1) * n / 8))
        spread += (sum(b[t] for t in part) - theta * sum(a[t] for t in part)) ** 2
    width = (6 + 90 / minutes) * sqrt(8 / 7 * spread) / sum(b)
    return min(theta * exp(-width), theta - 0.005), theta, max(theta * exp(width), theta + 0.005)


@pytest.mark.parametrize("n", [16, 17, 23, 100, 240])
def test_interval_is_the_stated_rule(n: int) -> None:
    rng = np.random.default_rng(n)
    a, b = rng.uniform(900, 1100, n).tolist(), rng.uniform(200, 500, n).tolist()
    ratio = retention(a, b, n / 4)
    assert ratio is not None
    assert (ratio.low, ratio.value, ratio.high) == pytest.approx(stated_rule(a, b, n / 4), rel=1e-12)


@pytest.mark.parametrize("scrapes", [0, 1, 2 * M - 1])
def test_too_few_scrapes_have_no_interval(scrapes: int) -> None:
    assert retention([100.0] * scrapes, [10.0] * scrapes, 5) is None


def test_a_side_that_reports_nothing_has_no_interval() -> None:
    assert retention([0.0] * 20, [10.0] * 20, 5) is None
    assert retention([10.0] * 20, [0.0] * 20, 5) is None


def test_identical_streams_are_never_narrower_than_the_floor() -> None:
    ratio = retention([7000.0] * 400, [7000.0] * 400, 100)
    assert ratio is not None
    assert (ratio.low, ratio.value, ratio.high) == (1 - FLOOR, 1, 1 + FLOOR)


def test_batches_cover_every_scrape_once() -> None:
    batches = cut([1.0] * 37, [2.0] * 37)
    assert sum(batch.scrapes for batch in batches) == 37
    assert sum(batch.a for batch in batches) == 37
    assert {batch.scrapes for batch in batches} <= {4, 5}


def test_hosts_that_differ_widen_a_claim_about_other_hosts_only() -> None:
    a, b = [300.0] * 240, [100.0] * 240
    unlike = [(24000.0, 2000.0), (24000.0, 8000.0), (24000.0, 14000.0)]
    these, others = retention(a, b, 60), retention(a, b, 60, unlike)
    assert these is not None
    assert others is not None
    assert others.high > 2 * these.high


@pytest.mark.parametrize(
    ("b", "last", "said"),
    [(100, False, "promote"), (800, False, "reject"), (500, False, "running"), (500, True, "inconclusive")],
)
def test_answer_compares_the_whole_interval_with_the_target(b: float, last: bool, said: str) -> None:
    ratio = retention([1000.0] * 40, [b] * 40, 10)
    assert answer(ratio, 0.5, 10, 5, last) == said
    assert answer(ratio, 0.5, 4, 5, last) == ("insufficient_data" if last else "running")


def test_minutes_left_is_when_the_forecast_interval_leaves_the_bound() -> None:
    left = minutes_left(0.4, 0.03, 15, 0.5)
    assert left is not None
    total = 15 + left
    assert multiplier(total) * 0.03 * sqrt(15 / total) <= log(0.5 / 0.4)
    assert multiplier(total / 1.05) * 0.03 * sqrt(15 / total * 1.05) > log(0.5 / 0.4)
    assert minutes_left(0.4, 0.0001, 15, 0.5) == 0


def test_what_no_time_decides_has_no_forecast() -> None:
    assert minutes_left(0.499, 0.05, 15, 0.5) is None  # within the floor of the bound
    assert minutes_left(0.49, 0.5, 15, 0.5) is None  # more than a week


def test_hosts_needed_grow_with_the_square_of_the_width() -> None:
    assert hosts_needed(1, 0.5, 0.4, 0.5) == int((0.5 / log(0.5 / 0.4)) ** 2) + 1
    assert hosts_needed(1, 0.5, 0.499, 0.5) is None
