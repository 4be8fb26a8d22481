"""How often the canary's rule is wrong, and how often it decides, by simulation: two tables of `bench evaluation`.

Hosts differ in size by a factor of ten and more (sd 1 on the log scale), each has scrape noise of its own, changes by
10 % (sd) between pre-period and window for reasons of its own, and may like the candidate more or less than others do.
The candidate goes to one of each pair of hosts of like size. Noise: noise.py. Pre-period of 10 minutes.

`in_use` is the rule of chalicelib.domain.canary.estimate for all runs and looks at once; tests/unit/canary shows that
both give the same intervals.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy import stats

from bench.evaluation.methods import ALPHA, LAST, PER_MINUTE, Bools, Bounds, Floats, decided
from bench.evaluation.noise import FAMILIES, SLOW, USUAL, Family, Generator
from bench.report import Cell, Column, Table
from chalicelib.domain.evaluation.interval import C0, C1, FLOOR, MAX_WIDTH, T99, M

TARGET, SEED = 0.5, 2027
BEFORE, GAP = 10 * PER_MINUTE, PER_MINUTE
"""Scrapes of the pre-period, and of deploying and warm-up between it and the window."""
SIZE_SD, CHANGE_SD = 1.0, 0.1
LOOKS = tuple(range(20, LAST + 1, PER_MINUTE))
HOSTS = 10
FLEETS = ((6, 0.5, 0.0), (6, 0.5, 0.3), (10, 0.5, 0.3), (20, 0.5, 0.3), (20, 0.2, 0.3), (50, 0.5, 0.3), (50, 0.1, 0.3))
"""Hosts, share of the candidate, and how much they differ in what the candidate does (sd, log scale)."""
MET = "–"


@dataclass(frozen=True)
class Fleet:
    """series: by run, host and scrape, pre-period first. candidate: by run and host."""

    series: Floats
    candidate: Bools


def fleet(
    rng: Generator, family: Family, runs: int, hosts: int = HOSTS, share: float = 0.5, effect_sd: float = 0.0
) -> Fleet:
    """A candidate that is worth nothing on average; a truth is put in afterwards by scaling its bounds."""
    sizes = np.sort(np.exp(SIZE_SD * rng.standard_normal((runs, hosts))), axis=1)
    candidate = _lots(rng, runs, hosts, share)
    series = np.empty((runs, hosts, BEFORE + LAST))
    for host in range(hosts):
        _, noisy = family.make(rng, runs, BEFORE + GAP + LAST)
        change = _lognormal(rng, runs, CHANGE_SD) * np.where(
            candidate[:, host, None], _lognormal(rng, runs, effect_sd), 1
        )
        own = noisy * sizes[:, host, None]
        series[:, host, :BEFORE] = own[:, :BEFORE]
        series[:, host, BEFORE:] = own[:, BEFORE + GAP :] * change
    return Fleet(series, candidate)


def _lots(rng: Generator, runs: int, hosts: int, share: float) -> Bools:
    """One of each block of neighbours in size, as canary.assignment draws them."""
    candidate = np.zeros((runs, hosts), bool)
    blocks = round(hosts * share)
    edges = [round(i * hosts / blocks) for i in range(blocks + 1)]
    for start, end in pairwise(edges):
        candidate[np.arange(runs), start + rng.integers(end - start, size=runs)] = True
    return candidate


def _lognormal(rng: Generator, runs: int, sd: float) -> Floats:
    return np.asarray(np.exp(sd * rng.standard_normal((runs, 1)) - sd * sd / 2))


def in_use(of: Fleet, looks: Sequence[int] = LOOKS) -> Bounds:
    """Ratio to the pre-period; host term by jackknife and Welch's degrees of freedom; time term by batches."""
    candidate, before = of.candidate, of.series[:, :, :BEFORE].mean(2)
    window = of.series[:, :, BEFORE:]
    sums = np.cumsum(window, axis=2)
    scale = (before * candidate).sum(1) / (before * ~candidate).sum(1)
    a = _cumulated((window * ~candidate[:, :, None]).sum(1) * scale[:, None])
    b = _cumulated((window * candidate[:, :, None]).sum(1))
    value, width = np.empty((len(a), len(looks))), np.empty((len(a), len(looks)))
    for i, n in enumerate(looks):
        edges = [round(k * n / M) for k in range(M + 1)]
        batch_a, batch_b = np.diff(a[:, edges], axis=1), np.diff(b[:, edges], axis=1)
        total = batch_b.sum(1)
        theta = total / batch_a.sum(1)
        error = np.sqrt(M / (M - 1) * ((batch_b - theta[:, None] * batch_a) ** 2).sum(1)) / total
        time = (C0 + C1 * PER_MINUTE / n) * error
        width[:, i] = np.minimum(np.maximum(time, _host_width(sums[:, :, n - 1], before * n, candidate)), MAX_WIDTH)
        value[:, i] = theta
    return Bounds(looks, value * np.exp(-width), value, value * np.exp(width), FLOOR)


