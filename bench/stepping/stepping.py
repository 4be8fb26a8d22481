"""How fast active experiments are stepped on one small machine, what one step asks of the store, and what that costs.

One control plane with the embedded store in a scratch folder; experiments, hosts and measurements are written in the
form that the services leave behind, then the real tick steps all of them. "Two at once": two control planes on the
same file tick at the same time, and every transition must be committed by exactly one of them.

The time is taken on the bare store; requests are counted in a run of their own, on fewer experiments, because weighing
every item costs as much as a step.
"""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.instruments import conditions
from bench.instruments.filling import Filling
from bench.instruments.running import BenchFailed
from bench.registry import Options
from bench.report import Cell, Column, Report, Table
from bench.stepping.counted import Counted, CountedStore
from bench.stepping.data import TENANT, Seed
from chalicelib.adapters.items.sqlite import SqliteItemStore
from chalicelib.bootstrap import ControlPlane, Outside, build
from chalicelib.domain.experiment.state import Experiment, State
from chalicelib.ports.items import ItemStore
from chalicelib.ports.items import Table as Stored
from chalicelib.repositories.records import Records
from chalicelib.settings import Settings
from tests.fakes.clock import SettableClock

MANY, FEW, QUICK = 10_000, 1_000, 200
COUNTED = 200
"""Experiments whose requests are counted; every one asks for the same."""
GOAL_S, GOAL_REQUESTS = 60.0, 3.0
"""All of them within a minute; requests of a step that finds nothing to do."""
MINUTES_A_MONTH = 60 * 24 * 30
READ_MILLION_USD, WRITE_MILLION_USD = 0.125, 0.625
"""Amazon DynamoDB on-demand, us-east-1, standard table class, list price of November 2024."""
COLUMNS = (
    Column("what", "at each tick"),
    Column("experiments", "experiments", ",d"),
    Column("seconds", "s a tick", ".1f"),
    Column("within_a_minute", "within a minute"),
    Column("steps_per_second", "steps/s", ",.0f"),
    Column("cpu_ms", "CPU ms/step", ".2f"),
    Column("requests", "requests/step", ".2f"),
    Column("read_units", "read units", ".2f"),
    Column("write_units", "write units", ".2f"),
    Column("commits", "commits each", "d"),
    Column("usd_per_thousand_month", "USD per 1 000 and month", ",.2f"),
)
NOTES = (
    f"Goals: {MANY:,} experiments stepped within {GOAL_S:.0f} s; at most {GOAL_REQUESTS:.0f} requests a step when "
    "there is nothing to do. An evaluation is due once a minute by default: the first two cases are the goal's. "
    "Transitions are never due for all at once; they are measured on fewer, and are said to be within a minute where "
    "as many as the goal's would be.",
    "Requests and units are counted at the store's port; USD is a tick a minute, by DynamoDB's on-demand list price, "
    "without Lambda, SQS, storage, measurements' own writes.",
    "Commits each: by how many versions every experiment's record went on in the tick, all steppers together.",
)


@dataclass(frozen=True)
class Case:
    """prepare: writes n experiments. steppers: control planes that tick at once. commits: of each experiment."""

    what: str
    count: int
    prepare: Callable[[Seed, int], None]
    steppers: int = 1
    commits: int = 0


def run(options: Options) -> Report:
    """Measure every case on a store of its own. Raises BenchFailed when a commit is lost or made twice."""
    machine = conditions.machine()
    many, few = (QUICK, QUICK) if options.quick else (MANY, FEW)
    cases = (
        Case("nothing to do", many, Seed.running),
        Case("an evaluation of the last minute, shown", many, Seed.measured, commits=1),
        Case("a transition (pending to deploying)", few, Seed.pending, commits=1),
        Case("the same, two steppers at once", few, Seed.pending, steppers=2, commits=1),
    )
    rows = tuple(_measure(case) for case in cases)
    said = {**machine, **conditions.load_after(), "store": "sqlite", "hosts_per_experiment": 1}
    return Report("stepping", said, (Table("Stepping", COLUMNS, rows),), NOTES)


