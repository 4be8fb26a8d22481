"""Whatever ends, fails or is asked next: a slot has one process at most, `count` is a hard limit, and the population
that is wanted comes about. Hypothesis plays the spawner and everyone else who kills processes."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain.load import LoadSpec
from loadsim.population.keeper import FAILURES_ALLOWED, End, Keeper, Start
from loadsim.population.process_spec import COMM_LENGTH, MAX_COMMAND_LINE, ProcessSpec
from loadsim.population.stages import Population, populations

TEMPLATES = st.sampled_from(["phx-a-{n}", "phx-{code}", "phx-{word}-{n}", "phx-job"])
GROUPS = st.fixed_dictionaries(
    {
        "nameTemplate": TEMPLATES,
        "count": st.integers(1, 12),
        "memPattern": st.sampled_from(["steady", "growing", "random"]),
        "lifetime": st.sampled_from([None, 3.0, 10.0]),
        "critical": st.booleans(),
    }
)


def stage(name: str) -> st.SearchStrategy[dict[str, Any]]:
    churn = {"profile": st.just("process-churn"), "count": st.integers(30, 60), "startsPerSecond": st.floats(0.5, 10)}
    other = {"profile": st.sampled_from(["high-cardinality", "realistic"]), "count": st.integers(20, 60)}
    made = st.one_of(st.fixed_dictionaries(churn), st.fixed_dictionaries(other))
    groups = st.lists(GROUPS, max_size=2).map(tuple)
    return st.tuples(made, groups).map(
        lambda both: (
            {"name": name, "lasts": 10, **both[0], "groups": both[1]}
            | {"count": both[0]["count"] + sum(group["count"] for group in both[1])}
        )
    )


LOADS = st.tuples(stage("a"), stage("b"), stage("c"), st.integers(0, 4), st.integers(0, 2**32 - 1)).map(
    lambda made: LoadSpec.model_validate(
        {"profile": "stages", "stages": made[:3], "critical": made[3], "seed": made[4], "durationS": 60}
    )
)


class World:
    """The spawner as the keeper hears of it; it breaks the test when it is asked for what must never be asked."""

    def __init__(self, first: Population, most: int) -> None:
        self.keeper = Keeper(first.specs, first.stage.restarts_per_minute, 1)
        self.most, self.pid, self.now = most, 0, 0.0
        self.alive: dict[int, int] = {}
        self.starting: list[int] = []

    def step(self, seconds: float) -> None:
        self.now += seconds
        for action in self.keeper.decide(self.now):
            if isinstance(action, Start):
                assert action.slot not in self.alive, "two processes in a slot"
                assert action.slot not in self.starting, "two processes in a slot"
                self.starting.append(action.slot)
            else:
                assert isinstance(action, End)
                self.down(action.slot)
        assert len(self.alive) + len(self.starting) == self.keeper.occupied <= self.most

    def down(self, slot: int) -> None:
        del self.alive[slot]
        self.keeper.down(slot, self.now)

    def up_all(self) -> None:
        for slot in self.starting:
            self.pid += 1
            self.alive[slot] = self.pid
            self.keeper.up(slot, self.pid)
        self.starting.clear()


@settings(max_examples=15, deadline=None)
@given(spec=LOADS, data=st.data())
def test_a_population_comes_about_within_its_limit_whatever_happens(spec: LoadSpec, data: st.DataObject) -> None:
    stages = populations(spec)
    world = World(stages[0], spec.count)
    for population in stages:
        world.keeper.become(population.specs, population.stage.restarts_per_minute)
        for what in data.draw(st.lists(st.sampled_from(["wait", "up", "kill", "fail"]), max_size=12)):
            world.step(data.draw(st.floats(0, 3)))
            if what == "up":
                world.up_all()
            elif what == "kill" and world.alive:
                world.down(data.draw(st.sampled_from(sorted(world.alive))))
            elif what == "fail" and world.starting and world.keeper.failures < FAILURES_ALLOWED:
                world.keeper.failed(world.starting.pop(), "fork", world.now)
    wanted = {process.slot for process in stages[-1].specs}
    for _ in range(12):
        world.step(0.6)
        world.up_all()
    assert world.keeper.complete  # all of it was alive at once
    assert world.alive.keys() <= wanted


@settings(max_examples=15, deadline=None)
@given(spec=LOADS)
def test_the_seed_says_all_and_every_process_can_be_what_it_is_called(spec: LoadSpec) -> None:
    assert populations(spec) == populations(spec)
    for population in populations(spec):
        assert len(population.specs) == population.stage.count <= spec.count
        for process in population.specs:
            _can_be(process)


def _can_be(process: ProcessSpec) -> None:
    assert process.name.startswith("phx-")
    assert len(process.name) <= COMM_LENGTH
    assert process.argv[0].rpartition("/")[2] == process.name
    assert len("\0".join(process.argv)) + 1 <= MAX_COMMAND_LINE


@settings(max_examples=10, deadline=None)
@given(rate=st.floats(1, 30), count=st.integers(20, 200), tick=st.floats(0.05, 0.4))
def test_churn_keeps_the_asked_rate_to_the_process_and_every_job_its_turn(rate: float, count: int, tick: float) -> None:
    spec = LoadSpec.model_validate(
        {"profile": "process-churn", "count": count, "startsPerSecond": min(rate, count / 2)}
    )
    (population,) = populations(spec)
    world = World(population, count)
    world.step(0.0)
    world.up_all()
    world.step(0.0)
    begin = world.keeper.spawned
    while world.now < 30.0:
        world.step(tick)
        world.step(0.0)  # the ends are known at once
        world.up_all()
    expected = spec.starts_per_second * world.now
    assert abs(world.keeper.spawned - begin - expected) <= 2 + spec.starts_per_second * 2 * tick
    assert world.keeper.ended == world.keeper.spawned - len(world.alive)
    lives = world.keeper.lives.values()
    assert max(lives) - min(lives) <= 1