def _host_width(series: Floats, expected: Floats, candidate: Bools) -> Floats:
    parts = [_jackknife(series, expected, arm) for arm in (candidate, ~candidate)]
    whole = parts[0][0] + parts[1][0]
    freedom = whole**2 / sum(variance**2 / (count - 1) for variance, count in parts)
    freedom = np.minimum(freedom, candidate.shape[1] - 2) + 1e-9
    entries = np.asarray(sorted(T99))
    quantiles = np.asarray([T99[entry] for entry in sorted(T99)])
    return np.asarray(quantiles[np.searchsorted(entries, freedom, side="right") - 1] * np.sqrt(whole))


def _jackknife(series: Floats, expected: Floats, arm: Bools) -> tuple[Floats, Floats]:
    count = arm.sum(1)
    y, x = np.where(arm, series, 0.0), np.where(arm, expected, 0.0)
    left = np.where(arm, (y.sum(1)[:, None] - y) / (x.sum(1)[:, None] - x), 1.0)
    logs = np.log(left)
    mean = logs.sum(1) / count
    squares = np.where(arm, (logs - mean[:, None]) ** 2, 0.0).sum(1)
    return (count - 1) / count * squares, count


def difference_of_means(of: Fleet, looks: Sequence[int] = LOOKS) -> Bounds:
    """A t interval of 95 % on the means of the hosts in the window, without the pre-period."""
    sums = np.cumsum(of.series[:, :, BEFORE:], axis=2)
    value, half = np.empty((len(sums), len(looks))), np.empty((len(sums), len(looks)))
    for i, n in enumerate(looks):
        parts = []
        for arm in (of.candidate, ~of.candidate):
            count, y = arm.sum(1), np.where(arm, sums[:, :, n - 1], 0.0)
            mean = y.sum(1) / count
            spread = np.where(arm, (y - mean[:, None]) ** 2, 0.0).sum(1) / (count - 1) / count
            parts.append((mean, spread))
        (b, var_b), (a, var_a) = parts
        value[:, i] = b / a
        quantile = stats.t.ppf(1 - ALPHA / 2, of.candidate.shape[1] - 2)
        half[:, i] = quantile * value[:, i] * np.sqrt(var_b / b**2 + var_a / a**2)
    return Bounds(looks, value - half, value, value + half)


def per_scrape(of: Fleet, looks: Sequence[int] = LOOKS) -> Bounds:
    """A t interval of 95 % over the scrapes' ratios of the arms' sums, as if they were independent; scaled to the
    pre-period."""
    window, before = of.series[:, :, BEFORE:], of.series[:, :, :BEFORE].mean(2)
    scale = (before * ~of.candidate).sum(1) / (before * of.candidate).sum(1)
    arms = [(window * arm[:, :, None]).sum(1) for arm in (of.candidate, ~of.candidate)]
    ratio = arms[0] / arms[1] * scale[:, None]
    value, half = np.empty((len(ratio), len(looks))), np.empty((len(ratio), len(looks)))
    for i, n in enumerate(looks):
        value[:, i] = ratio[:, :n].mean(1)
        half[:, i] = stats.t.ppf(1 - ALPHA / 2, n - 1) * ratio[:, :n].std(1, ddof=1) / np.sqrt(n)
    return Bounds(looks, value - half, value, value + half)


def _cumulated(values: Floats) -> Floats:
    return np.concatenate([np.zeros((len(values), 1)), np.cumsum(values, axis=1)], axis=1)


