"""How often the evaluation's rule is wrong, and how fast it decides, by simulation, beside what one might do instead.

`python -m bench evaluation [--quick]`: a scrape every 15 s, first look at 5 minutes, then one at every scrape until 60
minutes. Noise: noise.py. Rules: methods.py. Here: what is counted, the goals, the tables. A cell
that misses its goal is named in the last column of its row.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from math import sqrt

import numpy as np

from bench.evaluation.canary import CANARY_NOTES, CANARY_TABLES
from bench.evaluation.canary import tables as canary_tables
from bench.evaluation.methods import LAST, METHODS, PER_MINUTE, Bounds, Floats, decided, in_use
from bench.evaluation.noise import FAMILIES, LEVEL, SD, USUAL, Family, Generator, ar1, hosts, separate
from bench.instruments import conditions
from bench.registry import Options
from bench.report import Cell, Column, Report, Table
from chalicelib.domain.evaluation.result.result import METHOD

TARGET, SEED = 0.5, 2026
UP, DOWN = (0.9, 0.7, 0.6, 0.55), (0.4, 0.3, 0.0)
QUICK_POWER, QUICK_MINUTES = 0.999, 15
"""What is promised of -90 %: so large a share of the runs is promoted within so many minutes."""
FLEETS = ((1, 0.0), (1, 0.5), (1, 0.9), (1, 0.97), (3, 0.9), (10, 0.9), (100, 0.97))
HOST_SD = 0.3
SAMPLES = (3, 5, 10, 30, 100)
LONGER = (5, 10, 20, 30, 45)
"""Minimum durations, minutes."""
MET, ELSEWHERE = "–", "not judged"
BUSY = {100: 10}
"""Runs of so many hosts are divided by this: they cost as many streams."""


def run(options: Options) -> Report:
    """Simulate every table."""
    runs = 1000 if options.quick else 10_000
    machine = conditions.machine()
    began = time.monotonic()
    tables = (
        *_families(runs),
        _hosts(runs),
        _fleet(max(runs // 4, 500)),
        _same(runs),
        *canary_tables(max(runs // 4, 500)),
    )
    worst = 100 * 1.96 * sqrt(0.05 * 0.95 / runs)
    said = {
        **machine,
        **conditions.load_after(),
        "seconds": round(time.monotonic() - began),
        "runs": runs,
        "monte_carlo_95_at_5_per_cent": f"± {worst:.1f} points",
        "target": TARGET,
        "noise_sd": SD,
        "seed": SEED,
    }
    return Report("evaluation", said, tables, NOTES)


def _families(runs: int) -> tuple[Table, ...]:
    errors: list[tuple[Cell, ...]] = []
    power: list[tuple[Cell, ...]] = []
    longer: list[tuple[Cell, ...]] = []
    for number, family in enumerate(FAMILIES):
        print(f"  {family.name}", file=sys.stderr, flush=True)
        a, b = family.make(np.random.default_rng((SEED, number)), runs, LAST)
        bounds = {name: method(a, b) for name, method in METHODS.items()}
        errors.append(_error_row(family, bounds))
        power.append(_power_row(family, bounds["in use"]))
        if family.limit != USUAL:
            at_target = (decided(bounds["in use"], TARGET, TARGET, least) for least in LONGER)
            longer.append((family.name, *(float(found.promoted.mean()) for found in at_target)))
    return tuple(
        Table(title, TABLES[title], tuple(rows))
        for title, rows in ((ERROR_TITLE, errors), (POWER_TITLE, power), (LONGER_TITLE, longer))
    )


def _error_row(family: Family, bounds: dict[str, Bounds]) -> tuple[Cell, ...]:
    at_target = {name: decided(found, TARGET, TARGET) for name, found in bounds.items()}
    shares = {name: float(found.promoted.mean()) for name, found in at_target.items()}
    rejected = float(at_target["in use"].rejected.mean())
    limit = family.limit
    missed = [] if limit is None else [name for name, share in shares.items() if share > limit]
    if limit is not None and rejected > limit:
        missed.append("in use (rejects)")
    verdict = ELSEWHERE if limit is None else ", ".join(missed) or MET
    return (family.name, *shares.values(), rejected, limit, verdict)


def _power_row(family: Family, bounds: Bounds) -> tuple[Cell, ...]:
    cells: list[Cell] = [family.name]
    missed = MET if family.quick else ELSEWHERE
    for truth in UP:
        found = decided(bounds, truth, TARGET)
        cells += [float(found.promoted.mean()), found.minutes]
        if family.quick and truth == UP[0]:
            soon = float((found.promoted & (found.when <= QUICK_MINUTES * PER_MINUTE)).mean())
            missed = MET if soon >= QUICK_POWER else f"0.90: {soon:.2%} in time"
    cells += [float(decided(bounds, truth, TARGET).rejected.mean()) for truth in DOWN]
    return (*cells, missed)


def _hosts(runs: int) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for number, (count, phi) in enumerate(FLEETS):
        print(f"  {count} hosts, AR(1) {phi:g}", file=sys.stderr, flush=True)
        some = max(runs // BUSY.get(count, 1), 500)
        bounds = in_use(*hosts(count, phi)(np.random.default_rng((SEED, 100 + number)), some, LAST))
        error = float(decided(bounds, TARGET, TARGET).promoted.mean())
        limit = 0.05 if phi <= 0.9 else 0.10
        cells: list[Cell] = [count, phi, some, error]
        for truth in UP:
            found = decided(bounds, truth, TARGET)
            cells += [float(found.promoted.mean()), found.minutes]
        cells += [float(decided(bounds, truth, TARGET).rejected.mean()) for truth in DOWN]
        rows.append((*cells, MET if error <= limit else "error"))
    return Table(HOSTS_TITLE, TABLES[HOSTS_TITLE], tuple(rows))


def _fleet(runs: int) -> Table:
    """A claim about hosts like these: each host's own ratio is drawn anew in every run."""
    rows: list[tuple[Cell, ...]] = []
    looks = list(range(20, LAST + 1, PER_MINUTE))
    for number, count in enumerate(SAMPLES):
        print(f"  claim about hosts like {count}", file=sys.stderr, flush=True)
        a, b, sums = _sampled(np.random.default_rng((SEED, 200 + number)), runs, count, looks)
        alone, both = in_use(a, b, looks), in_use(a, b, looks, sums)
        errors = [float(decided(bounds, TARGET, TARGET).promoted.mean()) for bounds in (alone, both)]
        power = [float(decided(both, truth, TARGET).promoted.mean()) for truth in (0.9, 0.7)]
        rows.append((count, runs, *errors, *power, MET if errors[1] <= 0.05 else "both terms"))
    return Table(FLEET_TITLE, TABLES[FLEET_TITLE], tuple(rows))


