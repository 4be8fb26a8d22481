"""The loop over the fake cluster: the barrier, waking, deadlines, failures, leadership, a stop without loss."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from chalicelib.domain.errors import Unavailable
from operators.engine.caches import Caches
from operators.engine.loop import Engine
from operators.engine.objects import CONFIG_MAP, DAEMON_SET, Key
from operators.engine.reconciler import Controller, Watched
from tests.fakes.kubernetes import FakeCluster

OWNER = "phoenix.io/owner"
WATCHED = (Watched(CONFIG_MAP), Watched(DAEMON_SET, OWNER, OWNER))
DEADLINE_S = 60.0


def owner(name: str, **data: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": "n"}, "data": data}


def child(name: str, of: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": "n", "labels": {OWNER: of}}}


class Recorder:
    """An Observer that counts."""

    def __init__(self) -> None:
        self.outcomes: list[str] = []

    def reconciled(self, controller: str, outcome: str, seconds: float) -> None:
        self.outcomes.append(outcome)


class World:
    """A fake cluster, a loop over it, and whom it reconciled."""

    def __init__(self, act: Callable[[Key], Awaitable[float | None]] | None = None, workers: int = 3) -> None:
        self.cluster = FakeCluster()
        self.seen: list[str] = []
        self.act = act
        self.recorder = Recorder()
        self.caches = Caches(WATCHED)
        controllers = [Controller("owners", self._reconcile, WATCHED)]
        self.engine = Engine(self.cluster, controllers, self.caches, self.recorder, chance=lambda: 0.0, workers=workers)

    async def _reconcile(self, key: Key) -> float | None:
        self.seen.append(key.name)
        return await self.act(key) if self.act else None


@asynccontextmanager
async def running(world: World, *, leading: bool = True) -> AsyncIterator[asyncio.Task[None]]:
    world.engine.lead(leading)
    task = asyncio.create_task(world.engine.run())
    try:
        yield task
    finally:
        await world.engine.stop(task)


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not true():
            await asyncio.sleep(0.005)


async def quiet() -> None:
    """As many turns of the event loop as anything that is under way takes."""
    for _ in range(200):
        await asyncio.sleep(0)


def run(story: Coroutine[Any, Any, None]) -> None:
    asyncio.run(story)


def test_nothing_is_reconciled_before_every_kind_was_listed() -> None:
    async def story() -> None:
        world = World()
        world.cluster.put(CONFIG_MAP, owner("a"))
        closed = True
        world.cluster.refuse = lambda verb, kind, key: (
            Unavailable("away") if closed and verb == "list" and kind == DAEMON_SET else None
        )
        async with running(world):
            await until(lambda: ("list", "daemonsets") in world.cluster.asked("list"))
            await quiet()
            assert world.seen == []
            closed = False
            await until(lambda: world.seen == ["a"])

    run(story())


def test_a_change_of_the_object_or_of_what_it_owns_wakes_it() -> None:
    async def story() -> None:
        world = World()
        world.cluster.put(CONFIG_MAP, owner("a"))
        world.cluster.put(DAEMON_SET, child("a-child", "a"))
        async with running(world):
            await until(lambda: world.seen == ["a"])
            world.cluster.edit(DAEMON_SET, Key("n", "a-child"), lambda one: one.update(status={"x": 1}))
            await until(lambda: world.seen == ["a"] * 2)
            world.cluster.remove(DAEMON_SET, Key("n", "a-child"))
            await until(lambda: world.seen == ["a"] * 3)
            world.cluster.remove(CONFIG_MAP, Key("n", "a"))
            await until(lambda: world.seen == ["a"] * 4)
            assert world.caches.get(CONFIG_MAP, Key("n", "a")) is None

    run(story())


def test_one_key_is_never_reconciled_twice_at_once_and_changes_meanwhile_are_not_lost() -> None:
    async def story() -> None:
        under_way, most = 0, 0
        gate = asyncio.Event()

        async def act(key: Key) -> None:
            nonlocal under_way, most
            under_way += 1
            most = max(most, under_way)
            await gate.wait()
            under_way -= 1

        world = World(act)
        world.cluster.put(CONFIG_MAP, owner("a"))
        async with running(world):
            await until(lambda: under_way == 1)
            for number in range(5):
                world.cluster.put(CONFIG_MAP, owner("a", number=str(number)))
            await quiet()
            gate.set()
            await until(lambda: len(world.seen) == 2 and under_way == 0)
            await quiet()
        assert (len(world.seen), most) == (2, 1)

    run(story())


def test_many_keys_are_worked_on_side_by_side() -> None:
    async def story() -> None:
        under_way: set[str] = set()
        gate = asyncio.Event()

        async def act(key: Key) -> None:
            under_way.add(key.name)
            await gate.wait()

        world = World(act, workers=3)
        for name in "abcdef":
            world.cluster.put(CONFIG_MAP, owner(name))
        async with running(world):
            await until(lambda: len(under_way) == 3)
            await quiet()
            assert len(under_way) == 3
            assert world.engine.depth() == 3
            gate.set()
            await until(lambda: len(under_way) == 6)

    run(story())


def test_a_reconcile_that_asks_for_it_is_repeated_without_a_change() -> None:
    async def story() -> None:
        async def act(key: Key) -> float | None:
            return 0.01 if len(world.seen) < 4 else None

        world = World(act)
        world.cluster.put(CONFIG_MAP, owner("a"))
        async with running(world):
            await until(lambda: len(world.seen) == 4)
            await quiet()
            assert len(world.seen) == 4

    run(story())


def test_a_failure_is_tried_again_and_stops_nobody_else() -> None:
    async def story() -> None:
        async def act(key: Key) -> None:
            if key.name == "bad" and world.seen.count("bad") == 1:
                raise Unavailable("away")
            if key.name == "bad" and world.seen.count("bad") == 2:
                raise RuntimeError("a mistake")

        world = World(act, workers=1)
        world.cluster.put(CONFIG_MAP, owner("bad"))
        world.cluster.put(CONFIG_MAP, owner("good"))
        async with running(world):
            await until(lambda: world.seen.count("bad") == 3)
        assert "good" in world.seen
        assert sorted(world.recorder.outcomes) == ["broken", "done", "done", "failed"]

    run(story())


def test_a_watch_that_ends_goes_on_where_it_was_and_a_forgotten_one_lists_again() -> None:
    async def story() -> None:
        world = World()
        world.cluster.put(CONFIG_MAP, owner("a"))
        async with running(world):
            await until(lambda: world.seen == ["a"])
            lists = len(world.cluster.asked("list"))
            await until(lambda: len(world.cluster.asked("watch")) == 2)
            world.cluster.cut()
            world.cluster.put(CONFIG_MAP, owner("b"))
            await until(lambda: world.seen == ["a", "b"])
            assert len(world.cluster.asked("list")) == lists
            await until(lambda: len(world.cluster.asked("watch")) == 4)
            world.cluster.remove(CONFIG_MAP, Key("n", "b"))
            world.cluster.cut(forget=True)
            await until(lambda: len(world.cluster.asked("list")) > lists)
            await until(lambda: world.caches.keys(CONFIG_MAP) == [Key("n", "a")])

    run(story())


def test_workers_wait_until_they_lead_with_warm_caches() -> None:
    async def story() -> None:
        world = World()
        world.cluster.put(CONFIG_MAP, owner("a"))
        async with running(world, leading=False):
            await asyncio.wait_for(world.engine.synced.wait(), DEADLINE_S)
            await quiet()
            assert world.seen == []
            assert world.caches.keys(CONFIG_MAP) == [Key("n", "a")]
            world.engine.lead(True)
            await until(lambda: world.seen == ["a"])
            world.engine.lead(False)
            await quiet()
            world.cluster.put(CONFIG_MAP, owner("b"))
            await quiet()
            assert world.seen == ["a"]

    run(story())


def test_a_stop_lets_end_what_is_under_way_and_begins_nothing() -> None:
    async def story() -> None:
        gate = asyncio.Event()
        ended = []

        async def act(key: Key) -> None:
            await gate.wait()
            ended.append(key.name)

        world = World(act, workers=1)
        world.cluster.put(CONFIG_MAP, owner("a"))
        world.cluster.put(CONFIG_MAP, owner("b"))
        world.engine.lead(True)
        task = asyncio.create_task(world.engine.run())
        await until(lambda: world.seen == ["a"])
        stopping = asyncio.create_task(world.engine.stop(task))
        await quiet()
        gate.set()
        await stopping
        assert (world.seen, ended) == (["a"], ["a"])
        assert task.done()

    run(story())


def test_a_stop_does_not_wait_for_ever() -> None:
    async def story() -> None:
        async def act(key: Key) -> None:
            await asyncio.sleep(3600)

        world = World(act)
        world.cluster.put(CONFIG_MAP, owner("a"))
        world.engine.lead(True)
        task = asyncio.create_task(world.engine.run())
        await until(lambda: world.seen == ["a"])
        await world.engine.stop(task, 0.01)
        assert task.done()

    run(story())


def test_a_stop_before_the_caches_are_filled_ends_too() -> None:
    async def story() -> None:
        world = World()
        world.cluster.refuse = lambda verb, kind, key: Unavailable("away")
        task = asyncio.create_task(world.engine.run())
        await until(lambda: len(world.cluster.requests) > 0)
        await world.engine.stop(task)
        assert task.done()
        assert world.seen == []

    run(story())
