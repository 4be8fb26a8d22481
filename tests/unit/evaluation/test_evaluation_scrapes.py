"""From counts to scrapes: joining, copies, order, clocks, restarts, gaps, and what is no evidence."""

from __future__ import annotations

import random

import pytest

from chalicelib.domain.evaluation.evaluation import Evaluation, evaluate
from chalicelib.domain.measurement import Count, Variant
from tests.unit.evaluation.simulated import DEPLOYED, OPENED, TEN, S, at, plan_of, sample, scrape, scrapes

RAW, BASELINE, CANDIDATE = Variant.RAW, Variant.BASELINE, Variant.CANDIDATE


def look(counts: list[Count], second: float, *, samples: tuple = (), last: bool = False, **plan: object) -> Evaluation:
    return evaluate(plan_of(**plan), counts, samples, at(second), last=last)  # type: ignore[arg-type]


def test_a_scrape_counts_once_its_interval_is_over() -> None:
    counts = scrapes(0, 4)  # at 3, 18, 33, 48
    assert look(counts, 49).evidence.scrapes == 3
    assert look(counts, 63).evidence.scrapes == 4


def test_a_scrape_counts_as_soon_as_its_host_has_a_newer_one() -> None:
    assert look(scrape(3) + scrape(17.5), 17.6).evidence.scrapes == 1


def test_at_the_deadline_the_newest_scrape_counts_when_it_came_in_full() -> None:
    assert look(scrapes(0, 4), 49, last=True).evidence.scrapes == 4
    torn = scrapes(0, 3) + scrape(48, absent=[CANDIDATE])
    found = look(torn, 49, last=True)
    assert (found.evidence.scrapes, found.coverage[0].missing) == (3, 0)


