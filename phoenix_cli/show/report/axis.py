"""Scales: where a value lies between the ends of an axis, and which values deserve a tick. Numbers only, no drawing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

LOG_FROM_RATIO = 20
"""Greatest ÷ smallest mean from which a linear axis would press the small one to the ground."""
_TIME_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400)


@dataclass(frozen=True)
class Axis:
    """low < high; log: positions go by the logarithm (then low > 0)."""

    low: float
    high: float
    ticks: tuple[float, ...]
    log: bool = False

    def share(self, value: float) -> float:
        """Position of a value from 0 (low end) to 1 (high end); beyond the ends for values outside."""
        if self.log:
            return (log10(max(value, 1e-9)) - log10(self.low)) / (log10(self.high) - log10(self.low))
        return (value - self.low) / (self.high - self.low)


def value_axis(columns: Sequence[Sequence[float]], ticks: int = 5) -> Axis:
    """An axis for several series of amounts, none of them empty: from zero, or logarithmic where their means are too
    far apart to be seen together."""
    means = [sum(column) / len(column) for column in columns]
    top, bottom = max(max(column) for column in columns), min(min(column) for column in columns)
    if bottom >= 1 and max(means) / min(means) > LOG_FROM_RATIO:
        low, high = floor(log10(bottom)), ceil(log10(top))
        return Axis(10.0**low, 10.0**high, tuple(10.0**power for power in range(low, high + 1)), log=True)
    step = _step(max(top, 1.0) / ticks)
    high_count = max(1, ceil(max(top, 1.0) * 1.04 / step))
    return Axis(0.0, high_count * step, tuple(i * step for i in range(high_count + 1)))


def time_axis(low: float, high: float, ticks: int = 7) -> Axis:
    """An axis of seconds; ticks at round numbers of seconds, minutes or hours."""
    high = max(high, low + 1)
    step = next((step for step in _TIME_STEPS if (high - low) / step <= ticks), 0)
    step = step or ceil((high - low) / ticks / 86400) * 86400
    first = ceil(low / step)
    return Axis(low, high, tuple(float(i * step) for i in range(first, floor(high / step) + 1)))


def _step(about: float) -> float:
    """1, 2 or 5 times a power of ten, at least `about`, and at least 1."""
    power = 10.0 ** floor(log10(about))
    return max(1.0, next(factor * power for factor in (1, 2, 5, 10) if factor * power >= about))
