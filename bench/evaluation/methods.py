"""The rules that `bench evaluation` compares, each for all runs and all looks at once. No noise is made here.

`in_use` is the rule of chalicelib.domain.evaluation.interval with the same constants; tests/unit/evaluation shows that
both give the same intervals and the same decisions. The others are what one might do instead. All are for the retention
Σ b / Σ a and scale with b, so that one set of bounds serves every truth.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from chalicelib.domain.evaluation.interval import C0, C1, FLOOR, MAX_WIDTH, T99, M

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
INTERVAL_MINUTES, PER_MINUTE = 0.25, 4
FIRST, LAST = 20, 240
ALPHA = 0.05
"""Of the other rules: two-sided, so that a false promotion has a nominal chance of 2.5 %."""
STAGES = (5, 10, 15, 20, 30, 40, 60)
"""Minutes of the group-sequential looks."""
_BATCHES = 6


@dataclass(frozen=True)
class Bounds:
    """Of each run (row) at each look (column): the estimate and its interval. looks: complete scrapes at each look."""

    looks: Sequence[int]
    low: Floats
    value: Floats
    high: Floats
    floor: float = 0.0


@dataclass(frozen=True)
class Decided:
    """Per run, with a stop at the first answer. when: scrapes at the decision, 0: never."""

    promoted: Bools
    rejected: Bools
    when: NDArray[np.int64]

    @property
    def minutes(self) -> float | None:
        """Median time of the promotions; None where fewer than half of the runs promote."""
        return float(np.median(self.when[self.promoted])) * INTERVAL_MINUTES if self.promoted.mean() >= 0.5 else None


def decided(bounds: Bounds, truth: float, target: float, min_minutes: float = 0.0) -> Decided:
    """What each run says when b is multiplied by 1 - truth: the whole interval on one side of the target, at the first
    look after min_minutes at which it is."""
    kept = 1 - truth
    value = bounds.value * kept
    high = np.maximum(bounds.high * kept, value + bounds.floor)
    low = np.minimum(bounds.low * kept, value - bounds.floor)
    up, down = 1 - high >= target, 1 - low < target
    answered = (up | down) & (np.asarray(bounds.looks) * INTERVAL_MINUTES >= min_minutes)
    first = answered.argmax(1)
    rows = np.arange(len(first))
    some = answered[rows, first]
    when = np.where(some, np.asarray(bounds.looks)[first], 0)
    promoted = some & up[rows, first]
    return Decided(promoted, some & ~promoted, when)


def in_use(
    a: Floats, b: Floats, looks: Sequence[int] | None = None, hosts: tuple[Floats, Floats] | None = None
) -> Bounds:
    """Eight batches, multiplier 6 + 90/T. hosts: sums per run, look and host of a and b, for a claim about others."""
    looks = looks or range(FIRST, min(LAST, a.shape[1]) + 1)
    sums_a, sums_b = _sums(a), _sums(b)
    value, width = np.empty((len(a), len(looks))), np.empty((len(a), len(looks)))
    for i, n in enumerate(looks):
        edges = [round(k * n / M) for k in range(M + 1)]
        batch_a, batch_b = np.diff(sums_a[:, edges], axis=1), np.diff(sums_b[:, edges], axis=1)
        total = batch_b.sum(1)
        theta = total / batch_a.sum(1)
        residues = batch_b - theta[:, None] * batch_a
        error = np.sqrt(M / (M - 1) * (residues**2).sum(1)) / total
        width[:, i] = (C0 + C1 / (n * INTERVAL_MINUTES)) * error
        if hosts is not None:
            width[:, i] = np.maximum(width[:, i], _host_width(theta, total, hosts[0][:, i], hosts[1][:, i]))
        value[:, i] = theta
    width = np.minimum(width, MAX_WIDTH)
    return Bounds(looks, value * np.exp(-width), value, value * np.exp(width), FLOOR)


def _host_width(theta: Floats, total: Floats, a: Floats, b: Floats) -> Floats:
    count = a.shape[1]
    spread = np.sqrt(count / (count - 1) * ((b - theta[:, None] * a) ** 2).sum(1)) / total
    return np.asarray(T99[max(d for d in T99 if d < count)] * spread)


def naive_t(a: Floats, b: Floats) -> Bounds:
    """A t interval of 95 % over the ratios at every scrape, as if they were independent and looked at once."""
    looks = range(FIRST, min(LAST, a.shape[1]) + 1)
    mean, sd, n = _moments(b / a, looks)
    return _about(looks, mean, stats.t.ppf(1 - ALPHA / 2, n - 1) * sd / np.sqrt(n))


def confidence_sequence(block_minutes: int) -> Callable[[Floats, Floats], Bounds]:
    """Asymptotic confidence sequence over block means (Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas: Time-uniform
    central limit theory and asymptotic confidence sequences, 2021, eq. 9), a look at every block from the fifth on."""

    def method(a: Floats, b: Floats) -> Bounds:
        size = block_minutes * PER_MINUTE
        count = a.shape[1] // size
        ratio = _blocks(b, size, count) / _blocks(a, size, count)
        counts = range(5, count + 1)
        mean, sd, t = _moments(ratio, counts)
        most = count
        rho2 = (-2 * np.log(ALPHA) + np.log(-2 * np.log(ALPHA)) + 1) / most
        half = sd * np.sqrt(2 * (t * rho2 + 1) / (t**2 * rho2) * np.log(np.sqrt(t * rho2 + 1) / ALPHA))
        return _about([k * size for k in counts], mean, half)

    return method


def group_sequential(a: Floats, b: Floats) -> Bounds:
    """Seven looks with O'Brien-Fleming spending (Lan and DeMets), each a t test on the means of six batches."""
    looks = [minutes * PER_MINUTE for minutes in STAGES if minutes * PER_MINUTE <= a.shape[1]]
    levels = spending_levels(tuple(minutes / STAGES[-1] for minutes in STAGES), ALPHA / 2)
    sums_a, sums_b = _sums(a), _sums(b)
    mean, half = np.empty((len(a), len(looks))), np.empty((len(a), len(looks)))
    for i, n in enumerate(looks):
        edges = [round(k * n / _BATCHES) for k in range(_BATCHES + 1)]
        ratio = np.diff(sums_b[:, edges], axis=1) / np.diff(sums_a[:, edges], axis=1)
        mean[:, i] = ratio.mean(1)
        half[:, i] = stats.t.isf(levels[i], _BATCHES - 1) * ratio.std(1, ddof=1) / np.sqrt(_BATCHES)
    return _about(looks, mean, half)