def tables(runs: int) -> tuple[Table, ...]:
    """Both tables. runs: of each row."""
    return _families(runs), _fleets(runs)


def _families(runs: int) -> Table:
    rows = []
    for number, family in enumerate(one for one in FAMILIES if one.limit is not None):
        print(f"  canary, {family.name}", file=sys.stderr, flush=True)
        made = fleet(np.random.default_rng((SEED, number)), family, runs)
        rows.append(_row((family.name,), made, family.limit or USUAL, naive=True))
    return Table(CANARY_TITLE, _FAMILIES, tuple(rows))


def _fleets(runs: int) -> Table:
    family = next(one for one in FAMILIES if one.name == "AR(1) .9")
    rows = []
    for number, (hosts, share, effect_sd) in enumerate(FLEETS):
        print(f"  canary, {hosts} hosts", file=sys.stderr, flush=True)
        some = min(runs, max(runs * HOSTS // max(hosts, HOSTS), 1000))
        rng = np.random.default_rng((SEED, 100 + number))
        made = fleet(rng, family, some, hosts, share, effect_sd)
        rows.append(_row((hosts, share, effect_sd, some), made, USUAL, naive=False))
    return Table(CANARY_HOSTS_TITLE, _FLEETS, tuple(rows))


def _row(head: tuple[Cell, ...], made: Fleet, limit: float, *, naive: bool) -> tuple[Cell, ...]:
    bounds = in_use(made)
    found = decided(bounds, TARGET, TARGET)
    error, rejected = float(found.promoted.mean()), float(found.rejected.mean())
    others: list[Cell] = []
    if naive:
        means, scrapes = difference_of_means(made), per_scrape(made)
        others = [float(decided(one, TARGET, TARGET).promoted.mean()) for one in (means, scrapes)]
        others.append(float(decided(means, 0.7, TARGET).promoted.mean()))
    power = [float(decided(bounds, truth, TARGET).promoted.mean()) for truth in (0.9, 0.7, 0.6)]
    none = float(decided(bounds, 0.0, TARGET).promoted.mean())
    missed = [name for name, share in (("error", error), ("rejects", rejected)) if share > limit]
    missed += ["A/A"] if none else []
    return (*head, error, *others, rejected, *power, none, limit, ", ".join(missed) or MET)


def _measured() -> tuple[Column, ...]:
    return (
        Column("rejected", "in use rejects", ".1%"),
        *(Column(f"promoted_{truth:g}", f"{truth:g}", ".1%") for truth in (0.9, 0.7, 0.6)),
        Column("promoted_0", "A/A promoted", ".1%"),
        Column("limit", "goal", ".0%"),
        Column("missed", "misses its goal"),
    )


_ERROR = Column("error", "in use", ".1%")
_FAMILIES = (
    Column("family", "noise"),
    _ERROR,
    Column("difference_of_means", "difference of means", ".1%"),
    Column("per_scrape", "t per scrape", ".1%"),
    Column("difference_of_means_0.7", "difference of means, 0.7", ".1%"),
    *_measured(),
)
_FLEETS = (
    Column("hosts", "hosts"),
    Column("share", "share", ".0%"),
    Column("effect_sd", "effect sd", ".1f"),
    Column("runs", "runs", ",d"),
    _ERROR,
    *_measured(),
)
CANARY_TITLE = (
    f"Canary, {HOSTS} hosts, half on the candidate: false promotions at the target, and share promoted by truth"
)
CANARY_HOSTS_TITLE = "Canary, by hosts, share and how much hosts differ in what the candidate does (AR(1) .9)"
CANARY_TABLES: dict[str, tuple[Column, ...]] = {CANARY_TITLE: _FAMILIES, CANARY_HOSTS_TITLE: _FLEETS}
CANARY_NOTES = (
    "Canary: sizes of sd 1 (log), a pre-period of 10 min, each host changes by 10 % (sd) of its own between pre-period "
    "and window; a look a minute from 5 to 60 min. difference of means: t 95 % on the hosts' means in the window, "
    f"without the pre-period. t per scrape: as if they were independent. Goals {USUAL:.0%}; {SLOW:.0%} for slow noise.",
)
