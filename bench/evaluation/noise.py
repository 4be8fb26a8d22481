"""Made-up measurements for `bench evaluation`: how the ratio of the two arms varies from scrape to scrape.

Every family gives (a, b): series of baseline and candidate, one row a run, one column a complete scrape of 15 s, with
the mean of b / a exactly 1 over all runs: a truth is put in afterwards by multiplying b. No rule is applied here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

Floats = NDArray[np.float64]
Generator = np.random.Generator
Arms = tuple[Floats, Floats]

SD, LEVEL = 0.2, 7000.0
PER_MINUTE = 4
USUAL, SLOW = 0.05, 0.10
"""Highest share of false promotions: the goal up to phi 0.9, and where variation is as slow as the rule assumes."""


@dataclass(frozen=True)
class Family:
    """make: of generator, runs and scrapes. limit: highest share of false promotions within an hour; None: slower than
    what the rule assumes, shown and not judged. quick: -90 % is promised within a quarter of an hour."""

    name: str
    make: Callable[[Generator, int, int], Arms]
    limit: float | None
    about: str
    quick: bool = False


def ar1(rng: Generator, runs: int, n: int, phi: float, *, tails: float | None = None) -> Floats:
    """AR(1) of variance 1 in its stationary state; tails: degrees of freedom of t innovations, None: normal ones."""
    warm = 0 if tails is None else 400
    shape = (runs, n + warm)
    fresh = rng.standard_normal(shape) if tails is None else rng.standard_t(tails, shape) / np.sqrt(tails / (tails - 2))
    fresh[:, 1:] *= np.sqrt(1 - phi * phi)
    return np.asarray(lfilter([1.0], [1.0, -phi], fresh, axis=1))[:, warm:]


def paired(ratio: Floats, load: Floats | None = None) -> Arms:
    """Both arms from the ratio, scaled to a mean of 1, and the load that both see."""
    a = np.full(ratio.shape, LEVEL) if load is None else LEVEL * load
    return a, a * ratio / ratio.mean()


def _ar1(phi: float, sd: float = SD) -> Callable[[Generator, int, int], Arms]:
    return lambda rng, runs, n: paired(np.exp(sd * ar1(rng, runs, n, phi)))


def _white_and_slow(rng: Generator, runs: int, n: int) -> Arms:
    return paired(np.exp(SD * np.sqrt(0.5) * (ar1(rng, runs, n, 0.0) + ar1(rng, runs, n, 0.97))))


def _regimes(minutes: float, white: float) -> Callable[[Generator, int, int], Arms]:
    def make(rng: Generator, runs: int, n: int) -> Arms:
        switches = rng.random((runs, n)) < 1 / (minutes * PER_MINUTE)
        switches[:, 0] = rng.random(runs) < 0.5
        level = np.where(np.cumsum(switches, axis=1) % 2 == 1, 1.35, 1.0)
        return paired(level * np.exp(white * ar1(rng, runs, n, 0.0)))

    return make


def _heavy(phi: float) -> Callable[[Generator, int, int], Arms]:
    return lambda rng, runs, n: paired(np.maximum(1 + SD * ar1(rng, runs, n, phi, tails=3), 0.02))


def _drift(rng: Generator, runs: int, n: int) -> Arms:
    slope = np.where(rng.random((runs, 1)) < 0.5, 0.1, -0.1)
    return paired((1 + slope * np.linspace(-1, 1, n)) * np.exp(SD * ar1(rng, runs, n, 0.5)))


def _cycle(rng: Generator, runs: int, n: int) -> Arms:
    turn = 2 * np.pi * (np.arange(n) / (10 * PER_MINUTE) + rng.random((runs, 1)))
    return paired(np.exp(SD * np.sin(turn) + 0.05 * ar1(rng, runs, n, 0.0)))


def _daily(rng: Generator, runs: int, n: int) -> Arms:
    turn = 2 * np.pi * (np.arange(n) / (1440 * PER_MINUTE) + rng.random((runs, 1)))
    return paired(np.exp(SD * ar1(rng, runs, n, 0.9)), np.exp(np.log(1.8) * np.sin(turn)))


def _load(rng: Generator, runs: int, n: int) -> Arms:
    return paired(np.exp(SD * ar1(rng, runs, n, 0.9)), np.exp(0.4 * ar1(rng, runs, n, 0.97)))


def _bursts(rng: Generator, runs: int, n: int) -> Arms:
    """A burst begins every ten minutes, lasts a minute on average, and doubles what the candidate reports."""
    state = rng.random(runs) < 0.1
    level = np.empty((runs, n))
    for t in range(n):
        chance = rng.random(runs)
        state = np.where(state, chance >= 1 / PER_MINUTE, chance < 1 / (9 * PER_MINUTE))
        level[:, t] = np.where(state, 2.0, 1.0)
    return paired(level * np.exp(0.1 * ar1(rng, runs, n, 0.5)))


def _long_memory(d: float) -> Callable[[Generator, int, int], Arms]:
    """Fractionally integrated noise of order d: correlations that die out so slowly that their sum has no end."""

    def make(rng: Generator, runs: int, n: int) -> Arms:
        span = 4 * n
        k = np.arange(1, span)
        weights = np.concatenate([[1.0], np.cumprod((k - 1 + d) / k)])
        size = 2 * span
        fresh = rng.standard_normal((runs, 2 * span))
        mixed = np.fft.irfft(np.fft.rfft(fresh, size, axis=1) * np.fft.rfft(weights, size), size, axis=1)
        z = mixed[:, span : span + n]
        return paired(np.exp(SD * z / z.std()))

    return make


def _random_walk(rng: Generator, runs: int, n: int) -> Arms:
    """No level to return to: the ratio has wandered by 10 % (sd) after an hour, under independent noise."""
    walk = np.cumsum(rng.standard_normal((runs, n)), axis=1) * 0.1 / np.sqrt(60 * PER_MINUTE)
    return paired(np.exp(walk + SD * ar1(rng, runs, n, 0.5)))


def _changing_spread(rng: Generator, runs: int, n: int) -> Arms:
    spread = np.exp(0.7 * ar1(rng, runs, n, 0.97))
    return paired(np.maximum(1 + SD * spread * ar1(rng, runs, n, 0.5) / np.sqrt(np.mean(spread**2)), 0.02))


def _outages(rng: Generator, runs: int, n: int) -> Arms:
    """Two minutes at a time are missing, a tenth of all, more of them when the ratio is high: only the rest is seen."""
    span = n + n // 2
    z = ar1(rng, runs, span, 0.9)
    starts = rng.random((runs, span)) < 0.0138 * np.exp(0.3 * z - 0.045)
    gone = np.asarray(lfilter(np.ones(8), [1.0], starts.astype(float), axis=1)) > 0
    kept = np.argsort(gone, axis=1, kind="stable")[:, :n]
    return paired(np.take_along_axis(np.exp(SD * z), kept, axis=1))


def _unequal_hosts(rng: Generator, runs: int, n: int) -> Arms:
    """Three hosts of sizes 1, 3 and 10, each without a tenth of its scrapes."""
    a, b = np.zeros((runs, n)), np.zeros((runs, n))
    for size in (1.0, 3.0, 10.0):
        there = rng.random((runs, n)) >= 0.1
        own = np.exp(SD * ar1(rng, runs, n, 0.9))
        a += size * LEVEL * there
        b += size * LEVEL * there * own / np.exp(SD * SD / 2)
    empty = a == 0
    a[empty], b[empty] = LEVEL, LEVEL
    return a, b


def hosts(count: int, phi: float) -> Callable[[Generator, int, int], Arms]:
    """The sums over so many equal hosts with independent noise."""

    def make(rng: Generator, runs: int, n: int) -> Arms:
        b = np.zeros((runs, n))
        for _ in range(count):
            b += np.exp(SD * ar1(rng, runs, n, phi) - SD * SD / 2)
        return np.full((runs, n), LEVEL * count), LEVEL * b

    return make


def separate(phi: float) -> Callable[[Generator, int, int], Arms]:
    """A/A with two collectors: the same pipeline, and noise of its own in each arm."""

    def make(rng: Generator, runs: int, n: int) -> Arms:
        a, b = (LEVEL * np.exp(SD * ar1(rng, runs, n, phi)) for _ in range(2))
        return a, b

    return make


FAMILIES = (
    Family("AR(1) 0", _ar1(0.0), USUAL, "independent scrapes", quick=True),
    Family("AR(1) .5", _ar1(0.5), USUAL, "time constant 22 s", quick=True),
    Family("AR(1) .9", _ar1(0.9), USUAL, "time constant 2.4 min"),
    Family("AR(1) .95", _ar1(0.95), USUAL, "time constant 5 min"),
    Family("AR(1) .97", _ar1(0.97), SLOW, "time constant 8 min: the slowest that the rule assumes"),
    Family("white + slow", _white_and_slow, SLOW, "half the variance independent, half AR(1) .97"),
    Family("regimes 5 min", _regimes(5, 0.132), SLOW, "two levels 35 % apart that last 5 min; sd 0.2 in all"),
    Family("t3, .5", _heavy(0.5), USUAL, "t innovations with 3 degrees of freedom", quick=True),
    Family("t3, .97", _heavy(0.97), SLOW, "the same, slow"),
    Family("drift", _drift, USUAL, "the ratio drifts by 20 % within the hour, up or down; AR(1) .5"),
    Family("10-min cycle", _cycle, USUAL, "a sine of ±20 % with a random phase"),
    Family("daily load", _daily, USUAL, "load × 0.55 to × 1.8 over a day in both arms; ratio AR(1) .9"),
    Family("sd .5", _ar1(0.9, 0.5), USUAL, "noise of 0.5 on the log scale; AR(1) .9"),
    Family("unequal hosts", _unequal_hosts, USUAL, "three hosts of sizes 1, 3, 10; 10 % missing; AR(1) .9"),
    Family("bursts *", _bursts, SLOW, "the candidate doubles for a minute, every ten minutes: rarer than 8 min"),
    Family("changing spread *", _changing_spread, USUAL, "the spread itself varies slowly by a factor of 2 to 4"),
    Family("outages *", _outages, USUAL, "2 min at a time missing, more when the ratio is high; AR(1) .9"),
    Family("varying load *", _load, USUAL, "load in both arms varies by 40 %, AR(1) .97; ratio AR(1) .9"),
    Family("long memory .3 *", _long_memory(0.3), USUAL, "fractional noise, d = 0.3"),
    Family("long memory .45 *", _long_memory(0.45), SLOW, "fractional noise, d = 0.45: nearly without a level"),
    Family("flat regimes 5 min *", _regimes(5, 0.05), SLOW, "the same levels, hardly any noise beside them"),
    Family("random walk *", _random_walk, SLOW, "no level: wanders by 10 % (sd) within the hour; AR(1) .5 on top"),
    Family("AR(1) .98", _ar1(0.98), None, "time constant 12 min: slower than assumed"),
    Family("AR(1) .99", _ar1(0.99), None, "time constant 25 min: slower than assumed"),
    Family("regimes 15 min", _regimes(15, 0.132), None, "levels that last 15 min: slower than assumed"),
)
"""In the order of the tables. * marks what the rule was not fitted or checked on when it was designed."""