def spending_levels(times: tuple[float, ...], alpha: float) -> list[float]:
    """Nominal one-sided levels of each look under O'Brien-Fleming spending 2 - 2Φ(z / √t), by integration over the
    Brownian motion that has not crossed before (Armitage, McPherson, Rowe 1969)."""
    z = stats.norm.isf(alpha / 2)
    spent = [2 * stats.norm.sf(z / np.sqrt(t)) for t in times]
    grid = np.linspace(-8, 8, 4001)
    step = grid[1] - grid[0]
    levels, density, before = [], np.zeros_like(grid), 0.0
    for i, t in enumerate(times):
        gap = np.sqrt(t - before)
        if i == 0:
            density = stats.norm.pdf(grid, scale=gap)
        else:
            kernel = stats.norm.pdf(grid, scale=gap)
            density = np.convolve(density, kernel, mode="same") * step
        tail = np.cumsum(density[::-1])[::-1] * step
        want = spent[i] - (spent[i - 1] if i else 0.0)
        edge = float(np.interp(-want, -tail, grid)) if tail[-1] < want else float(grid[-1])
        levels.append(max(float(stats.norm.sf(edge / np.sqrt(t))), 1e-12))
        density = np.where(grid < edge, density, 0.0)
        before = t
    return levels


def effective_size(a: Floats, b: Floats) -> Bounds:
    """A t interval of 95 % every minute with the number of scrapes that an AR(1) of the estimated φ is worth."""
    looks = range(FIRST, min(LAST, a.shape[1]) + 1, PER_MINUTE)
    ratio = b / a
    mean, sd, n = _moments(ratio, looks)
    products = _sums(ratio[:, 1:] * ratio[:, :-1])[:, [k - 1 for k in looks]]
    phi = np.clip((products - (n - 1) * mean**2) / np.maximum((n - 1) * sd**2, 1e-12), 0.0, 0.999)
    worth = n * (1 - phi) / (1 + phi)
    quantile = np.interp(np.clip(worth - 1, 1, 400), _DF, stats.t.ppf(1 - ALPHA / 2, _DF))
    half = np.where(worth >= 4, quantile * sd / np.sqrt(np.maximum(worth, 1)), np.inf)
    return _about(looks, mean, half)


_DF = np.concatenate([np.arange(1, 30, 0.25), np.arange(30, 402, 4.0)])

METHODS: dict[str, Callable[[Floats, Floats], Bounds]] = {
    "in use": in_use,
    "t 95 %": naive_t,
    "CS 1 min": confidence_sequence(1),
    "CS 5 min": confidence_sequence(5),
    "OBF": group_sequential,
    "AR(1) size": effective_size,
}


def _sums(values: Floats) -> Floats:
    """Cumulative sums with a zero in front."""
    out = np.zeros((len(values), values.shape[1] + 1))
    np.cumsum(values, axis=1, out=out[:, 1:])
    return out


def _moments(values: Floats, counts: Sequence[int]) -> tuple[Floats, Floats, Floats]:
    """Mean and standard deviation of the first n values of each row, for each n; and n."""
    picked, n = list(counts), np.asarray(counts, float)
    mean = _sums(values)[:, picked] / n
    square = _sums(values**2)[:, picked]
    return mean, np.sqrt(np.maximum(square - n * mean**2, 0.0) / (n - 1)), n


def _blocks(values: Floats, size: int, count: int) -> Floats:
    return np.asarray(values[:, : size * count].reshape(len(values), count, size).sum(2))


def _about(looks: Sequence[int], mean: Floats, half: Floats) -> Bounds:
    return Bounds(list(looks), mean - half, mean, mean + half)
