"""`bench catalog`: every pipeline of the catalog beside what people use today, on the same live populations.

At each size: cost (costing.py), then what is sent and whether it is right (exactness.py). At one size also with shared
names, and the baseline at a long interval. A complete run writes catalog/README.md and the `effect` of each pipeline's
metadata (page.py); a partial one only when told.
"""

from __future__ import annotations

import datetime
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.catalog import costing, exactness, page
from bench.catalog.columns import (
    COLUMNS,
    NAMES,
    NAMES_TITLE,
    NOTES,
    PROMISES,
    PROMISES_TITLE,
    TARGETS,
    TARGETS_TITLE,
    title,
)
from bench.catalog.costing import Alone, Costs
from bench.catalog.exactness import Shown
from bench.catalog.looking import look
from bench.catalog.subjects import CASES, NOBODY, Look, rivals
from bench.catalog.targets import judged
from bench.instruments import arms, conditions
from bench.instruments.running import BenchFailed, collector_binary, missing, population
from bench.registry import Options
from bench.report import Cell, Report, Table

SIZES = (100, 300, 1000, 3000)
ALONE_AT, SHARED_AT = 300, 1000
CRITICAL = tuple(str(pattern.name).strip("^$") for pattern in arms.CRITICAL)


@dataclass(frozen=True)
class Plan:
    """interval_s: long enough for all collectors to scrape one after the other. scrapes: in each of the rounds, for the
    cost; shown: for what is sent."""

    interval_s: float
    scrapes: int
    rounds: int
    shown: int


PLANS = {100: Plan(2.0, 8, 2, 5), 300: Plan(3.0, 6, 2, 5), 1000: Plan(5.0, 5, 2, 5), 3000: Plan(15.0, 3, 1, 4)}
QUICK = {size: Plan(plan.interval_s, 3, 1, 4) for size, plan in PLANS.items()}


@dataclass(frozen=True)
class Sized:
    """All that was measured at one size."""

    plan: Plan
    cost: Mapping[str, Costs]
    exact: exactness.Run
    shared: exactness.Run | None = None
    alone: Alone | None = None


def run(options: Options) -> Report:
    """Measure every size; write the pages when complete or told."""
    complete = not options.quick and not options.sizes
    binary = collector_binary()
    machine = conditions.machine()
    measured: dict[int, Sized] = {}
    failed: list[str] = []
    for size in options.sizes or SIZES:
        plan = (QUICK if options.quick else PLANS).get(size, PLANS[1000])
        with tempfile.TemporaryDirectory() as folder:
            try:
                measured[size] = _size(binary, size, plan, options.quick, Path(folder) / str(size))
            except BenchFailed as error:
                failed.append(f"About {size:,d} processes: not measured: {error}")
                _say(failed[-1])
    if not measured:
        raise BenchFailed("; ".join(failed))
    complete = complete and not failed
    command = "make bench-catalog" if complete else "a run of a part: python -m bench catalog"
    said = {"command": command, **machine, "collector": conditions.version_of(binary)}
    report = _report("catalog" if complete or options.publish else "catalog-partial", measured, failed, said)
    if complete or options.publish:
        page.write(report.document())
    return report


def _report(name: str, measured: Mapping[int, Sized], failed: Sequence[str], said: Mapping[str, Any]) -> Report:
    """failed: what could not be measured, in words. name: "catalog" for what the pages show."""
    said = {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        **said,
        **conditions.load_after(),
        "parameters": "the catalog's defaults",
    }
    tables = [Table(title(size, one.plan), COLUMNS, _rows(one)) for size, one in measured.items()]
    tables += [Table(NAMES_TITLE, NAMES, _shared(one)) for one in measured.values() if one.shared]
    tables.append(Table(TARGETS_TITLE, TARGETS, judged(measured)))
    tables.append(Table(PROMISES_TITLE, PROMISES, tuple((r.name, r.promise) for r in rivals(NOBODY))))
    return Report(name, said, tuple(tables), (*NOTES, *failed))


def _size(binary: Path, size: int, plan: Plan, quick: bool, folder: Path) -> Sized:
    folder.mkdir()
    found: list[Alone] = []
    with population(missing(size), folder):
        seen = look(CRITICAL)
        if size == ALONE_AT and not quick:
            with costing.alone(binary, folder / "alone") as found:
                cost, exact = _both(binary, seen, size, plan, folder)
        else:
            cost, exact = _both(binary, seen, size, plan, folder)
    shared = None
    if size == SHARED_AT and not quick:
        _say(f"{size} processes with shared names: what is sent")
        with population(missing(size), folder, "realistic"):
            shared = exactness.run(binary, look(CRITICAL), plan.interval_s, plan.shown, folder / "shared")
    return Sized(plan, cost, exact, shared, found[0] if found else None)


def _both(binary: Path, seen: Look, size: int, plan: Plan, folder: Path) -> tuple[Mapping[str, Costs], exactness.Run]:
    _say(f"{size} processes: cost, {plan.rounds} rounds of {plan.scrapes} scrapes {plan.interval_s:g} s apart")
    cost: Mapping[str, Costs] = {}
    try:
        cost = costing.run(binary, seen, plan.interval_s, plan.scrapes, plan.rounds, folder)
    except BenchFailed as error:
        _say(f"{size} processes: cost not measured: {error}")
    _say(f"{size} processes: what is sent in {plan.shown} scrapes")
    exact = exactness.run(binary, seen, plan.interval_s, plan.shown, folder / "exact")
    for name, one in exact.shown.items():
        if one.mismatches:
            _say(f"  {name}: {one.mismatches} mismatches, such as {one.why}")
    return cost, exact


def _rows(one: Sized) -> tuple[tuple[Cell, ...], ...]:
    base = one.exact.shown[arms.BASELINE]
    rows = []
    for name, shown in one.exact.shown.items():
        cost = one.cost.get(name)
        cells = (
            one.exact.processes,
            name,
            *_sent(shown, base),
            shown.mismatches / one.exact.scrapes,
            one.exact.scrapes,
        )
        rows.append((*cells, *_cost(cost)))
    return tuple(rows)


def _cost(cost: Costs | None) -> tuple[Cell, ...]:
    """Empty cells where the machine was too busy to measure."""
    if cost is None:
        return (None,) * 6
    spread = f"{cost.lowest:.2f}–{cost.highest:.2f}"
    return (cost.cpu_ms, cost.ratio, spread, cost.scrapes, cost.rss_mib, cost.rss_ratio)


def _sent(shown: Shown, base: Shown) -> tuple[Cell, ...]:
    fewer = 1 - shown.series / base.series
    return (shown.series, fewer, 1 - shown.wire / base.wire, shown.kept / shown.wanted, f"{shown.kept}/{shown.wanted}")


def _shared(one: Sized) -> tuple[tuple[Cell, ...], ...]:
    assert one.shared is not None
    unique, shared = one.exact.shown, one.shared.shown
    return tuple(
        (
            case.pipeline,
            *(1 - run[case.pipeline].series / run[arms.BASELINE].series for run in (unique, shared)),
            *(1 - run[case.pipeline].wire / run[arms.BASELINE].wire for run in (unique, shared)),
            shared[case.pipeline].mismatches / one.shared.scrapes,
        )
        for case in CASES
    )


def _say(what: str) -> None:
    print(f"  {what}", file=sys.stderr, flush=True)
