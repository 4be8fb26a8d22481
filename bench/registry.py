"""Which benchmarks there are, where each stands, and what it may be told. A benchmark is a module of this package with
`run(options: Options) -> Report`; it is imported only when it is asked for.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from bench.report import Report

RESULTS = Path(__file__).resolve().parent / "results"


@dataclass(frozen=True)
class Options:
    """quick: fewer repetitions, so wider noise. store: engine behind the control plane of `ingest`. sizes: populations
    of `catalog`, all of its own when empty. publish: whether `catalog` writes its pages even after a partial run."""

    quick: bool = False
    store: str = "sqlite"
    sizes: tuple[int, ...] = ()
    publish: bool = False


BENCHMARKS = {
    "collector": "CPU per scrape and memory of collectors that run baseline, priority filter and top-K, side by side",
    "wire": "bytes per scrape that leave the host: baseline against top-K on the same scrapes",
    "catalog": "every pipeline of the catalog beside what people use today: series, bytes, criticals, exactness, cost",
    "ingest": "measurement requests a second into `phoenix up`, beside its health check",
    "promote": "seconds from promote, and from roll back, to the collector's own confirmation",
    "loadsim": "CPU of simulated load at rest and under churn, achieved beside asked rates, beside stress-ng's fork",
    "stepping": "experiments stepped a second, requests and units of the store a step, and their price",
    "items": "item stores: SQLite against a DynamoDB-compatible engine",
    "operator": "the operator with 1 000 resources on a real API server, beside the least that client-go can do",
    "evaluation": "how often the evaluation's rule is wrong, and how fast it decides, by simulation, beside others",
    "evaluation_looks": "what a look at an experiment reads and takes, beside reading all measurements",
}
"""Name to one line for people, in the order in which all of them run."""
_IN_ROOMS = {
    "catalog": "catalog.catalog",
    "ingest": "ingest.ingest",
    "stepping": "stepping.stepping",
    "evaluation": "evaluation.evaluation",
    "evaluation_looks": "evaluation.looks",
}
"""Name to module, where it is not the name itself."""


def runner(name: str) -> Callable[[Options], Report]:
    """The function that measures. Raises KeyError for a name that is not in BENCHMARKS."""
    BENCHMARKS[name]
    module = importlib.import_module(f"bench.{_IN_ROOMS.get(name, name)}")
    return cast(Callable[[Options], Report], module.run)
