"""Which of many pipelines is best on a recording: of those that keep every critical process, the cheapest."""

from __future__ import annotations

import json
from dataclasses import dataclass

from chalicelib.domain.prediction.figures import PipelineFigures

_SAME_MONEY = 6
"""Digits behind the point up to which two amounts of money are told apart."""


@dataclass(frozen=True)
class Tried:
    """One pipeline with parameters. given: parameters that differ from the defaults. figures: None when it could not be
    replayed; `failure` says why. gone: how many names it makes disappear."""

    pipeline: str
    given: dict[str, object]
    figures: PipelineFigures | None
    gone: int = 0
    failure: str = ""


@dataclass(frozen=True)
class Ranked:
    """A place in the ranking, from 1. tie: why it stands behind the one above although it costs as much, else ""."""

    place: int
    tried: Tried
    tie: str


@dataclass(frozen=True)
class LeftOut:
    """One that may not be recommended, and why."""

    tried: Tried
    why: str


def rank(tried: list[Tried]) -> tuple[list[Ranked], list[LeftOut]]:
    """The ranking, and those left out in the order they came in.

    Order: money a month (where the price book has no figure: series); then fewer series, fewer bytes, fewer names that
    disappear, fewer parameters that differ from the defaults, and last the name. The same input gives the same ranking.
    """
    left, fit = [], []
    for one in tried:
        why = _why_not(one)
        if why:
            left.append(LeftOut(one, why))
        else:
            fit.append(one)
    fit.sort(key=lambda one: tuple(value for _, value in _criteria(one)))
    ranked = [
        Ranked(place, one, _tie(fit[place - 2], one) if place > 1 else "") for place, one in enumerate(fit, start=1)
    ]
    return ranked, left


def _why_not(one: Tried) -> str:
    if one.figures is None:
        return one.failure or "it could not be replayed"
    for kept in one.figures.critical:
        if kept.kept < kept.seen:
            return f"loses critical {kept.pattern}: {kept.kept} of {kept.seen} process-scrapes kept"
    unseen = [kept.pattern for kept in one.figures.critical if not kept.seen]
    return f"nothing in the recording matches critical {', '.join(unseen)}" if unseen else ""


def _criteria(one: Tried) -> list[tuple[str, float | int | str]]:
    figures = one.figures
    assert figures is not None  # noqa: S101 (only those that were replayed are sorted)
    money = figures.per_month if figures.per_month is not None else figures.series.mean
    return [
        ("cost", round(money, _SAME_MONEY)),
        ("series", figures.series.mean),
        ("bytes", figures.bytes.mean),
        ("names that disappear", one.gone),
        ("parameters that differ from the defaults", len(one.given)),
        ("name", f"{one.pipeline} {json.dumps(one.given, sort_keys=True)}"),
    ]


def _tie(above: Tried, one: Tried) -> str:
    first, second = _criteria(above), _criteria(one)
    if first[0][1] != second[0][1]:
        return ""
    reason = next(word for (word, a), (_, b) in zip(first, second, strict=True) if a != b)
    return f"tie with the one above, broken by {reason}"
