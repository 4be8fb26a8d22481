"""The fake cluster keeps the contract of the real one (tests/kubernetes/test_cluster_api.py)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.fakes import cluster_api_contract as contract
from tests.fakes.clock import SettableClock
from tests.fakes.kubernetes_cluster import FakeCluster


@pytest.fixture
def api() -> FakeCluster:
    return FakeCluster(SettableClock().now)


def until(what: str, condition: Callable[[], bool]) -> None:
    assert condition(), what


def test_it_answers(api: FakeCluster) -> None:
    contract.says_its_version_and_that_everything_is_allowed(api)
    contract.sees_its_nodes(api, "node-1")


def test_orders_are_kept(api: FakeCluster) -> None:
    contract.keeps_what_is_ordered_and_changes_nothing_without_cause(api, "node-1")
    contract.deletes_what_is_not_named(api, "node-1", until)
    contract.carries_loads_and_stops_them(api, "node-1", until)
