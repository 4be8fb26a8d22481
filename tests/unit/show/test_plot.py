"""Axes and pictures: positions, ticks, gaps, events, and what a reader without sight of it is told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.evaluation.result.result import Reduction, Rows
from phoenix_cli.show.report.axis import time_axis, value_axis
from phoenix_cli.show.report.plot import Flag, reduction_plot, scale_note, series_plot


def rows(*seconds: float, candidate: float = 700.0) -> Rows:
    same = tuple(7000.0 for _ in seconds)
    return Rows(seconds=seconds, raw=same, baseline=same, candidate=tuple(candidate for _ in seconds))


amounts = st.lists(st.floats(min_value=0, max_value=1e9, allow_nan=False), min_size=1, max_size=20)


@given(st.lists(amounts, min_size=1, max_size=3))
def test_every_amount_lies_on_the_axis(columns: list[list[float]]) -> None:
    axis = value_axis(columns)
    assert 2 <= len(axis.ticks) <= 14
    assert axis.low < axis.high
    for value in (value for column in columns for value in column):
        assert -0.001 <= axis.share(value) <= 1.001


@given(st.floats(min_value=0.5, max_value=90 * 86400.0))
def test_time_has_a_few_round_ticks(end: float) -> None:
    axis = time_axis(0.0, end)
    assert 1 <= len(axis.ticks) <= 8
    assert all(axis.low <= tick <= axis.high for tick in axis.ticks)


def test_a_tenth_is_shown_from_zero_and_a_hundredth_by_its_logarithm() -> None:
    assert scale_note(rows(0, 15)) == "linear scale from zero"
    assert scale_note(rows(0, 15, candidate=70)) == "logarithmic scale"


def test_a_line_breaks_at_a_gap() -> None:
    whole = series_plot(rows(0, 15, 30, 45), (), interval_s=15, opened=0)
    broken = series_plot(rows(0, 15, 60, 75), (), interval_s=15, opened=0)
    lonely = series_plot(rows(0, 15, 60), (), interval_s=15, opened=0)
    moves = [picture.split('class="line raw" d="')[1].split('"')[0].count("M") for picture in (whole, broken, lonely)]
    assert moves == [1, 2, 1]
    assert 'class="dot raw"' in lonely


def test_events_in_sight_are_marked_and_near_ones_share_a_mark() -> None:
    flags = (Flag(-60, 1, "deploying"), Flag(0, 2, "running"), Flag(600, 3, "deciding"), Flag(601, 4, "promoting"))
    picture = series_plot(rows(*range(0, 600, 15)), flags, interval_s=15, opened=0)
    assert picture.count('class="flag"') == 2
    assert "3: deciding; 4: promoting" in picture
    assert "deploying" not in picture


def test_pointing_at_it_gives_figures_and_text_is_escaped() -> None:
    picture = series_plot(rows(0, 15), (Flag(0, 1, "<b>"),), interval_s=15, opened=1_790_000_000)
    assert "14:13:35 UTC · raw 7,000 · baseline 7,000 · candidate 700" in picture
    assert "&lt;b&gt;" in picture
    assert "<b>" not in picture


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (Reduction(target=0.5), "target 50 %, not measured yet"),
        (Reduction(target=0.5, value=0.9), "reduction 90.0 %, target 50 %"),
        (
            Reduction(target=0.5, value=0.9, low=0.89, high=0.91, too_early=False),
            "reduction 90.0 %   [89.0 … 91.0 %], target 50 %",
        ),
        (
            Reduction(target=0.5, value=-0.2, low=-30.0, high=0.7, too_early=False),
            "reduction −20.0 %   [under −1,000 … 70.0 %], target 50 %",
        ),
    ],
)
def test_the_reduction_is_told_as_it_is_drawn(found: Reduction, said: str) -> None:
    picture = reduction_plot(found)
    assert f'aria-label="{said}"' in picture
    assert ('class="interval"' in picture) == (found.low is not None)
    assert ('class="estimate"' in picture) == (found.value is not None)
    for x in (float(part.split('"')[0]) for part in picture.split(' x="')[1:]):
        assert 0 <= x <= 960
