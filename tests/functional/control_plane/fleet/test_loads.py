"""Loads over HTTP: a scenario reaches its host as it was asked, what the host says of it comes back, bad ones start
nothing."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.domain.load import LoadSpec
from tests.functional.control_plane.world import World, manifest

LOADS = "/api/v1/loadsims"
GROUP = {"nameTemplate": "phx-job-{n}", "count": 4, "lifetime": "2s", "memPattern": "growing", "memory": "4MiB"}
STAGES = {
    "profile": "stages",
    "critical": 2,
    "stages": [
        {"name": "calm", "lasts": "1m", "profile": "realistic", "count": 20},
        {"name": "storm", "lasts": "30s", "profile": "process-churn", "count": 40, "groups": [GROUP]},
    ],
}


@pytest.fixture
def world(world: World) -> World:
    world.host("h1")
    return world


def test_a_scenario_reaches_its_host_as_it_was_asked_and_is_stopped(world: World) -> None:
    world.post(LOADS, {"name": "web", "host": "h1", "spec": STAGES})
    (made,) = world.get(LOADS)["items"]
    assert made["spec"] == LoadSpec.model_validate(STAGES).model_dump(mode="json", by_alias=True)
    assert made["spec"]["count"] == 40
    world.pass_time(5)
    assert world.get(LOADS)["items"][0]["status"]["phase"] == "running"
    world.post("/api/v1/hosts/h1/loadsims/web/stop")
    world.pass_time(5)
    assert world.get(LOADS)["items"][0]["status"]["phase"] == "stopped"


@pytest.mark.parametrize("profile", ["process-churn", "memory-pressure", "cardinality-explosion", "chaos"])
def test_an_experiment_may_ask_for_every_profile(world: World, profile: str) -> None:
    world.post("/api/v1/experiments", manifest(["h1"], load={"profile": profile}))
    (made,) = world.get("/api/v1/experiments")["items"]
    assert made["spec"]["load"]["profile"] == profile


@pytest.mark.parametrize(
    ("change", "pointer", "rule"),
    [
        ({"nameTemplate": "phx-{n.__class__}"}, "/spec/groups/0/nameTemplate", "is no placeholder"),
        ({"nameTemplate": "nginx"}, "/spec/groups/0/nameTemplate", "small letters, digits"),
        ({"memory": "1GiB"}, "/spec/groups/0/memory", "less than or equal to"),
        ({"lifetime": "soon"}, "/spec/groups/0/lifetime", "is not a duration"),
        ({"run": "rm -rf /"}, "/spec/groups/0/run", "unknown field"),
        ({"count": 400}, "/spec", "starts a second together"),
    ],
)
def test_a_bad_group_is_refused_where_it_stands_and_starts_nothing(
    world: World, change: dict[str, Any], pointer: str, rule: str
) -> None:
    spec = {"profile": "custom", "groups": [{**GROUP, **change}]}
    answer = world.send("POST", LOADS, {"name": "web", "host": "h1", "spec": spec})
    assert answer.status == 400
    (problem,) = answer.json["errors"]
    assert problem["pointer"] == pointer
    assert rule in problem["rule"]
    assert world.get(LOADS)["items"] == []
