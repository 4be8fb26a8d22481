"""A metric with its samples, as a value. How it is written down is an adapter's business."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Sample:
    """One value under its labels. No sample where nothing was measured: absent, never zero."""

    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True)
class Family:
    """A gauge. labels: names that every sample has."""

    name: str
    help: str
    labels: tuple[str, ...]
    samples: tuple[Sample, ...]
