"""Predicted against realised, for people: one row a figure. Nothing is computed here."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.text import Text

from chalicelib.domain.prediction.realised import Compared, Comparison
from phoenix_cli.show.figures import clean, day_and_time, percent, whole_share
from phoenix_cli.show.tables import table

NO_PREDICTION = "no prediction was made before it started (phoenix pipeline preview --recording FILE makes one)"
COLUMNS = ("predicted and realised", "predicted", "realised", "difference")


def prediction_view(comparison: Comparison | None) -> RenderableType:
    """The table, with the conditions that differ; one sentence when there is no prediction."""
    if comparison is None:
        return Text(NO_PREDICTION, style="dim")
    out = table(prediction_rows(comparison), (COLUMNS[0], *(f"{name}>" for name in COLUMNS[1:])))
    return Group(Text(""), out, *(Text(line, style="dim") for line in prediction_notes(comparison)))


def prediction_rows(comparison: Comparison) -> Iterator[tuple[str, str, str, str]]:
    """Label, predicted, realised, difference."""
    for one in comparison.figures:
        label = f"{one.figure} series per scrape and host" if one.unit == "series" else clean(one.figure, 100)
        yield label, _value(one, one.predicted), _value(one, one.realised), _difference(one)


def prediction_notes(comparison: Comparison) -> Iterator[str]:
    """Who made it from what, and what was different then."""
    made, held = comparison.prediction, comparison.prediction.conditions
    yield (
        f"predicted {day_and_time(made.created_at)} by {clean(made.created_by)} from {held.scrapes} scrapes of "
        f"{clean(held.host)} (recording {held.recording[:12]})"
    )
    if comparison.differs:
        yield f"what differs: {'; '.join(clean(one, 200) for one in comparison.differs)}"


def _value(one: Compared, value: float | None) -> str:
    if value is None:
        return "not known"
    if one.unit == "series":
        return f"{value:,.1f}"
    return whole_share(1, 1) if value == 1 else percent(value)


def _difference(one: Compared) -> str:
    if one.difference is None:
        return "–"
    sign = "+" if one.difference >= 0 else ""
    shown = f"{sign}{percent(one.difference)}"
    return f"{shown.removesuffix(' %')} points" if one.unit == "share" else shown
