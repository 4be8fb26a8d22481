"""From measured hosts to a fleet, and from savings to a payback."""

from __future__ import annotations

import random

import pytest
from scipy import stats

from chalicelib.domain.cost.payback import Investment, payback
from chalicelib.domain.cost.projection import T975, Total, fleet_total, t975


def test_t_quantiles_are_those_of_scipy() -> None:
    assert {d: round(float(stats.t.ppf(0.975, d)), 3) for d in T975} == pytest.approx(T975, abs=6e-4)
    assert all(t975(d) >= float(stats.t.ppf(0.975, d)) - 1e-3 for d in range(2, 300))


def test_too_few_hosts_have_an_estimate_and_no_interval() -> None:
    for hosts in ([700.0], [700.0, 900.0]):
        found = fleet_total(hosts, 100)
        assert found is not None
        assert (found.estimate, found.low, found.high) == (sum(hosts) / len(hosts) * 100, None, None)
        assert "at least 3" in found.reason


def test_nothing_measured_or_a_fleet_smaller_than_what_was_measured_gives_nothing() -> None:
    assert fleet_total([], 10) is None
    assert fleet_total([1.0, 2.0], 1) is None


def test_a_whole_fleet_is_known_exactly() -> None:
    assert fleet_total([1.0, 5.0], 2) == Total(estimate=6, low=6, high=6)


def test_the_interval_holds_the_true_total_as_often_as_it_says() -> None:
    """2 000 draws of 8 hosts from fleets of 100 with a spread of a quarter."""
    chance = random.Random(5)
    held = 0
    for _ in range(2000):
        fleet = [chance.gauss(1000, 250) for _ in range(100)]
        found = fleet_total(chance.sample(fleet, 8), 100)
        assert found is not None
        assert found.low is not None
        assert found.high is not None
        held += found.low <= sum(fleet) <= found.high
    assert 0.935 <= held / 2000 <= 0.97


def test_payback_in_months_with_the_bounds_of_the_interval() -> None:
    found = payback(Total(estimate=1000, low=500, high=2000), Investment(once=3000, per_month=100))
    assert found.months == pytest.approx(3000 / 900)
    assert (found.best, found.worst) == pytest.approx((3000 / 1900, 3000 / 400))
    assert found.roi_first_year == pytest.approx((12_000 - 4200) / 4200)
    assert found.reason == ""


@pytest.mark.parametrize("saved", [100.0, 0.0, -50.0])
def test_it_says_so_when_it_never_pays_back(saved: float) -> None:
    found = payback(Total(estimate=saved), Investment(once=3000, per_month=100))
    assert found.months is None
    assert "never pays back" in found.reason


def test_a_low_end_that_never_pays_back_is_said() -> None:
    found = payback(Total(estimate=1000, low=-10, high=2000), Investment(once=3000))
    assert found.months == 3
    assert found.worst is None
    assert "low end" in found.reason


def test_without_an_investment_there_is_no_return_on_it() -> None:
    assert payback(Total(estimate=10), Investment()).roi_first_year is None
