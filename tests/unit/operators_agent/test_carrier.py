"""The agent's loop: what brings an exchange forward, what is done when the control plane is away, refuses or errs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from chalicelib.domain.errors import Conflict, NotAllowed, PhoenixError, Unavailable
from chalicelib.domain.kubernetes.exchange import ClusterSeen
from chalicelib.domain.kubernetes.packing import PackedSeen
from operators.agent.carrier import LONGEST_S, Carrier, Who, away_wait
from operators.agent.orders import LOAD, PIPELINE
from operators.agent.view import WATCHED
from operators.engine.caches import Caches
from operators.engine.objects import NODE, Key, Kind, key_of
from tests.fakes.kubernetes import FakeCluster, fill
from tests.unit.operators_agent.made import NAMESPACE, node, orders, pipeline

GENEROUS_S = 60.0
SOONEST_S = 0.05


class Answers:
    """A control plane: answers with what it was told last, or raises it."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.said: list[ClusterSeen] = []
        self.paths: list[str] = []
        self.news = asyncio.Event()

    async def ask(self, method: str, path: str, body: Any = None, query: dict[str, str] | None = None) -> Any:
        self.paths.append(f"{method} {path}")
        self.said.append(PackedSeen.model_validate(body).seen)
        self.news.set()
        if isinstance(self.answer, PhoenixError):
            raise self.answer
        return self.answer.model_dump(mode="json", by_alias=True) if hasattr(self.answer, "model_dump") else self.answer


class Room:
    """A carrier between a cluster in memory and a control plane."""

    def __init__(self, answer: Any, *things: dict[str, Any]) -> None:
        self.cluster, self.caches, self.answers = FakeCluster(), Caches(WATCHED), Answers(answer)
        for thing in things:
            kind = {one.kind: one for one in (NODE, PIPELINE, LOAD)}[thing["kind"]]
            self.cluster.put(kind, thing)
        who = Who("prod", NAMESPACE, "0.1.0", "phoenix/collector:1")
        self.carrier = Carrier(self.cluster, self.caches, self.answers, who, chance=lambda: 0.0, soonest_s=SOONEST_S)

    async def tell(self, kind: Kind, thing: dict[str, Any]) -> None:
        """The watch says that an object is so now."""
        stored = self.cluster.put(kind, thing)
        for cache in self.caches:
            if cache.watched.kind == kind:
                cache.changed(stored)
        await self.carrier(key_of(stored))

    async def exchanges(self, number: int) -> None:
        """Until there were so many."""
        while len(self.answers.said) < number:
            self.answers.news.clear()
            await asyncio.wait_for(self.answers.news.wait(), GENEROUS_S)
        await asyncio.sleep(0.05)  # what the answer asks for is done

    def during(self, story: Callable[[Room], Awaitable[None]]) -> None:
        """Run the loop for the length of a story."""

        async def run() -> None:
            for cache in self.caches:
                fill(cache, *await self.cluster.list_at(cache.watched.kind, "", ""))
            looping = asyncio.create_task(self.carrier.run())
            try:
                await story(self)
            finally:
                looping.cancel()
                await asyncio.gather(looping, return_exceptions=True)

        asyncio.run(run())


def test_all_is_said_and_orders_are_carried_out() -> None:
    async def story(room: Room) -> None:
        await room.exchanges(1)
        assert room.cluster.names(PIPELINE) == ["fresh", "mine"]

    room = Room(orders("fresh", again=3600), node(), pipeline("old"), pipeline("mine", ours=False))
    room.during(story)
    (said,) = room.answers.said
    assert room.answers.paths == ["POST /api/v1/clusters/prod/exchange"]
    assert [(one.name, one.ready, one.cpu_count, one.memory_bytes) for one in said.nodes] == [
        ("n1", True, 4, 16 * 2**30)
    ]
    assert [one.name for one in said.pipelines] == ["old"]
    assert (said.operator_version, said.kubernetes_version, said.collector_image) == (
        "0.1.0",
        "v1.34.2",
        "phoenix/collector:1",
    )


def test_a_changed_status_of_ours_is_said_long_before_it_is_time_and_a_heartbeat_is_not() -> None:
    async def story(room: Room) -> None:
        await room.exchanges(1)
        await room.tell(NODE, node(beat="b"))
        await room.tell(PIPELINE, pipeline("mine", ours=False, readyNodes=1))
        await asyncio.sleep(10 * SOONEST_S)
        assert len(room.answers.said) == 1
        await room.tell(PIPELINE, pipeline("a", readyNodes=1))
        await room.exchanges(2)
        assert room.answers.said[1].pipelines[0].status.ready_nodes == 1
        await room.tell(NODE, node(ready=False))
        await room.exchanges(3)
        assert not room.answers.said[2].nodes[0].ready

    Room(orders("a", again=3600), node(), pipeline("a"), pipeline("mine", ours=False)).during(story)


@pytest.mark.parametrize(
    "trouble", [Unavailable("away"), NotAllowed("revoked"), Conflict("push mode"), {}, {"pipelines": []}, "<html>"]
)
def test_away_refused_or_nonsense_deletes_nothing_and_the_next_exchange_says_everything(trouble: Any) -> None:
    async def story(room: Room) -> None:
        await room.exchanges(2)
        assert room.cluster.names(PIPELINE) == ["a", "b"]
        assert room.cluster.writes == 0
        room.answers.answer = orders("a", again=3600)
        await room.exchanges(len(room.answers.said) + 1)
        assert room.cluster.names(PIPELINE) == ["a"]
        assert [one.name for one in room.answers.said[-1].pipelines] == ["a", "b"]

    Room(trouble, node(), pipeline("a"), pipeline("b")).during(story)


def test_an_order_that_fails_hinders_no_other_and_is_tried_again() -> None:
    async def story(room: Room) -> None:
        room.cluster.refuse = lambda verb, kind, key: (
            Unavailable("busy") if verb == "patch" and key == Key(NAMESPACE, "a") else None
        )
        await room.exchanges(1)
        assert room.cluster.names(PIPELINE) == ["b"]
        room.cluster.refuse = lambda verb, kind, key: None
        await room.exchanges(2)
        assert room.cluster.names(PIPELINE) == ["a", "b"]

    Room(orders("a", "b", again=3600), node()).during(story)


def test_a_name_that_somebody_has_is_told_once() -> None:
    async def story(room: Room) -> None:
        await room.exchanges(3)
        assert [reason for reason, _, _ in room.cluster.events] == ["NameTaken"]
        assert room.cluster.writes == 0

    Room(orders("a", again=1), node(), pipeline("a", ours=False)).during(story)


def test_waits_grow_to_a_minute_and_differ_by_chance() -> None:
    assert [away_wait(number, 1.0) for number in (1, 2, 3)] == [2.0, 4.0, 8.0]
    assert away_wait(50, 1.0) == LONGEST_S
    assert away_wait(50, 0.0) == LONGEST_S / 2