def test_parts_of_one_variant_in_one_scrape_are_added_up() -> None:
    whole = scrapes(0, 20)
    parts: list[Count] = []
    for count in whole:
        less = {"series": count.series - 100, "critical": count.critical[:4]}
        rest = {"series": 100, "critical": count.critical[4:], "end_ns": count.end_ns - S // 1000}
        parts += [count.model_copy(update=less), count.model_copy(update=rest)]
    assert look(parts, 320) == look(whole, 320)


def test_copies_count_once_and_order_plays_no_part() -> None:
    counts = scrapes(0, 30)
    samples = tuple(sample(i * 15, i * 0.2) for i in range(30))
    again, shaken = counts + counts[10:60], [*samples, *samples[3:9]]
    for seed in range(5):
        random.Random(seed).shuffle(again)
        random.Random(seed).shuffle(shaken)
        assert look(again, 460, samples=tuple(shaken)) == look(counts, 460, samples=samples)


def test_a_variant_that_is_late_is_not_missing_before_the_interval_is_over() -> None:
    counts = scrapes(0, 3) + scrape(48, absent=[CANDIDATE])
    assert look(counts, 55).coverage[0].missing == 0
    late = look(counts, 63)
    assert late.coverage[0].missing == 1
    assert late.coverage[0].gaps[0].absent == (CANDIDATE,)


def test_an_absent_variant_is_neither_zero_nor_a_miss() -> None:
    counts = [c for i in range(30) for c in scrape(i * 15 + 3, absent=[CANDIDATE] if i == 9 else [])]
    found = look(counts, 460)
    assert found.reduction.value == pytest.approx(0.9)
    assert found.critical.unconfirmed == ()
    assert (found.coverage[0].due, found.coverage[0].received) == (30, 29)
    assert [d.reason for d in found.evidence.dropped] == ["incomplete"]


def test_a_reading_of_zero_series_is_absent() -> None:
    counts = scrapes(0, 9) + scrape(9 * 15 + 3, series=(7000, 7000, 0), lost=TEN)
    found = look(counts, 155)
    assert found.coverage[0].gaps[0].absent == (CANDIDATE,)


def test_missing_intervals_are_listed_and_not_filled() -> None:
    counts = [c for i in (*range(0, 10), *range(13, 30)) for c in scrape(i * 15 + 3)]
    found = look(counts, 460)
    host = found.coverage[0]
    assert (host.due, host.received, host.missing) == (30, 27, 3)
    assert [gap.at_ns for gap in host.gaps] == [at(153), at(168), at(183)]
    assert all(gap.absent == (RAW, BASELINE, CANDIDATE) for gap in host.gaps)
    assert found.evidence.scrapes == 27
    assert found.evidence.minutes == 27 * 15 / 60


def test_silence_at_either_end_is_missing_too() -> None:
    counts = scrapes(10, 20)
    host = look(counts, 450).coverage[0]
    # Ten before the first; after the last, at 288 s, those due until one interval before now.
    assert (host.received, host.missing) == (10, 10 + 9)


def test_a_host_that_never_reported_has_no_coverage() -> None:
    host = look([], 450).coverage[0]
    assert (host.due, host.received, host.share, host.last_ns) == (29, 0, 0.0, None)


@pytest.mark.parametrize("shift", [-90.0, 90.0])
def test_a_clock_90_s_off_costs_no_scrape_of_a_full_run(shift: float) -> None:
    counts = scrapes(-3, 40, shift=shift)
    found = look(counts, 601)
    host = found.coverage[0]
    assert host.share is not None
    assert host.share >= 0.9
    assert abs(host.clock_offset_s - shift) < 30
    assert found.reduction.value == pytest.approx(0.9)


def test_a_clock_that_contradicts_nothing_is_believed() -> None:
    assert look(scrapes(-3, 40), 601).coverage[0].clock_offset_s == 0
    # Silent for two minutes, or late by two minutes: no proof of a wrong clock.
    assert look(scrapes(-3, 30), 601).coverage[0].clock_offset_s == 0
    assert look(scrapes(8, 40), 601).coverage[0].clock_offset_s == 0


def test_two_hosts_with_clocks_apart_are_joined_on_the_interval() -> None:
    counts = scrapes(-3, 40, host="a") + scrapes(-3, 40, host="b", shift=90, phase=9)
    found = look(counts, 601, hosts=("a", "b"))
    assert 39 <= found.evidence.scrapes <= 41
    assert found.series.last is not None
    assert found.series.last.raw == 14000


def test_scrapes_before_the_window_are_warm_up() -> None:
    found = look(scrapes(-4, 20), 310)
    assert [(d.reason, d.count) for d in found.evidence.dropped] == [("before_window", 4)]
    assert found.evidence.scrapes == 20


def test_a_restart_within_half_an_interval_keeps_two_scrapes_apart() -> None:
    counts = scrapes(0, 10) + scrapes(0, 10, phase=142)  # the last old scrape at 138 s, the first new one at 142 s
    told = (sample(100, 1.0), sample(150, 0.1, started=140))
    found = look(counts, 300, samples=told)
    assert found.series.last is not None
    assert found.series.last.raw == 7000
    assert found.evidence.scrapes == 20
    assert found.coverage[0].missing == 0
    assert max(found.evidence.rows.raw) == 7000


def test_counts_of_another_configuration_are_no_evidence() -> None:
    wrong = scrapes(20, 30, marker="somebody-else", series=(7000, 7000, 7000))
    found = look(scrapes(0, 20) + wrong, 305)
    assert found.reduction.value == pytest.approx(0.9)
    assert [(d.reason, d.count) for d in found.evidence.dropped] == [("unexpected_config", 30)]


def test_counts_of_other_hosts_and_scopes_are_no_evidence() -> None:
    other = [c.model_copy(update={"scope": "exp-2"}) for c in scrapes(0, 5, series=(1, 1, 1))]
    found = look(scrapes(0, 20) + scrapes(0, 5, host="stranger") + other, 305)
    assert {(d.host, d.reason) for d in found.evidence.dropped} == {
        ("stranger", "unknown_host"),
        ("node-01", "other_scope"),
    }
    assert found.evidence.scrapes == 20


@pytest.mark.parametrize(("wild", "reason"), [(0, "before_window"), (2**62, "in_future")])
def test_a_wild_time_is_left_out_and_hides_no_silence(wild: int, reason: str) -> None:
    stray = scrape(3)[0].model_copy(update={"end_ns": wild})
    found = look([*scrapes(0, 40), stray], 605)
    assert found.verdict == "promote"
    assert [(d.reason, d.count) for d in found.evidence.dropped] == [(reason, 1)]
    assert look([*scrapes(0, 20), stray], 605).reason == "coverage"


def test_without_the_time_of_deployment_a_slow_clock_is_only_less_coverage() -> None:
    counts = scrapes(0, 40, shift=-90)
    found = evaluate(plan_of(deployed_ns=None), counts, [], at(601), last=True)
    assert found.verdict == "insufficient_data"
    assert DEPLOYED < OPENED
