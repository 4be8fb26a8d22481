"""What a look at a running experiment reads and takes: going on from what was sealed, beside reading everything.

`python -m bench evaluation_looks [--quick]`: SQLite on disk, a scrape every 15 s of every host for an hour, looks at
some minutes. Both ways see the same measurements and must give the same evaluation, or nothing is reported.
"""

from __future__ import annotations

import hashlib
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench.instruments import conditions
from bench.instruments.filling import Filling
from bench.instruments.running import BenchFailed
from bench.registry import Options
from bench.report import Cell, Column, Report, Table
from chalicelib.adapters.items.sqlite import SqliteItemStore
from chalicelib.domain.evaluation.evaluation import Evaluation, evaluate
from chalicelib.domain.evaluation.plan import ArmUnderTest, ConfigProof, EvaluationPlan, Limits
from chalicelib.domain.measurement import CollectorSample, Count, CriticalProcess, Variant
from chalicelib.ports.items import Item, ItemStore, Page, Write
from chalicelib.ports.items import Table as Stored
from chalicelib.repositories.measurements import Measurements
from chalicelib.repositories.records import Records
from chalicelib.services.experiments.looking import Looking

S = 1_000_000_000
OPENED = 1_790_000_000
INTERVAL, PER_MINUTE = 15, 4
LOOKS = (5, 10, 20, 30, 40, 50, 59, 60)
"""Minutes of the looks; the last is one minute after another, as in a running experiment."""
COMPARED = (10, 60)
CRITICAL = tuple(CriticalProcess(pattern="critical", name=f"critical-{i:02d}", pid=100 + i) for i in range(10))
STREAMS = ((Variant.RAW, 7000), (Variant.BASELINE, 7000), (Variant.CANDIDATE, 700))
SCOPE, TENANT = "exp-1", "default"


class Counting:
    """An item store that counts items and bytes handed out, and writes."""

    def __init__(self, inner: ItemStore) -> None:
        self._inner = inner
        self.items = self.writes = 0

    def query(self, *given: object, **options: object) -> Page:
        page = self._inner.query(*given, **options)  # type: ignore[arg-type]
        self.items += len(page.items)
        return page

    def get(self, table: Stored, pk: str, sk: str) -> Item | None:
        found = self._inner.get(table, pk, sk)
        self.items += found is not None
        return found

    def put(self, item: Item, expected: int = -1) -> None:
        self.writes += 1
        self._inner.put(item, expected)

    def transact(self, writes: list[Write], token: str) -> None:
        self.writes += len(writes)
        self._inner.transact(writes, token)


def run(options: Options) -> Report:
    """Live through an hour, look every minute, and compare with reading everything."""
    hosts = tuple(f"host-{i:04d}" for i in range(50 if options.quick else 1000))
    machine = conditions.machine()
    with tempfile.TemporaryDirectory(prefix="phoenix-bench-") as folder:
        inner = SqliteItemStore(Path(folder) / "items.sqlite", lambda: float(OPENED))
        rows = tuple(_hour(Counting(inner), inner, hosts))
        inner.close()
    said = {
        **machine,
        **conditions.load_after(),
        "hosts": len(hosts),
        "interval_s": INTERVAL,
        "critical": len(CRITICAL),
    }
    return Report("evaluation_looks", said, (Table("One look, by minutes into the experiment", COLUMNS, rows),), NOTES)


def _hour(store: Counting, inner: ItemStore, hosts: tuple[str, ...]) -> Iterator[tuple[Cell, ...]]:
    filling, plan = Filling(inner), _plan(hosts)
    filled, looking = Measurements(filling), Looking(Records(store))  # type: ignore[arg-type]
    done = 0
    for minute in LOOKS:
        print(f"  minute {minute}", file=sys.stderr, flush=True)
        for number in range(done, minute * PER_MINUTE):
            for host in hosts:
                _measure(filled, host, number)
        filling.flush()
        done, now = minute * PER_MINUTE, float(OPENED + minute * 60)
        store.items = store.writes = 0
        began = time.process_time()
        look = looking.look(TENANT, plan, now, last=False, problems={}, shown=lambda evaluation: True)
        store.transact(list(look.writes), f"look-{minute}")
        row: tuple[Cell, ...] = (minute, store.items, store.writes, time.process_time() - began)
        if minute not in COMPARED:
            yield (*row, None, None)
            continue
        store.items = 0
        began = time.process_time()
        if _everything(Records(store), plan, now) != look.evaluation:  # type: ignore[arg-type]
            raise BenchFailed(f"at minute {minute} both ways do not give the same evaluation")
        yield (*row, store.items, time.process_time() - began)


def _everything(records: Records, plan: EvaluationPlan, now: float) -> Evaluation:
    counts: list[Count] = []
    samples: list[CollectorSample] = []
    for host in plan.hosts:
        found = records.measurements.read(TENANT, SCOPE, host)
        counts += found[0]
        samples += found[1]
    return evaluate(plan, counts, samples, int(now * S), last=False)


def _measure(measurements: Measurements, host: str, number: int) -> None:
    """One scrape and one sample, as two requests, as a collector sends them."""
    at = OPENED + number * INTERVAL + 3
    counts = [
        Count(
            scope=SCOPE,
            host=host,
            variant=variant,
            start_ns=at * S - S // 5,
            end_ns=at * S,
            series=series + number % 7,
            critical=CRITICAL,
            marker="marker-1",
        )
        for variant, series in STREAMS
    ]
    sample = CollectorSample(
        scope=SCOPE,
        host=host,
        time_ns=(at + 1) * S,
        start_ns=(OPENED - 60) * S,
        cpu_seconds=5 + number * 0.3,
        rss_bytes=80 * 1024**2 + number,
        marker="marker-1",
    )
    measurements.add(TENANT, SCOPE, host, counts, [], at + 2)
    measurements.add(TENANT, SCOPE, host, [], [sample], at + 2)


def _plan(hosts: tuple[str, ...]) -> EvaluationPlan:
    return EvaluationPlan(
        scope=SCOPE,
        name="looks",
        hosts=hosts,
        window_start_ns=OPENED * S,
        deployed_ns=(OPENED - 60) * S,
        limits=Limits(interval_s=INTERVAL, min_minutes=5, max_minutes=60, target=0.5, collector_cpu=0.05),
        critical=("critical",),
        baseline=ArmUnderTest(pipeline="process-baseline-v1"),
        candidate=ArmUnderTest(pipeline="process-topk-v1"),
        configs=tuple(ConfigProof(host=host, config_hash=_hash(host), marker="marker-1") for host in hosts),
    )


def _hash(host: str) -> str:
    """As long and as different from host to host as they are."""
    return hashlib.sha256(host.encode()).hexdigest()


COLUMNS = (
    Column("minute", "minute"),
    Column("items_read", "items read", ",d"),
    Column("writes", "writes", ",d"),
    Column("cpu_seconds", "CPU s", ".1f"),
    Column("items_read_everything", "everything: items", ",d"),
    Column("cpu_seconds_everything", "CPU s", ".1f"),
)
NOTES = (
    "items read: what the store handed out to one look: measurements after each host's line, five minutes behind its "
    "newest, and the packed segments of what was sealed before. writes: segments, head, evaluation. everything: all "
    "measurements from the beginning, as every look did before; both gave the same evaluation. CPU seconds of one "
    "process, the store's included.",
)
