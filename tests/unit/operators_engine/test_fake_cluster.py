"""The fake cluster keeps the contract that the real client keeps (tests/kubernetes has that half)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from tests.fakes.kubernetes import FakeCluster
from tests.fakes.kubernetes_contract import RULES, Both, two_managers_conflict_unless_forced


def test_the_fake_cluster_of_two_managers() -> None:
    fake = FakeCluster()
    asyncio.run(two_managers_conflict_unless_forced(fake, fake.as_manager("another"), "default"))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_fake_cluster(rule: Callable[[Both, str], Awaitable[None]]) -> None:
    asyncio.run(rule(FakeCluster(), "default"))
