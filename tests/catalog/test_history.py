"""Every pipeline, with several parameters each, on made-up scrapes with a history, behind one real collector: rows,
sets and sums equal the rules in every scrape, the first included.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass

import pytest

from chalicelib.adapters.catalog.files import FileCatalog
from chalicelib.domain.critical import CriticalPattern
from tests.catalog import brute, many, rules
from tests.catalog.brute import Row, Scrape
from tests.catalog.capture import Capture
from tests.catalog.conftest import Runner
from tests.catalog.history import PAGE, SECOND, History
from tests.catalog.population import HOSTILE
from tests.catalog.receiving import free_port, receiver, send, wait_for

INTERVAL_S = 15.0
CRITICAL = (
    CriticalPattern(id="critical", name="^critical-"),
    CriticalPattern(id="quoted", name=f"^{re.escape(HOSTILE[2])}$"),
    CriticalPattern(id="seven", command_line="--n=.*77$"),
)
CASES = (
    rules.baseline(),
    rules.topk(k=1),
    rules.topk(k=7, memory_floor=5 * PAGE),
    rules.topk(k=3, disk=True),
    rules.topk(k=25, memory_floor=9 * PAGE, disk=True),
    rules.priority(cpu_min=0.002, memory_min=30_000 * PAGE),
    rules.priority(
        cpu_min=0.001,
        keep_names=["^post", re.escape(HOSTILE[5])],
        keep_command_lines=["--n=1.$"],
        keep_owners=["^nobody$", "^us"],
        drop_names=["^critical-1$", "java|sh", "^a\\.b"],
        drop_command_lines=["--n=[0-4]..$"],
    ),
    rules.aggregated(),
    rules.aggregated(fold_kernel=False),
    rules.adaptive(budget=100),
    rules.adaptive(budget=40, min_processes=3),
    rules.basic(every=4),
    rules.standard(min_age=30),
    rules.standard(min_age=0, command_line=True),
    rules.critical(),
    rules.aggressive(k=5),
    rules.aggressive(k=100),
    rules.dynamic(),
    rules.dynamic(busy_cpu=0.1, detail=12, unusual=0.05, every=7),
)
LOADS = {"calm": (50, 0.2, 16), "busy": (160, 2.0, 10), "crowded": (600, 1.0, 3)}
"""Processes, load and scrapes of each history."""


@dataclass
class Played:
    """What all cases sent for one history."""

    scrapes: list[Scrape]
    rows: list[list[list[Row]]]
    history: History
    started: int


@pytest.fixture(scope="module", params=LOADS)
def played(request: pytest.FixtureRequest, catalog: FileCatalog, tmp_path_factory: pytest.TempPathFactory) -> Played:
    count, load, scrapes = LOADS[request.param]
    runner = Runner(request.getfixturevalue("collector"), tmp_path_factory.mktemp(request.param))
    started = time.time_ns()
    # The first scrape is half an hour ahead, so that "old" is before the collector began and "young" is after it.
    history = History(5, started + 1800 * SECOND, round(INTERVAL_S * SECOND), count, load)
    with Capture() as capture:
        port = free_port()
        config = many.config_of(CASES, catalog, CRITICAL, INTERVAL_S, capture.url, receiver(port))
        for exporter in config["exporters"].values():
            exporter["sending_queue"]["batch"]["flush_timeout"] = "200ms"
        with runner.running(config):
            wait_for(port)
            for _ in range(scrapes):
                send(port, history.scrape().SerializeToString())
        assert runner.errors() == []
        found = brute.scrapes_of(capture.resources(many.RAW))
        rows = [brute.by_scrape(capture.resources(f"/{index}"), found) for index in range(len(CASES))]
    assert len(found) == scrapes
    return Played(found, rows, history, started)


@pytest.mark.parametrize("index", range(len(CASES)), ids=[case.id for case in CASES])
def test_what_is_sent_is_what_the_rule_says(index: int, played: Played) -> None:
    around = rules.Around(round(INTERVAL_S * SECOND), CRITICAL, played.started)
    assert many.compare(CASES[index], around, played.scrapes, played.rows[index]) == []
    assert many.falls(played.rows[index]) == []


def test_the_history_is_hard_enough(played: Played) -> None:
    """Pids were used again, names changed, criticals came and went: else the comparisons would prove little."""
    assert played.history.reused > 10
    assert played.history.renamed > 10
    kept = [set(brute.criticals(scrape, CRITICAL)) for scrape in played.scrapes]
    assert all(kept)
    assert set.union(*kept) != set.intersection(*kept)
    assert all(any(rules.kernel(one) for one in scrape.attributes.values()) for scrape in played.scrapes)
