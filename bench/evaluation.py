"""How often the evaluation's rule is wrong, and how fast it decides, by simulation.

`python -m bench evaluation [--quick]`: one host, a scrape every 15 s, first look at 5 minutes, then one
at every scrape until 60 minutes, noise with sd 0.2 on the log scale. The rule is that of
chalicelib.domain.evaluation.interval, done for all runs at once with numpy from the same constants;
tests/unit/evaluation compares both on the same data. Beside it a naive method: a t interval of 95 % over the scrapes'
ratios at every look.
"""

from __future__ import annotations

import sys
from dataclasses import astuple, dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from bench import conditions
from bench.registry import Options
from bench.report import Column, Report, Table
from chalicelib.domain.evaluation.interval import C0, C1, FLOOR, MAX_WIDTH, M

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
INTERVAL_MINUTES, FIRST, LAST = 0.25, 20, 240
TARGET, SD, LEVEL = 0.5, 0.2, 7000.0
ROWS = tuple((phi, truth) for phi in (0.0, 0.5, 0.9, 0.97) for truth in (0.5, 0.9, 0.7, 0.6, 0.4))


@dataclass(frozen=True)
class Row:
    """Shares of the runs; minutes: median time of the promotions, None where fewer than half promote."""

    method: str
    phi: float
    truth: float
    runs: int
    promoted: float
    rejected: float
    minutes: float | None


def noise(rng: np.random.Generator, runs: int, n: int, phi: float) -> Floats:
    """Log ratios: AR(1) with coefficient phi at 15 s, sd SD, started in its stationary state."""
    fresh = rng.standard_normal((runs, n))
    out = np.empty_like(fresh)
    out[:, 0] = fresh[:, 0]
    for t in range(1, n):
        out[:, t] = phi * out[:, t - 1] + np.sqrt(1 - phi * phi) * fresh[:, t]
    return SD * out


def arms(rng: np.random.Generator, runs: int, n: int, phi: float, truth: float) -> tuple[Floats, Floats]:
    """Series of baseline and candidate; the mean of their ratio is 1 - truth."""
    a = np.full((runs, n), LEVEL)
    return a, a * (1 - truth) * np.exp(noise(rng, runs, n, phi) - SD * SD / 2)


def interval_in_use(a: Floats, b: Floats, n: int) -> tuple[Floats, Floats]:
    """Lower and upper bound of the retention after n scrapes: the rule in use, for all runs (rows) at once."""
    edges = [round(i * n / M) for i in range(M + 1)]
    batch_a = np.add.reduceat(a[:, :n], edges[:-1], axis=1)
    batch_b = np.add.reduceat(b[:, :n], edges[:-1], axis=1)
    theta = batch_b.sum(1) / batch_a.sum(1)
    residues = batch_b - theta[:, None] * batch_a
    error = np.sqrt(M / (M - 1) * (residues**2).sum(1)) / batch_b.sum(1)
    width = np.minimum((C0 + C1 / (n * INTERVAL_MINUTES)) * error, MAX_WIDTH)
    return np.minimum(theta * np.exp(-width), theta - FLOOR), np.maximum(theta * np.exp(width), theta + FLOOR)


def interval_naive(a: Floats, b: Floats, n: int) -> tuple[Floats, Floats]:
    """A t interval of 95 % over the ratios of n scrapes, as if they were independent and looked at once."""
    ratios = b[:, :n] / a[:, :n]
    half = stats.t.ppf(0.975, n - 1) * ratios.std(1, ddof=1) / np.sqrt(n)
    return ratios.mean(1) - half, ratios.mean(1) + half


METHODS = {"in use": interval_in_use, "naive t": interval_naive}


def decided(method: str, a: Floats, b: Floats, target: float) -> tuple[Bools, Bools, NDArray[np.int64]]:
    """Per run: promoted, rejected, and the scrape at which it was decided (0: never), stopping at the first answer."""
    runs = len(a)
    promoted, rejected = np.zeros(runs, bool), np.zeros(runs, bool)
    when = np.zeros(runs, np.int64)
    for n in range(FIRST, min(LAST, a.shape[1]) + 1):
        open_runs = np.flatnonzero(when == 0)
        low, high = METHODS[method](a[open_runs], b[open_runs], n)
        up = 1 - high >= target
        down = ~up & (1 - low < target)
        promoted[open_runs[up]] = True
        rejected[open_runs[down]] = True
        when[open_runs[up | down]] = n
    return promoted, rejected, when


def measure(method: str, phi: float, truth: float, runs: int, seed: int) -> Row:
    """One row of the table."""
    a, b = arms(np.random.default_rng(seed), runs, LAST, phi, truth)
    promoted, rejected, when = decided(method, a, b, TARGET)
    share = float(promoted.mean())
    minutes = float(np.median(when[promoted]) * INTERVAL_MINUTES) if share >= 0.5 else None
    return Row(method, phi, truth, runs, share, float(rejected.mean()), minutes)


SEED = 2026
COLUMNS = (
    Column("method", "method"),
    Column("phi", "phi", ".2f"),
    Column("truth", "truth", ".2f"),
    Column("runs", "runs", ",d"),
    Column("promoted", "promoted", ".1%"),
    Column("rejected", "rejected", ".1%"),
    Column("minutes", "minutes", ".0f"),
)


def run(options: Options) -> Report:
    """Simulate every row."""
    runs = 1000 if options.quick else 10_000
    machine = conditions.machine()
    rows = []
    for method in METHODS:
        print(f"  method {method}", file=sys.stderr, flush=True)
        for phi, truth in ROWS:
            rows.append(astuple(measure(method, phi, truth, runs, SEED)))
    said = {**machine, **conditions.load_after(), "target": TARGET, "noise_sd": SD, "seed": SEED}
    return Report("evaluation", said, (Table("Verdicts of simulated experiments", COLUMNS, tuple(rows)),), NOTES)


NOTES = (
    "One host, a scrape every 15 s, looks at every scrape from 5 to 60 min. truth 0.50 is the target: a promotion "
    "there is an error. minutes: median of the promotions.",
)
