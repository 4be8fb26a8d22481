"""Putting the definitions into a cluster."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from chalicelib.domain.errors import Unavailable
from operators.engine.objects import Key
from operators.runtime.definitions import DEFINITION, LOOKS, apply_definitions
from tests.fakes.kubernetes import FakeCluster

NAMES = ["experiments.phoenix.io", "loadsimulationjobs.phoenix.io", "phoenixprocesspipelines.phoenix.io"]


def served(thing: dict[str, Any]) -> None:
    thing["status"] = {
        "conditions": [{"type": "NamesAccepted", "status": "True"}, {"type": "Established", "status": "True"}]
    }


def test_each_is_applied_and_waited_for() -> None:
    cluster = FakeCluster()
    waits = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        for name in cluster.names(DEFINITION):
            cluster.edit(DEFINITION, Key("", name), served)

    assert sorted(asyncio.run(apply_definitions(cluster, sleep))) == NAMES
    assert waits == [1.0, 1.0, 1.0]
    assert sorted(asyncio.run(apply_definitions(cluster, sleep))) == NAMES
    assert len(waits) == 3


def test_one_that_is_not_served_is_told_in_the_servers_words() -> None:
    cluster = FakeCluster()
    taken = {"type": "NamesAccepted", "status": "False", "message": '"ppp" is already in use'}

    async def sleep(seconds: float) -> None:
        for name in cluster.names(DEFINITION):
            cluster.edit(DEFINITION, Key("", name), lambda thing: thing.update(status={"conditions": [taken]}))

    with pytest.raises(Unavailable) as told:
        asyncio.run(apply_definitions(cluster, sleep))
    assert "already in use" in told.value.detail
    assert len(cluster.asked("get")) == LOOKS
