"""Item store speed: SQLite against dynoxide through PynamoDB, side by side in one run, both on disk.

Compare the columns of one run; do not quote them alone: the machine is shared. Rounds of the two engines alternate, so
that what else runs hits both. Run: python -m bench.items [--rounds N]
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from chalicelib.adapters.items.dynamodb import DynamoItemStore
from chalicelib.adapters.items.sqlite import SqliteItemStore
from chalicelib.ports.items import ABSENT, Item, ItemStore, Put, Table
from tests.engines import dynoxide

RESULTS = Path(__file__).resolve().parent / "results" / "items.json"
BODY = {"name": "experiment", "state": "running", "text": "x" * 900, "counts": list(range(20))}
ROUND_SECONDS = 0.5
THREADS = 8


def document(pk: str, sk: str, version: int = 1) -> Item:
    return Item(Table.STATE, pk, sk, BODY, version=version, active="A#1")


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
        self.store.get(Table.STATE, "list", "0100")

    def conditional_put(self) -> None:
        self.serial += 1
        self.store.put(document("new", str(self.serial)), ABSENT)

    def cas_update(self) -> None:
        self.store.put(document("cas", "one", self.version + 1), self.version)
        self.version += 1

    def query_20(self) -> None:
        if len(self.store.query(Table.STATE, "list", start="0050", limit=20).items) != 20:
            raise AssertionError("a query of 20 did not give 20")

    def transaction_of_3(self) -> None:
        self.serial += 1
        n = self.serial
        log = Item(Table.AUDIT, "log", str(n), BODY)
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


def table(rates: dict[str, dict[str, float]]) -> str:
    """The rates, and how many times SQLite's is dynoxide's."""
    lines = [f"{'operation':<20} {'SQLite /s':>12} {'dynoxide /s':>12} {'ratio':>7}"]
    for operation, by in rates.items():
        ratio = by["sqlite"] / by["dynoxide"]
        lines.append(f"{operation:<20} {by['sqlite']:>12,.0f} {by['dynoxide']:>12,.0f} {ratio:>6.1f}x")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description="Item store speed, SQLite against dynoxide.")
    parser.add_argument("--rounds", type=int, default=5, help="alternating rounds of half a second a cell (default 5)")
    rounds = parser.parse_args().rounds
    binary = dynoxide.resolve(os.environ)
    load_before = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder, dynoxide.running(binary, Path(folder) / "dynoxide.sqlite") as server:
        sqlite = SqliteItemStore(Path(folder) / "items.sqlite", time.time)
        dynamo = DynamoItemStore(time.time, endpoint=server.endpoint)
        dynamo.create_tables()
        rates = measure({"sqlite": Workload(sqlite), "dynoxide": Workload(dynamo)}, rounds)
        sqlite.close()
        dynamo.close()
    conditions = {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "cpus": os.cpu_count(),
        "load_before": round(load_before, 2),
        "load_after": round(os.getloadavg()[0], 2),
        "rounds": rounds,
        "round_seconds": ROUND_SECONDS,
        "dynoxide": dynoxide.VERSION,
        "item_body_bytes": len(json.dumps(BODY, separators=(",", ":"))),
        "client": "one process, one thread unless the row says more; both engines on disk",
    }
    print(table(rates))
    print(", ".join(f"{k} {v}" for k, v in conditions.items()))
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps({"conditions": conditions, "operations_per_second": rates}, indent=2) + "\n")


if __name__ == "__main__":
    main()