def _measure(case: Case) -> tuple[Cell, ...]:
    seconds, cpu = _timed(case)
    counted, commits = _counted(case)
    reads, writes = counted.reads / COUNTED, counted.writes / COUNTED
    usd = 1000 * MINUTES_A_MONTH * (reads * READ_MILLION_USD + writes * WRITE_MILLION_USD) / 1e6
    rate = case.count / seconds
    within = "yes" if MANY / rate <= GOAL_S else f"no: {MANY / rate:,.0f} s"
    requests = counted.total / COUNTED
    return (
        case.what, case.count, seconds, within, rate, 1000 * cpu / case.count, requests, reads, writes, commits, usd
    )  # fmt: skip


def _timed(case: Case) -> tuple[float, float]:
    """Seconds and CPU seconds of one tick over all. Raises BenchFailed when a commit is lost or made twice."""
    with tempfile.TemporaryDirectory() as folder, _control_planes(Path(folder), case.steppers) as found:
        planes, engines, clock = found
        filling = Filling(engines[0])
        case.prepare(Seed(filling, clock.now()), case.count)  # type: ignore[arg-type]
        filling.flush()
        before = _versions(engines[0])
        cpu = time.process_time()
        seconds = _tick_all(planes)
        cpu = time.process_time() - cpu
        _commits(case, engines[0], before)
    return seconds, cpu


def _counted(case: Case) -> tuple[Counted, int]:
    """What the tick asks of the store, of all steppers together, and the commits of each experiment."""
    all_of_them = Counted()
    stores: list[CountedStore] = []

    def counting(engine: ItemStore) -> ItemStore:
        stores.append(CountedStore(engine))
        return stores[-1]

    with tempfile.TemporaryDirectory() as folder, _control_planes(Path(folder), case.steppers, counting) as found:
        planes, engines, clock = found
        case.prepare(Seed(engines[0], clock.now()), COUNTED)
        before = _versions(engines[0])
        _tick_all(planes)
        commits = _commits(case, engines[0], before)
    for store in stores:
        all_of_them.requests += store.counted.requests
        all_of_them.reads += store.counted.reads
        all_of_them.writes += store.counted.writes
    return all_of_them, commits


@contextmanager
def _control_planes(
    folder: Path, count: int, seen: Callable[[ItemStore], ItemStore] = lambda engine: engine
) -> Iterator[tuple[list[ControlPlane], list[SqliteItemStore], SettableClock]]:
    """Control planes on one file, with the engine of each. seen: the store that they see of it."""
    clock = SettableClock()
    engines = [SqliteItemStore(folder / "phoenix.sqlite", clock.now) for _ in range(count)]
    settings = Settings(data_dir=folder)
    try:
        yield [build(settings, Outside(clock=clock, store=seen(engine))) for engine in engines], engines, clock
    finally:
        for engine in engines:
            engine.close()


def _tick_all(planes: list[ControlPlane]) -> float:
    threads = [threading.Thread(target=plane.tick) for plane in planes]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.monotonic() - began


def _versions(store: ItemStore) -> dict[str, int]:
    pk = f"T#{TENANT}#EXPERIMENT"
    found: dict[str, int] = {}
    cursor: str | None = None
    while True:
        page = store.query(Stored.STATE, pk, limit=1000, cursor=cursor)
        found |= {item.sk: item.version for item in page.items}
        if (cursor := page.cursor) is None:
            return found


def _commits(case: Case, store: ItemStore, before: dict[str, int]) -> int:
    """Commits of each experiment: as many as the case says, by version and by its story."""
    # By version: of two steppers that commit the same under the same token, the store carries out one.
    after = _versions(store)
    made = {after[name] - version for name, version in before.items()}
    if made != {case.commits}:
        raise BenchFailed(f"{case.what}: commits of one experiment were {sorted(made)}")
    if case.prepare is Seed.pending:
        records = Records(store)
        for name in before:
            experiment: Experiment = records.experiments.get(TENANT, name).value
            if [event.state for event in experiment.events] != [State.DEPLOYING]:
                raise BenchFailed(f"{name} moved {len(experiment.events)} times")
    return max(made)
