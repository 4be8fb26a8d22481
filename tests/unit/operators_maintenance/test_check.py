"""Asking the operators for a sign of life."""

from __future__ import annotations

import asyncio

import pytest

from chalicelib.domain.errors import Unavailable
from operators.engine.objects import Key
from operators.runtime.check import LOOKS, NAME, PIPELINE, answered
from tests.fakes.kubernetes import FakeCluster

KEY = Key("default", NAME)
READY = {"type": "Ready", "status": "True", "reason": "NoNodes"}


def test_an_operator_that_says_how_it_stands_answers_and_nothing_is_left() -> None:
    cluster = FakeCluster()
    looks = []

    async def operator(seconds: float) -> None:
        looks.append(seconds)
        if len(looks) == 3:
            cluster.edit(
                PIPELINE, KEY, lambda thing: thing.update(status={"observedGeneration": 1, "conditions": [READY]})
            )

    assert asyncio.run(answered(cluster, "default", operator)) == "the operators answer: Ready True (NoNodes)"
    assert len(looks) == 3
    assert cluster.names(PIPELINE) == []


def test_silence_is_told_and_nothing_is_left() -> None:
    cluster = FakeCluster()

    async def nobody(seconds: float) -> None:
        return

    with pytest.raises(Unavailable) as told:
        asyncio.run(answered(cluster, "default", nobody))
    assert f"within {LOOKS} s" in told.value.detail
    assert cluster.names(PIPELINE) == []


def test_one_that_somebody_deletes_is_no_answer() -> None:
    cluster = FakeCluster()

    async def somebody(seconds: float) -> None:
        cluster.remove(PIPELINE, KEY)

    with pytest.raises(Unavailable, match="somebody else"):
        asyncio.run(answered(cluster, "default", somebody))
