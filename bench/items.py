"""Item store speed: SQLite against dynoxide through PynamoDB, side by side in one run, both on disk.

Compare the columns of one run; do not quote them alone: the machine is shared. Rounds of the two engines alternate, so
that what else runs hits both.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.instruments import conditions
from bench.instruments.running import dynamodb
from bench.registry import Options
from bench.report import Cell, Column, Report, Table
from chalicelib.adapters.items.dynamodb import DynamoItemStore
from chalicelib.adapters.items.sqlite import SqliteItemStore
from chalicelib.ports import items
from chalicelib.ports.items import ABSENT, Item, ItemStore, Put
from tests.engines import dynoxide

BODY = {"name": "experiment", "state": "running", "text": "x" * 900, "counts": list(range(20))}
ROUND_SECONDS = 0.5
THREADS = 8


def document(pk: str, sk: str, version: int = 1) -> Item:
    return Item(items.Table.STATE, pk, sk, BODY, version=version, active="A#1")


@dataclass
class Workload:
    """The measured operations on one store; each call is one operation. `serial` makes every key new."""

    store: ItemStore
    serial: int = 0
    version: int = 1

    def prepare(self) -> None:
        self.store.put(document("cas", "one"))
        for n in range(200):
            self.store.put(document("list", f"{n:04}"))

    def get(self) -> None:
        self.store.get(items.Table.STATE, "list", "0100")

    def conditional_put(self) -> None:
        self.serial += 1
        self.store.put(document("new", str(self.serial)), ABSENT)

    def cas_update(self) -> None:
        self.store.put(document("cas", "one", self.version + 1), self.version)
        self.version += 1

    def query_20(self) -> None:
        if len(self.store.query(items.Table.STATE, "list", start="0050", limit=20).items) != 20:
            raise AssertionError("a query of 20 did not give 20")

    def transaction_of_3(self) -> None:
        self.serial += 1
        n = self.serial
        log = Item(items.Table.AUDIT, "log", str(n), BODY)
        writes = [Put(document("cas", "one", self.version + 1), self.version), Put(log, ABSENT)]
        self.store.transact([*writes, Put(document("out", str(n)), ABSENT)], f"t{n}")
        self.version += 1

    def get_by_8_threads(self) -> None:
        with ThreadPoolExecutor(THREADS) as pool:
            for future in [pool.submit(self._gets) for _ in range(THREADS)]:
                future.result(60)

    def _gets(self) -> None:
        for _ in range(_GETS_A_THREAD):
            self.get()


_GETS_A_THREAD = 25
OPERATIONS: dict[str, tuple[str, int]] = {
    "get": ("get", 1),
    "conditional put": ("conditional_put", 1),
    "CAS update": ("cas_update", 1),
    "query 20": ("query_20", 1),
    "3-item transaction": ("transaction_of_3", 1),
    "get, 8 threads": ("get_by_8_threads", THREADS * _GETS_A_THREAD),
}
"""Name in the table: method and operations a call."""


def rate(call: Callable[[], None], each: int) -> float:
    """Operations per second over about half a second."""
    done = 0
    started = time.perf_counter()
    while (passed := time.perf_counter() - started) < ROUND_SECONDS:
        call()
        done += each
    return done / passed


def measure(workloads: dict[str, Workload], rounds: int) -> dict[str, dict[str, float]]:
    """Median operations per second by operation and engine."""
    rates: dict[str, dict[str, list[float]]] = {op: {engine: [] for engine in workloads} for op in OPERATIONS}
    for workload in workloads.values():
        workload.prepare()
    for _ in range(rounds):
        for operation, (method, each) in OPERATIONS.items():
            for engine, workload in workloads.items():
                rates[operation][engine].append(rate(getattr(workload, method), each))
    return {op: {engine: median(found) for engine, found in by.items()} for op, by in rates.items()}


COLUMNS = (
    Column("operation", "operation"),
    Column("sqlite_per_second", "SQLite /s", ",.0f"),
    Column("dynoxide_per_second", "dynoxide /s", ",.0f"),
    Column("ratio", "SQLite ÷ dynoxide", ".1f"),
)


def rows(rates: dict[str, dict[str, float]]) -> tuple[tuple[Cell, ...], ...]:
    """The rates, and how many times SQLite's is dynoxide's."""
    return tuple((op, by["sqlite"], by["dynoxide"], by["sqlite"] / by["dynoxide"]) for op, by in rates.items())


def run(options: Options) -> Report:
    """Measure both engines."""
    rounds = 2 if options.quick else 5
    machine = conditions.machine()
    with tempfile.TemporaryDirectory() as folder, dynamodb(Path(folder)) as server:
        sqlite = SqliteItemStore(Path(folder) / "items.sqlite", time.time)
        dynamo = DynamoItemStore(time.time, endpoint=server.endpoint)
        dynamo.create_tables()
        rates = measure({"sqlite": Workload(sqlite), "dynoxide": Workload(dynamo)}, rounds)
        sqlite.close()
        dynamo.close()
    said = {
        **machine,
        **conditions.load_after(),
        "rounds": rounds,
        "round_seconds": ROUND_SECONDS,
        "dynoxide": dynoxide.VERSION,
        "item_body_bytes": len(json.dumps(BODY, separators=(",", ":"))),
        "client": "one process, one thread unless the row says more; both engines on disk",
    }
    return Report("items", said, (Table("Operations a second", COLUMNS, rows(rates)),))
