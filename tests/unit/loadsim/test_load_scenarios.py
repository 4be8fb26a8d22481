"""Scenarios: stages in time, of populations that share what they can, never more processes than were asked."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from chalicelib.domain.load import DEFAULTS, SCENARIOS, LoadSpec, moment, stages_of
from loadsim.population.stages import populations

NAMED = [name for name in SCENARIOS if name != "stages"]


def scenario(name: str, **more: Any) -> LoadSpec:
    return LoadSpec.model_validate({"profile": name, **more})


OWN = [
    {"name": "calm", "lasts": "20s", "profile": "realistic", "count": 30},
    {"name": "storm", "lasts": "10s", "profile": "process-churn", "count": 60, "startsPerSecond": 5},
]


@pytest.mark.parametrize("name", NAMED)
@pytest.mark.parametrize("count", [16, 17, 40, 1000])
def test_no_stage_has_more_processes_than_were_asked_and_one_has_all(name: str, count: int) -> None:
    spec = scenario(name, count=count)
    stages = populations(spec)
    sizes = [len(one.specs) for one in stages]
    assert max(sizes) == count
    for one in stages:
        assert len(one.specs) == one.stage.count == len({process.slot for process in one.specs})
        assert [process.name for process in one.specs[: spec.critical]] == [
            f"phx-crit-{number:02d}" for number in range(1, spec.critical + 1)
        ]
        assert sum(process.role == "critical" for process in one.specs) == spec.critical
    assert stages == populations(spec)


@pytest.mark.parametrize("name", NAMED)
def test_critical_processes_live_through_all_stages(name: str) -> None:
    spec = scenario(name)
    first, *others = (one.specs[: spec.critical] for one in populations(spec))
    assert all(one == first for one in others)


def test_an_explosion_adds_to_what_is_there_and_its_end_takes_away() -> None:
    calm, growing, doubled, exploded, collapsed = (
        set(one.specs) for one in populations(scenario("cardinality-explosion"))
    )
    assert calm < growing < doubled < exploded
    assert collapsed == calm
    assert len(exploded) == 8 * len(calm) == 1000


def test_memory_pressure_is_some_that_grow_beside_those_that_stay() -> None:
    calm, pressure, relief = populations(scenario("memory-pressure"))
    hungry = set(pressure.specs) - set(calm.specs)
    assert set(calm.specs) < set(pressure.specs)
    assert relief.specs == calm.specs
    assert {(one.memory.kind, one.memory_bytes) for one in hungry} == {("growing", 32 * 1024**2)}
    assert pressure.memory_bytes > 4 * calm.memory_bytes


def test_chaos_has_a_storm_of_the_usual_rate() -> None:
    stages = {one.stage.name: one for one in populations(scenario("chaos"))}
    assert list(stages) == ["calm", "storm", "explosion", "pressure", "collapse"]
    assert stages["storm"].starts_per_second == DEFAULTS["process-churn"].starts_per_second


def test_stages_follow_each_other_and_begin_anew() -> None:
    stages = stages_of(scenario("stages", stages=OWN))
    seen = [
        (here.index, here.round, here.left_s) for here in (moment(stages, t) for t in (0, 19.5, 20, 29.5, 30, 59, 60))
    ]
    assert seen == [(0, 1, 20), (0, 1, 0.5), (1, 1, 10), (1, 1, 0.5), (0, 2, 20), (1, 2, 1), (0, 3, 20)]
    alone = moment(stages_of(scenario("steady-state")), 1e6)
    assert (alone.index, alone.round, alone.left_s) == (0, 1, None)


@pytest.mark.parametrize("name", NAMED)
def test_a_short_load_still_goes_through_every_stage(name: str) -> None:
    stages = stages_of(scenario(name, durationS="40s"))
    assert sum(stage.lasts for stage in stages) == pytest.approx(40)
    assert {moment(stages, t / 10).index for t in range(400)} == set(range(len(stages)))


def test_stages_of_one_s_own_say_how_many_processes_there_are_at_most() -> None:
    assert scenario("stages", stages=OWN).count == 60
    assert scenario("stages", stages=[{"name": "a", "lasts": "5s"}]).count == 1000


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"profile": "stages"}, "stages: profile stages needs at least one"),
        ({"profile": "realistic", "stages": OWN}, "no other profile has any"),
        ({"profile": "stages", "stages": OWN, "count": 59}, "stages/1: count 60 is more than the load's count 59"),
        ({"profile": "stages", "stages": OWN, "busy": 1}, "busy: each stage has its own"),
        ({"profile": "stages", "stages": OWN, "critical": 16}, "stages/0 (calm): busy 15 + critical 16 is more than"),
        (
            {"profile": "stages", "stages": OWN, "durationS": 29},
            "stages: they last 30s together, longer than durationS",
        ),
        ({"profile": "chaos", "count": 15}, "count: a scenario needs at least 16 processes"),
        ({"profile": "chaos", "count": 40, "busy": 19, "critical": 2}, "half of them neither busy nor critical"),
        ({"profile": "chaos", "startsPerSecond": 3}, "startsPerSecond: the stages of chaos have their own"),
    ],
)
def test_what_does_not_fit_is_said(given: dict[str, Any], words: str) -> None:
    shrunk = [{**OWN[0], "busy": 15}, OWN[1]] if "critical" in given and "stages" in given else given.get("stages", [])
    with pytest.raises(ValidationError) as caught:
        LoadSpec.model_validate({**given, **({"stages": shrunk} if shrunk else {})})
    assert words in str(caught.value)


@pytest.mark.parametrize("name", NAMED)
def test_a_request_survives_json(name: str) -> None:
    for spec in (scenario(name), scenario("stages", stages=OWN)):
        assert LoadSpec.model_validate_json(spec.model_dump_json(by_alias=True)) == spec
