"""Bills by hand: what the public price pages' own rules give for quantities that can be checked on paper."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from chalicelib.domain.cost.bill import MONTH_S, bill, shares, total, unpriced, usage
from chalicelib.domain.cost.price_book import Charge, Meter, PriceBook, Tier
from chalicelib.domain.cost.series import series_cost, unpriceable
from chalicelib.domain.errors import InvalidInput
from chalicelib.domain.pricebooks import PRICE_BOOKS, price_book


def book(*charges: Charge, **fields: Any) -> PriceBook:
    base = {"name": "own", "title": "Own", "source": "contract", "as_of": date(2026, 1, 1), "currency": "EUR"}
    return PriceBook.model_validate({**base, "charges": charges, **fields})


@pytest.mark.parametrize(
    ("name", "series", "interval", "hosts", "expected"),
    [
        ("example-2026", 1000, 15, 1, 60.0),
        # 10 hosts include 1 000 custom metrics; 49 000 more at 5 USD a hundred; 15 USD a host.
        ("datadog-pro", 50_000, 15, 10, 490 * 5 + 150),
        ("datadog-pro", 900, 15, 10, 150),
        # Four points a minute count as four series: 200 000; 10 000 are included.
        ("grafana-cloud-pro", 50_000, 15, 10, 90 * 6.5 + 100 * 5.9 + 19),
        ("grafana-cloud-pro", 250_000, 60, 10, 90 * 6.5 + 100 * 5.9 + 50 * 5.5 + 19),
        ("grafana-cloud-pro", 9_000, 60, 10, 19),
    ],
)
def test_a_bill_is_what_the_price_page_says(
    name: str, series: float, interval: float, hosts: int, expected: float
) -> None:
    assert bill(price_book(name), usage(series, interval, hosts)).per_month == pytest.approx(expected)


def test_samples_are_counted_at_the_interval_and_billed_in_tiers() -> None:
    """50 000 series every 15 s for 730 hours are 8.76 billion samples: 1.96 at the first price, 6.76 next."""
    made = bill(price_book("amazon-managed-prometheus"), usage(50_000, 15, 10))
    points, stored = made.lines
    assert points.quantity == pytest.approx(8.76e9)
    assert points.amount == pytest.approx(196 * 0.90 + 676 * 0.35)
    gigabytes = 50_000 / 15 * 86400 * 150 * 2 / 1e9
    assert stored.amount == pytest.approx((gigabytes - 10) * 0.03)


def test_a_backend_of_ones_own_is_cores_and_disk() -> None:
    cores, disk = bill(price_book("self-hosted-mimir"), usage(300_000, 15, 10)).lines
    assert cores.quantity == pytest.approx(3 + 20_000 / 25_000)
    assert disk.quantity == pytest.approx(20_000 * 86400 * 30 * 2 * 3 / 1e9)


def test_gigabytes_are_priced_only_when_they_were_measured() -> None:
    by_size = price_book("newrelic-original")
    unknown = usage(50_000, 15, 10)
    assert "bytes per data point" in unpriced(by_size, unknown)
    with pytest.raises(InvalidInput, match="bytes per data point"):
        bill(by_size, unknown)
    known = usage(50_000, 15, 10, 60.0)
    assert bill(by_size, known).per_month == pytest.approx((8.76e9 * 60 / 1e9 - 100) * 0.40)
    assert total({"a": known, "b": unknown}).gigabytes is None
    assert unpriceable(by_size)


def test_what_is_not_public_has_no_price() -> None:
    hidden = price_book("chronosphere")
    assert not hidden.public
    with pytest.raises(InvalidInput, match="not public"):
        bill(hidden, usage(1, 15))


def test_used_up_allotments_leave_the_list_price() -> None:
    used = bill(price_book("datadog-pro"), usage(1000, 15, 10), "used").per_month
    assert used == pytest.approx(50 + 150)


@pytest.mark.parametrize("name", [name for name, one in PRICE_BOOKS.items() if one.public])
def test_a_bill_never_falls_as_usage_grows_and_its_shares_add_up(name: str) -> None:
    one = price_book(name)
    bills = [bill(one, usage(series, 15, 3, 60.0)).per_month for series in (0, 10, 1e3, 3e4, 1e5, 1e6, 1e8)]
    assert bills == sorted(bills)
    parts = {"a": usage(100, 15, 1, 60.0), "b": usage(60_000, 30, 1, 60.0), "c": usage(0, 15, 1, 60.0)}
    owed = shares(one, parts)
    assert sum(owed.values()) == pytest.approx(bill(one, total(parts)).per_month)
    assert owed["b"] >= owed["a"] >= owed["c"] >= 0


def test_every_book_says_where_and_when_it_was_read() -> None:
    for one in PRICE_BOOKS.values():
        assert "http" in one.source or one.example
        assert one.as_of <= date(2026, 11, 22)
        assert one.notes or one.example
        assert PriceBook.model_validate_json(one.model_dump_json(by_alias=True)) == one


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        ({"meter": "series", "tiers": [{"upTo": 10, "price": 1}]}, "last tier"),
        ({"meter": "series", "tiers": [{"price": 1}, {"price": 2}]}, "last tier"),
        ({"meter": "series", "tiers": [{"upTo": 9, "price": 1}, {"upTo": 9, "price": 1}, {"price": 2}]}, "ascend"),
        ({"meter": "points", "pointsPerMinute": 1, "tiers": [{"price": 1}]}, "pointsPerMinute"),
        ({"meter": "cores", "tiers": [{"price": 1}]}, "seriesPerCore"),
        ({"meter": "storedGigabytes", "tiers": [{"price": 1}]}, "retentionDays"),
        ({"meter": "series", "tiers": [{"price": -1}]}, "greater than or equal"),
        ({"meter": "series", "tiers": [{"price": float("nan")}]}, "finite"),
        ({"meter": "series", "tiers": [{"price": float("inf")}]}, "finite"),
        ({"meter": "series", "per": 1e-9, "tiers": [{"price": 1}]}, "greater than or equal"),
        ({"meter": "cpu", "tiers": [{"price": 1}]}, "series"),
        ({"meter": "series", "tiers": []}, "at least 1"),
    ],
)
def test_a_book_that_cannot_be_right_is_refused(broken: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        book(broken)  # type: ignore[arg-type]


def test_graduated_tiers_charge_each_part_at_its_own_price() -> None:
    tiers = (Tier(up_to=100, price=3), Tier(up_to=200, price=2), Tier(price=1))
    one = book(Charge(meter=Meter.SERIES, tiers=tiers, included=50))
    found = [bill(one, usage(series, 15)).per_month for series in (0, 50, 100, 150, 200, 300)]
    assert found == pytest.approx([0, 0, 150, 250, 350, 450])


def test_an_evaluations_cost_uses_its_own_interval_and_bounds() -> None:
    per_point = book(Charge(meter=Meter.POINTS, per=1e6, tiers=(Tier(price=1),)))
    cost = series_cost(
        per_point, hosts=2, raw=1000, baseline=1000, candidate=100, interval_s=60, reduction=(0.85, 0.95)
    )
    points = MONTH_S / 60
    assert cost.baseline_per_month == pytest.approx(1000 * points / 1e6)
    assert cost.saved_per_month == pytest.approx(900 * points / 1e6)
    assert (cost.saved_low, cost.saved_high) == pytest.approx((850 * points / 1e6, 950 * points / 1e6))
    assert "1 EUR per 1,000,000 data points" in cost.assumptions[0]
