"""Reports from counts to money: hosts, pipelines, savings, projection, and what was not measured."""

from __future__ import annotations

import pytest

from chalicelib.domain.cost.hours import StreamHour, roll
from chalicelib.domain.cost.realised import realised
from chalicelib.domain.cost.report import Stream, Terms, cost_report
from chalicelib.domain.measurement import CollectorSample, Count, ExporterCounters, Variant
from chalicelib.domain.pricebooks import price_book

HOUR = 1_800_000_000 // 3600 * 3600
S = 1_000_000_000


def count(variant: Variant, second: float, series: int, marker: str = "m") -> Count:
    at = HOUR * S + int(second * S)
    return Count(scope="s", host="h", variant=variant, start_ns=at - 1, end_ns=at, series=series, marker=marker)


def rolled(counts: list[Count], samples: tuple[CollectorSample, ...] = ()) -> StreamHour:
    kept, raw = Variant.DEPLOYED, Variant.RAW
    return roll("s", "h", HOUR, counts, samples, kept=kept, reference=raw, interval_s=15)


def test_scrapes_are_joined_parts_added_and_copies_dropped() -> None:
    one = count(Variant.DEPLOYED, 0, 40)
    found = rolled(
        [one, one, count(Variant.DEPLOYED, 0.5, 60), count(Variant.RAW, 0.2, 700), count(Variant.DEPLOYED, 15, 100)]
    )
    assert (found.scrapes, found.series) == (2, 200)
    assert (found.paired, found.paired_series, found.reference) == (1, 100, 700)
    assert found.bytes_per_point is None


def test_bytes_per_point_come_from_the_streams_own_exporter() -> None:
    def sample(at: int, points: int, size: int, name: str = "otlp_http/deployed") -> CollectorSample:
        counters = {name: ExporterCounters(sent_points=points, sent_bytes=size)}
        return CollectorSample(scope="s", host="h", time_ns=at, start_ns=0, exporters=counters)

    assert rolled([], (sample(2, 100, 9000), sample(1, 10, 10))).bytes_per_point == 90
    assert rolled([], (sample(1, 100, 9000, "otlp_http/control"),)).bytes_per_point is None
    assert rolled([], (sample(1, 0, 0),)).bytes_per_point is None


def stream(host: str, kept: int, raw: int | None, *, pipeline: str = "topk", scrapes: int = 240) -> Stream:
    paired = scrapes if raw is not None else 0
    hour = StreamHour(
        scope="s",
        host=host,
        hour=HOUR,
        scrapes=scrapes,
        series=kept * scrapes,
        paired=paired,
        paired_series=kept * paired,
        reference=(raw or 0) * paired,
    )
    return Stream(host, pipeline, "web", 15, (hour,) if scrapes else ())


def terms(name: str = "example-2026", fleet: int | None = None) -> Terms:
    return Terms(price_book(name), HOUR, HOUR + 3600, "the untouched stream", fleet=fleet)


def test_hosts_and_pipelines_add_up_to_the_bill() -> None:
    found = cost_report([stream("a", 100, 1000), stream("b", 300, 3000), stream("c", 50, 500, pipeline="p")], terms())
    assert [row.per_month for row in found.hosts] == pytest.approx([6, 18, 3])
    assert [row.saved_per_month for row in found.hosts] == pytest.approx([54, 162, 27])
    assert [(row.pipeline, row.hosts, row.per_month) for row in found.pipelines] == [
        ("p", 1, pytest.approx(3)),
        ("topk", 2, pytest.approx(24)),
    ]
    assert (found.per_month, found.reference_per_month, found.saved_per_month) == pytest.approx((27, 270, 243))
    assert found.hosts[0].coverage == 1
    assert any("example-2026" in line for line in found.assumptions)


def test_a_host_without_a_scrape_is_named_and_counts_for_nothing() -> None:
    found = cost_report([stream("a", 100, 1000), stream("b", 0, 0, scrapes=0)], terms())
    assert found.hosts[1].per_month is None
    assert found.hosts[1].reason == "no scrape arrived in the window"
    assert found.per_month == pytest.approx(6)
    empty = cost_report([stream("b", 0, 0, scrapes=0)], terms(fleet=10))
    assert (empty.per_month, empty.projection) == (None, None)
    assert "nothing was measured" in empty.reason
    assert cost_report([], terms()).reason == "nothing was measured in the window"


def test_without_the_reference_nothing_is_called_saved() -> None:
    found = cost_report([stream("a", 100, None)], terms(fleet=5))
    assert (found.saved_per_month, found.reference_per_month, found.hosts[0].saved_per_month) == (None, None, None)
    assert found.projection is not None
    assert found.projection.saved_per_month is None


def test_a_silent_stream_costs_nothing_and_is_not_missing() -> None:
    found = cost_report([stream("a", 0, 1000)], terms())
    assert (found.per_month, found.saved_per_month) == pytest.approx((0, 60))


def test_a_book_that_needs_bytes_gives_a_reason_instead_of_a_figure() -> None:
    found = cost_report([stream("a", 100, 1000)], terms("newrelic-original"))
    assert found.per_month is None
    assert "gigabyte" in found.reason
    book = price_book("newrelic-original")
    given = Terms(book, HOUR, HOUR + 3600, "raw", allotments="used", bytes_per_point=100)
    assert cost_report([stream("a", 100, 1000)], given).per_month == pytest.approx(100 * 730 * 240 * 100 / 1e9 * 0.4)


def test_a_fleet_has_an_interval_from_three_hosts_on() -> None:
    hosts = [stream(name, kept, 10 * kept) for name, kept in (("a", 90), ("b", 100), ("c", 110))]
    found = cost_report(hosts, terms(fleet=30)).projection
    assert found is not None
    assert found.per_month.estimate == pytest.approx(30 * 100 * 0.06)
    half = 4.303 * 30 * 10 / 3**0.5 * 0.9**0.5 * 0.06
    assert found.per_month.high == pytest.approx(180 + half, rel=1e-3)
    assert found.saved_per_month is not None
    assert found.saved_per_month.estimate == pytest.approx(30 * 900 * 0.06)
    assert found.saved_per_month.low == pytest.approx(1620 - 9 * half, rel=1e-3)
    two = cost_report(hosts[:2], terms(fleet=30)).projection
    assert two is not None
    assert two.per_month.low is None
    assert two.per_month.reason


def test_tiers_make_a_fleet_cheaper_by_the_host_not_its_hosts_cheaper_together() -> None:
    hosts = [stream(name, 1000, 1000) for name in "abc"]
    found = cost_report(hosts, terms("grafana-cloud-pro", fleet=100))
    assert found.projection is not None
    assert found.per_month == pytest.approx(19 + 2 * 6.5)
    assert found.projection.per_month.estimate == pytest.approx(19 + 90 * 6.5 + 100 * 5.9 + 200 * 5.5)


def test_savings_so_far_count_measured_time_only() -> None:
    found = realised([stream("a", 100, 1000), stream("b", 100, 1000, scrapes=120), stream("c", 1, None)], terms())
    assert found is not None
    assert found.host_hours == pytest.approx(1.5)
    assert found.saved_series_hours == pytest.approx(1350)
    assert found.saved == pytest.approx(1350 * 0.06 / 730)
    assert realised([stream("c", 1, None)], terms()) is None
