"""Queue messages that come twice, late and in any order, to two steppers at once of which one's clock is wrong: every
story ends as it does in calm weather, each transition once.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from chalicelib.bootstrap import Outside, build
from chalicelib.jobs.step import Step
from chalicelib.jobs.tick import Tick
from chalicelib.ports.clock import Clock
from chalicelib.ports.queue import Work
from chalicelib.repositories.records import Records
from tests.functional.control_plane.weather.test_crashes import STORIES, Story, end_of
from tests.functional.control_plane.world import World, catalog

TWICE, BOTH_AT_ONCE = 0.2, 0.1
DELAYS = (0, 0, 0, 0, 1, 2, 5)
"""Ticks that a message is under way."""
SKEW_S = 2.0
"""Two scrapes of these stories. By a clock that is wrong by as much as an experiment lasts, its data is missing: the
verdict is then insufficient_data, which is safe, and not the one of calm weather."""


class Skewed:
    """A `Clock` that is wrong by so many seconds."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        self._clock, self._seconds = clock, seconds

    def now(self) -> float:
        return self._clock.now() + self._seconds


class Weather:
    """A `WorkQueue` that does what an at-least-once queue may."""

    def __init__(self, seed: int, steppers: Sequence[Step]) -> None:
        self._chance, self._steppers = random.Random(seed), steppers
        self._under_way: list[tuple[int, Sequence[Work]]] = []
        self._tick = 0

    def send(self, batches: Sequence[Sequence[Work]]) -> None:
        for batch in batches:
            for _ in range(2 if self._chance.random() < TWICE else 1):
                self._under_way.append((self._tick + self._chance.choice(DELAYS), batch))

    def deliver(self) -> None:
        """What is due, in any order, to anyone, now and then to both at once."""
        self._tick += 1
        due = [batch for when, batch in self._under_way if when < self._tick]
        self._under_way = [one for one in self._under_way if one[0] >= self._tick]
        self._chance.shuffle(due)
        for batch in due:
            if self._chance.random() < BOTH_AT_ONCE:
                threads = [threading.Thread(target=step, args=(batch,)) for step in self._steppers]
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join(60)
            else:
                self._chance.choice(self._steppers)(batch)


class Stormy(World):
    """A world whose ticks go through such a queue."""

    seed = 0

    def start(self, store: Any = None) -> None:
        super().start(store)
        skewed = Skewed(self.clock, SKEW_S if self.seed % 2 else -SKEW_S)
        other = build(self.settings, Outside(skewed, self.entropy, store, catalog(), self.validator))
        weather = Weather(self.seed, (self.control_plane.step, other.step))
        tick = Tick(Records(store), weather)

        def ticked() -> int:
            found = tick()
            weather.deliver()
            return found

        self.control_plane = replace(self.control_plane, tick=ticked)  # type: ignore[arg-type]


@pytest.fixture
def worlds(tmp_path: Path) -> Iterator[list[World]]:
    made: list[World] = []
    yield made
    for world in made:
        world.close()


def _end(world: World, story: Story, made: list[World]) -> dict[str, Any]:
    made.append(world)
    world.deployed(world.host("h1"))
    story(world)
    world.until("nothing is active", lambda: world.control_plane.tick() == 0, 120)
    return end_of(world)


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("story", STORIES)
def test_a_story_ends_as_in_calm_weather(story: Story, seed: int, worlds: list[World], tmp_path: Path) -> None:
    calm = _end(World(tmp_path, memory=True), story, worlds)
    stormy_world = type("Stormy", (Stormy,), {"seed": seed})(tmp_path, memory=True)
    assert _end(stormy_world, story, worlds) == calm
    events = stormy_world.experiment()["events"]
    assert len({(event["state"], event["cause"]) for event in events}) == len(events), stormy_world.story()
