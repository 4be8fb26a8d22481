"""What a pipeline costs the host: CPU per scrape and memory of real collectors that run side by side.

All collectors read the same processes at the same interval, a third of an interval apart, so that none scrapes while
another does. CPU is the kernel's (utime + stime) over a whole number of intervals, so that a scrape that is cut off at
one end is cut in at the other, divided by the scrapes that the collector itself counted. Three ways to send: `none`
ends in a nop exporter (the pipeline alone); `otlp` exports with gzip, as a plain collector would; `phoenix` also counts
and reports itself, as a deployment of Phoenix does.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from bench.instruments import arms, conditions, proc, selfcount
from bench.instruments.receiver import Receiver
from bench.instruments.running import BenchFailed, collector, collector_binary, missing, population
from bench.registry import Options
from bench.report import Cell, Column, Report, Table
from chalicelib.domain.pipeline.rendering import Fragment

PIPELINES = (arms.BASELINE, arms.PRIORITY, arms.TOPK)
WAYS = ("none", "otlp", "phoenix")
TOTALS = (300, 1000)
INTERVAL_S = 2.0
SETTLE_SCRAPES = 3
MEMORY_EVERY_S = 0.1
MIN_SCRAPES = 3
COLUMNS = (
    Column("live_processes", "live processes", ",d"),
    Column("sends", "sends"),
    Column("pipeline", "pipeline"),
    Column("scrapes", "scrapes", "d"),
    Column("series_per_scrape", "series", ",.0f"),
    Column("cpu_ms_per_scrape", "CPU ms/scrape", ".1f"),
    Column("cpu_ratio", "÷ baseline", ".2f"),
    Column("cpu_ratio_lowest", "lowest", ".2f"),
    Column("cpu_ratio_highest", "highest", ".2f"),
    Column("rss_highest_mib", "RSS MiB max", ".0f"),
    Column("rss_mean_mib", "mean", ".0f"),
)


@dataclass(frozen=True)
class Plan:
    """scrapes: measured in each round. rounds: collectors are started afresh, in reversed order, for each."""

    scrapes: int
    rounds: int


@dataclass(frozen=True)
class Cost:
    """One collector in one round: CPU of all its scrapes, resident bytes, series that left the pipeline."""

    cpu_s: float
    scrapes: int
    series: float
    rss_highest: int
    rss_mean: float
    live: int
    """Processes on the machine at the end of the round."""

    @property
    def cpu_per_scrape(self) -> float:
        """Seconds."""
        return self.cpu_s / self.scrapes


@dataclass(frozen=True)
class Subject:
    """A running collector. port: of its counters."""

    pid: int
    port: int


def run(options: Options) -> Report:
    """Measure every way at every size."""
    plan = Plan(scrapes=6, rounds=1) if options.quick else Plan(scrapes=6, rounds=3)
    binary = collector_binary()
    machine = conditions.machine()
    pipelines = arms.fragments(PIPELINES)
    rows: list[tuple[Cell, ...]] = []
    with tempfile.TemporaryDirectory() as folder:
        for total in TOTALS:
            with population(missing(total), Path(folder)):
                for way in WAYS:
                    print(f"  {total} processes, sends {way}", file=sys.stderr, flush=True)
                    rows += _rows(way, _rounds(binary, pipelines, way, plan, Path(folder)))
    said = {
        **machine,
        **conditions.load_after(),
        "collector": conditions.version_of(binary),
        "interval_s": INTERVAL_S,
        "rounds": plan.rounds,
        "intervals_a_round": plan.scrapes,
        "parameters": "the catalog's defaults (k = 10)",
    }
    return Report("collector", said, (Table("Cost of a pipeline on the host", COLUMNS, tuple(rows)),), NOTES)


NOTES = (
    "The three collectors of a row group run at the same time. ÷ baseline: median of the rounds' ratios, with the "
    "lowest and the highest.",
    "sends none: nop exporter; otlp: gzip to a local receiver; phoenix: the same, with counts and the collector's own "
    "telemetry for the control plane.",
    "series: data points of a scrape that leave the pipeline. RSS max: since the collector's start.",
)


def _rounds(binary: Path, pipelines: dict[str, Fragment], way: str, plan: Plan, folder: Path) -> list[dict[str, Cost]]:
    found = []
    for number in range(plan.rounds):
        order = PIPELINES if number % 2 == 0 else PIPELINES[::-1]
        with tempfile.TemporaryDirectory(dir=folder) as own:
            found.append(_round(binary, {name: pipelines[name] for name in order}, way, plan.scrapes, Path(own)))
    return found


def _round(binary: Path, pipelines: dict[str, Fragment], way: str, intervals: int, folder: Path) -> dict[str, Cost]:
    with ExitStack() as stack:
        receiver = stack.enter_context(Receiver())
        subjects = {}
        for name, fragment in pipelines.items():
            backend = f"{receiver.url}/{name}" if way != "none" else None
            control = f"{receiver.url}/{name}/control" if way == "phoenix" else None
            port = selfcount.free_port()
            config = selfcount.with_reader(arms.deployment(fragment, INTERVAL_S, backend, control), port)
            subjects[name] = Subject(stack.enter_context(collector(binary, config, folder / name)).pid, port)
            time.sleep(INTERVAL_S / len(pipelines))
        time.sleep(SETTLE_SCRAPES * INTERVAL_S)
        return measure(subjects, intervals * INTERVAL_S)


def measure(
    subjects: Mapping[str, Subject],
    seconds: float,
    clock: Callable[[int], float] = proc.cpu_seconds,
    fewest: int = MIN_SCRAPES,
) -> dict[str, Cost]:
    """Watch running collectors for so long. clock: CPU seconds of a pid so far. Raises BenchFailed when one scraped
    fewer times."""
    before = {name: selfcount.pull(one.port) for name, one in subjects.items()}
    started = {name: clock(one.pid) for name, one in subjects.items()}
    samples = _memory(subjects, time.monotonic() + seconds)
    cpu = {name: clock(one.pid) - started[name] for name, one in subjects.items()}
    live = proc.live_processes()
    costs = {}
    for name, one in subjects.items():
        found = selfcount.pull(one.port).since(before[name])
        if found.scrapes < fewest or not found.left:
            raise BenchFailed(f"{name} did {found.scrapes} scrapes in {seconds:g} s: the machine is too busy")
        costs[name] = Cost(
            cpu_s=cpu[name],
            scrapes=found.scrapes,
            series=found.points / found.left,
            rss_highest=proc.memory(one.pid).highest,
            rss_mean=statistics.fmean(samples[name]),
            live=live,
        )
    return costs


def _memory(subjects: Mapping[str, Subject], until: float) -> dict[str, list[int]]:
    """Resident bytes, sampled until a moment (monotonic seconds)."""
    samples: dict[str, list[int]] = {name: [] for name in subjects}
    while (left := until - time.monotonic()) > 0:
        for name, one in subjects.items():
            samples[name].append(proc.memory(one.pid).rss)
        time.sleep(min(MEMORY_EVERY_S, left))
    return samples


def _rows(way: str, rounds: Sequence[dict[str, Cost]]) -> list[tuple[Cell, ...]]:
    live = round(statistics.fmean(found[arms.BASELINE].live for found in rounds))
    return [(live, way, name, *_figures(name, rounds)) for name in PIPELINES]


def _figures(name: str, rounds: Sequence[dict[str, Cost]]) -> tuple[Cell, ...]:
    costs = [found[name] for found in rounds]
    ratios = sorted(found[name].cpu_per_scrape / found[arms.BASELINE].cpu_per_scrape for found in rounds)
    return (
        sum(cost.scrapes for cost in costs),
        statistics.fmean(cost.series for cost in costs),
        1000 * sum(cost.cpu_s for cost in costs) / sum(cost.scrapes for cost in costs),
        statistics.median(ratios),
        ratios[0],
        ratios[-1],
        max(cost.rss_highest for cost in costs) / 2**20,
        statistics.fmean(cost.rss_mean for cost in costs) / 2**20,
    )
