"""Engines for the contract suites: every test that takes `store` runs on each of them.

A missing engine is an error, never a skip.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from chalicelib.adapters.items.dynamodb import DynamoItemStore
from chalicelib.adapters.items.sqlite import SqliteItemStore
from tests.engines import dynoxide
from tests.fakes.items import MemoryItemStore

_prefixes = itertools.count(1)


@dataclass
class SetClock:
    """A clock that stands still until a test moves it. Unix seconds."""

    time: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture(scope="session")
def dynoxide_endpoint() -> Iterator[str]:
    """One server in memory for the whole session; tests keep apart by the prefix of their tables."""
    with dynoxide.running(dynoxide.resolve(os.environ)) as server:
        yield server.endpoint


@pytest.fixture
def make_dynamo(dynoxide_endpoint: str) -> Iterator[Callable[..., DynamoItemStore]]:
    """A store on fresh tables of dynoxide."""
    made: list[DynamoItemStore] = []

    def make(now: Callable[[], float], **options: Any) -> DynamoItemStore:
        store = DynamoItemStore(now, endpoint=dynoxide_endpoint, prefix=f"t{next(_prefixes)}-", **options)
        store.create_tables()
        made.append(store)
        return store

    yield make
    for store in made:
        store.close()


@pytest.fixture(params=["memory", "sqlite", "dynamodb"])
def store(request: pytest.FixtureRequest, clock: SetClock, tmp_path: Path) -> Iterator[Any]:
    """The item store, empty, on one engine after the other."""
    if request.param == "dynamodb":
        yield request.getfixturevalue("make_dynamo")(clock)
        return
    made = MemoryItemStore(clock) if request.param == "memory" else SqliteItemStore(tmp_path / "items.sqlite", clock)
    yield made
    made.close()
