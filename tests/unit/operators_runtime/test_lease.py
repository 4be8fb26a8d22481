"""Who of two replicas works: takeover after a death, at once after an orderly end, never both by their own clocks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from chalicelib.domain.errors import Unavailable
from operators.engine.objects import LEASE, Key
from operators.runtime.lease import DURATION_S, NAME, RENEW_WITHIN_S, RETRY_S, Elector, Lost
from tests.fakes.kubernetes import FakeCluster

KEY = Key("phoenix", NAME)


class Replicas:
    """Two electors over one cluster, and a clock that a test moves."""

    def __init__(self) -> None:
        self.cluster = FakeCluster()
        self.time = 1000.0
        self.leading: list[str] = []
        self._wakes: dict[str, asyncio.Event] = {}
        self.clients = {name: self.cluster.as_manager(f"phoenix-operator-{name}") for name in "ab"}
        for client in self.clients.values():
            client.refuse = lambda verb, kind, key: None
        self.electors = {name: self._elector(name) for name in "ab"}
        self.tasks: dict[str, asyncio.Task[None]] = {}

    def _elector(self, name: str) -> Elector:
        async def close() -> None: ...

        async def sleep(seconds: float) -> None:
            await self._wakes.setdefault(name, asyncio.Event()).wait()
            self._wakes[name].clear()

        return Elector(
            self.clients[name], close, KEY.namespace, name, lambda: self.time, sleep=sleep, time=lambda: self.time
        )

    async def start(self, name: str) -> None:
        self.tasks[name] = asyncio.create_task(self.electors[name].run(lambda leading: self.leading.append(name)))
        await settle()

    async def tick(self, *names: str, seconds: float = RETRY_S) -> None:
        """Time goes on, and these replicas look."""
        self.time += seconds
        for name in names:
            self._wakes.setdefault(name, asyncio.Event()).set()
            await settle()

    async def die(self, name: str) -> None:
        self.tasks[name].cancel()
        await settle()

    async def end(self) -> None:
        for task in self.tasks.values():
            task.cancel()
        await asyncio.gather(*self.tasks.values(), return_exceptions=True)


async def settle() -> None:
    for _ in range(50):
        await asyncio.sleep(0)


def story(tell: Callable[[Replicas], object]) -> None:
    async def run() -> None:
        replicas = Replicas()
        try:
            await tell(replicas)  # type: ignore[misc]
        finally:
            await replicas.end()

    asyncio.run(run())


def test_the_first_works_and_the_second_waits_as_long_as_the_first_renews() -> None:
    async def tell(two: Replicas) -> None:
        await two.start("a")
        await two.start("b")
        for _ in range(20):
            await two.tick("a", "b")
        assert two.leading == ["a"]

    story(tell)


def test_after_a_death_the_other_works_once_the_lease_is_old_by_its_own_clock() -> None:
    async def tell(two: Replicas) -> None:
        await two.start("a")
        await two.start("b")
        await two.die("a")
        waited = 0.0
        while two.leading == ["a"]:
            await two.tick("b")
            waited += RETRY_S
        assert two.leading == ["a", "b"]
        assert DURATION_S <= waited <= DURATION_S + 2 * RETRY_S

    story(tell)


def test_after_an_orderly_end_the_other_works_at_once() -> None:
    async def tell(two: Replicas) -> None:
        await two.start("a")
        await two.start("b")
        await two.die("a")
        await two.electors["a"].release()
        await two.tick("b")
        assert two.leading == ["a", "b"]

    story(tell)


def test_who_cannot_renew_ends_itself_before_another_may_work() -> None:
    async def tell(two: Replicas) -> None:
        await two.start("a")
        two.clients["a"].refuse = lambda verb, kind, key: Unavailable("the API server is away")
        waited = 0.0
        while not two.tasks["a"].done():
            await two.tick("a")
            waited += RETRY_S
        with pytest.raises(Lost):
            two.tasks["a"].result()
        assert RENEW_WITHIN_S <= waited < DURATION_S

    story(tell)


def test_a_lease_that_another_took_is_lost() -> None:
    async def tell(two: Replicas) -> None:
        await two.start("a")
        two.cluster.edit(LEASE, KEY, lambda one: one["spec"].update(holderIdentity="b"))
        await two.tick("a")
        with pytest.raises(Lost, match="another replica"):
            two.tasks["a"].result()

    story(tell)


def test_two_that_start_together_do_not_both_work() -> None:
    async def tell(two: Replicas) -> None:
        await asyncio.gather(two.start("a"), two.start("b"))
        await two.tick("a", "b")
        assert len(two.leading) == 1

    story(tell)


def test_a_restart_under_the_same_name_takes_its_own_lease_back() -> None:
    async def tell(two: Replicas) -> None:
        await two.start("a")
        await two.die("a")
        two.electors["a"] = two._elector("a")
        await two.start("a")
        assert two.leading == ["a", "a"]

    story(tell)
