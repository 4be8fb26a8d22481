"""The targets of the catalog, and whether a run of `bench catalog` met them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from bench.catalog.costing import Alone, Costs
from bench.catalog.exactness import Run
from bench.catalog.subjects import CASES
from bench.instruments import arms

AT = 1000
NINETY = ("process-topk-v1", "process-aggressive-v1", "process-critical-v1")
FIFTY = ("process-priority-filter-v1", "process-aggregated-v1", "process-adaptive-filter-v1")
CPU_RATIO = 1.5
CORE, RSS_MIB = 0.05, 100.0
NOT_MEASURED = "not measured"


class Measured(Protocol):
    """What was measured at one size."""

    @property
    def cost(self) -> Mapping[str, Costs]: ...

    @property
    def exact(self) -> Run: ...

    @property
    def shared(self) -> Run | None: ...

    @property
    def alone(self) -> Alone | None: ...


def judged(measured: Mapping[int, Measured]) -> tuple[tuple[str, str, str], ...]:
    """Rows of target, measured figure, and yes, no or not measured."""
    rows = []
    for least, names in ((0.9, NINETY), (0.5, FIFTY)):
        for name in names:
            rows += _fewer(least, name, measured.get(AT))
    for case in CASES:
        small = {size: one.cost for size, one in measured.items() if size <= AT and one.cost}
        ratios = {size: cost[case.pipeline].ratio for size, cost in small.items()}
        said = ", ".join(f"{ratio:.2f} at {size:,d}" for size, ratio in ratios.items())
        if case.pipeline != arms.BASELINE:
            target = f"CPU a scrape of {case.pipeline} at most {CPU_RATIO} × the baseline's up to {AT:,d} processes"
            rows.append((target, said or NOT_MEASURED, _met(ratio <= CPU_RATIO for ratio in ratios.values())))
    rows.append(_alone([one.alone for one in measured.values() if one.alone]))
    runs = [run for one in measured.values() for run in (one.exact, one.shared) if run]
    wrong = sum(run.shown[case.pipeline].mismatches for run in runs for case in CASES)
    scrapes = sum(run.scrapes for run in runs)
    rows.append(("No mismatch of any pipeline", f"{wrong} in {scrapes} scrapes", _met([not wrong] if runs else [])))
    lost = sum(run.shown[c.pipeline].wanted - run.shown[c.pipeline].kept for run in runs for c in CASES)
    rows.append(
        (
            "Every pipeline keeps every critical process in every scrape",
            f"{lost} missing",
            _met([not lost] if runs else []),
        )
    )
    return tuple(rows)


def _fewer(least: float, name: str, one: Measured | None) -> list[tuple[str, str, str]]:
    out = []
    for kind, run in (("unique", one and one.exact), ("shared", one and one.shared)):
        target = f"{name}: at least {least:.0%} fewer series at {AT:,d} processes, {kind} names"
        if not run:
            out.append((target, NOT_MEASURED, NOT_MEASURED))
            continue
        figure = 1 - run.shown[name].series / run.shown[arms.BASELINE].series
        out.append((target, f"{figure:.1%}", _met([figure >= least])))
    return out


def _alone(found: list[Alone]) -> tuple[str, str, str]:
    target = f"Baseline at 300 processes and 60 s: under {CORE:.0%} of a core and {RSS_MIB:.0f} MiB"
    if not found:
        return target, NOT_MEASURED, NOT_MEASURED
    one = found[0]
    said = f"{one.core:.2%} of a core, {one.rss_mib:.0f} MiB, {one.live:,d} processes"
    return target, said, _met([one.core < CORE, one.rss_mib < RSS_MIB])


def _met(held: Iterable[bool]) -> str:
    found = list(held)
    return NOT_MEASURED if not found else "yes" if all(found) else "no"
