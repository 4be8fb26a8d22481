"""Resting workers: each call wakes one, nobody is forgotten, and a time wakes one as well."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from operators.engine.resting import Resting


async def workers(resting: Resting, count: int, story: Callable[[list[int]], Awaitable[None]]) -> None:
    woken: list[int] = []

    async def rest(number: int) -> None:
        await resting.rest()
        woken.append(number)

    tasks = [asyncio.create_task(rest(number)) for number in range(count)]
    await asyncio.sleep(0)
    try:
        await story(woken)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def test_each_call_wakes_one_and_the_last_wakes_all() -> None:
    resting = Resting()

    async def story(woken: list[int]) -> None:
        resting.wake_one()
        await settle()
        assert woken == [0]
        resting.wake_one()
        resting.wake_one()
        await settle()
        assert woken == [0, 1, 2]
        resting.wake_all()
        await settle()
        assert woken == [0, 1, 2, 3, 4]
        resting.wake_one()

    asyncio.run(workers(resting, 5, story))


def test_one_who_was_cancelled_takes_nobodys_turn() -> None:
    async def story() -> None:
        resting = Resting()
        gone = asyncio.create_task(resting.rest())
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.gather(gone, return_exceptions=True)
        there = asyncio.create_task(resting.rest())
        await asyncio.sleep(0)
        resting.wake_one()
        await asyncio.wait_for(there, 30)

    asyncio.run(story())


def test_a_time_wakes_one_and_only_the_last_that_was_asked_for_counts() -> None:
    resting = Resting()

    async def story(woken: list[int]) -> None:
        loop = asyncio.get_running_loop()
        resting.wake_one_at(loop.time() + 0.01)
        resting.wake_one_at(loop.time() + 3600)
        await asyncio.sleep(0.05)
        assert woken == []
        resting.wake_one_at(loop.time() + 0.01)
        async with asyncio.timeout(30):
            while not woken:
                await asyncio.sleep(0.01)
        assert woken == [0]
        resting.wake_one_at(loop.time() + 0.01)
        resting.wake_one_at(None)
        await asyncio.sleep(0.05)
        assert woken == [0]

    asyncio.run(workers(resting, 3, story))