def _sampled(rng: Generator, runs: int, count: int, looks: list[int]) -> tuple[Floats, Floats, tuple[Floats, Floats]]:
    b = np.zeros((runs, LAST))
    sums_b = np.empty((runs, len(looks), count))
    for host in range(count):
        own = np.exp(HOST_SD * rng.standard_normal((runs, 1)) - HOST_SD**2 / 2)
        mine = LEVEL * own * np.exp(SD * ar1(rng, runs, LAST, 0.5) - SD * SD / 2)
        b += mine
        sums_b[:, :, host] = np.cumsum(mine, axis=1)[:, [n - 1 for n in looks]]
    sums_a = np.broadcast_to((LEVEL * np.asarray(looks, float))[None, :, None], sums_b.shape)
    return np.full((runs, LAST), LEVEL * count), b, (sums_a, sums_b)


def _same(runs: int) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for number, phi in enumerate((0.5, 0.9, 0.97)):
        bounds = in_use(*separate(phi)(np.random.default_rng((SEED, 300 + number)), runs, LAST))
        large, none = decided(bounds, 0.0, TARGET), decided(bounds, 0.0, 0.0)
        share, zero = float(large.promoted.mean()), float(none.promoted.mean())
        minutes = float(np.median(large.when[large.rejected])) / PER_MINUTE
        bad = share > 0 or zero > (0.05 if phi <= 0.9 else 0.10)
        rows.append((phi, share, float(large.rejected.mean()), minutes, zero, "promotes" if bad else MET))
    return Table(SAME_TITLE, TABLES[SAME_TITLE], tuple(rows))


