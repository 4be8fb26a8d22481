"""What a trial run gave: points by sink, or why there are none. Made by the collector's adapter, judged elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

Attributes = tuple[tuple[str, str | int | float | bool], ...]
"""Sorted pairs."""


class Point(NamedTuple):
    """One data point at a sink. counter: part of a cumulative, monotonic sum."""

    metric: str
    resource: Attributes
    attributes: Attributes
    time_ns: int
    start_ns: int
    value: float
    counter: bool


@dataclass(frozen=True)
class Hidden:
    """A failure that the collector only wrote into its log. component: id of the processor."""

    component: str
    words: str


@dataclass(frozen=True)
class Outcome:
    """failure: why the run gave nothing, "" when it ran to its end. refused: the collector's words when the scrape
    itself was answered with an error."""

    points: Mapping[str, tuple[Point, ...]] = field(default_factory=dict)
    failure: str = ""
    refused: str = ""
    hidden: tuple[Hidden, ...] = ()