def _shares(names: tuple[str, ...]) -> Iterator[Column]:
    for name in names:
        yield Column(f"promoted_{name.replace(' ', '_')}", name, ".1%")


def _by_truth() -> Iterator[Column]:
    for truth in UP:
        yield Column(f"promoted_{truth:g}", f"{truth:g}", ".1%")
        yield Column(f"minutes_{truth:g}", "min", ".0f")
    for truth in DOWN:
        yield Column(f"rejected_{truth:g}", f"rej {truth:g}", ".1%")


_MISSED = Column("missed", "misses its goal")
_ERRORS = (
    Column("family", "noise"),
    *_shares(tuple(METHODS)),
    Column("rejected_in_use", "in use rejects", ".1%"),
    Column("limit", "goal", ".0%"),
    _MISSED,
)
_POWER = (Column("family", "noise"), *_by_truth(), _MISSED)
_HOSTS = (
    Column("hosts", "hosts"),
    Column("phi", "phi", ".2f"),
    Column("runs", "runs", ",d"),
    Column("error", "error", ".1%"),
    *_by_truth(),
    _MISSED,
)
_FLEET = (
    Column("hosts", "hosts"),
    Column("runs", "runs", ",d"),
    Column("error_time_alone", "error, time alone", ".1%"),
    Column("error", "error", ".1%"),
    Column("promoted_0.9", "0.9", ".1%"),
    Column("promoted_0.7", "0.7", ".1%"),
    _MISSED,
)
_SAME = (
    Column("phi", "phi", ".2f"),
    Column("promoted", "target 0.5: promoted", ".1%"),
    Column("rejected", "rejected", ".1%"),
    Column("minutes", "min", ".0f"),
    Column("promoted_target_0", "target 0: promoted", ".1%"),
    _MISSED,
)
_LONGER = (Column("family", "noise"), *(Column(f"error_from_{m}", f"from {m} min", ".1%") for m in LONGER))
ERROR_TITLE = "False promotions: truth exactly at the target, any look within an hour"
POWER_TITLE = "The rule in use: share promoted (median minutes) and share rejected, by truth"
LONGER_TITLE = "False promotions of the rule in use where variation is slow, by minimum duration"
HOSTS_TITLE = "The rule in use, by number of hosts with independent noise"
FLEET_TITLE = "A claim about hosts like these (host sd 0.3, AR(1) .5, a look a minute)"
SAME_TITLE = "The same pipeline twice, in collectors of their own"
TABLES: dict[str, tuple[Column, ...]] = {
    ERROR_TITLE: _ERRORS,
    POWER_TITLE: _POWER,
    LONGER_TITLE: _LONGER,
    HOSTS_TITLE: _HOSTS,
    FLEET_TITLE: _FLEET,
    SAME_TITLE: _SAME,
    **CANARY_TABLES,
}
"""Title to columns, in order."""

NOTES = (
    "A scrape every 15 s, looks from 5 to 60 min at every scrape; CS every block, OBF at 5, 10, 15, 20, 30, 40 and "
    "60 min, AR(1) size every minute. Noise of 0.2 on the log scale unless said otherwise. Target 50 %.",
    "in use: " + METHOD + ". t 95 %: a t interval over the scrapes as if independent. CS: asymptotic confidence "
    "sequence on block means. OBF: O'Brien-Fleming spending on six batch means. AR(1) size: a t interval with the "
    "number of scrapes that an AR(1) of the estimated coefficient is worth. All two-sided 5 %.",
    "Goals: false promotions 5 % at most, 10 % where variation is as slow as the rule assumes (8 min); -90 % against "
    "-50 % promoted within 15 min in 99.9 % at AR(1) .5 and below. min: median minutes of the promotions, – where "
    "fewer than half promote. * noise that the rule was not fitted or checked on. not judged: slower than assumed, "
    "or nothing was promised.",
    *CANARY_NOTES,
    *(f"{family.name}: {family.about}." for family in FAMILIES),
)
