"""More time for an experiment, and the same experiment once more: over HTTP, on a simulated day."""

from __future__ import annotations

import pytest

from tests.functional.control_plane.world import World, manifest

ONE = "/api/v1/experiments/web"
SHORT = {"schedule": {"warmUp": 5, "minDuration": 10, "maxDuration": 60, "evaluateEvery": 5}}
NEVER = {"success": {"seriesReduction": {"atLeast": "99%"}}}


def started(world: World, **spec: object) -> None:
    world.host("h1")
    world.post("/api/v1/experiments?start=true", manifest(["h1"], **{**SHORT, **spec}))
    world.until_state("running")


def test_an_extended_experiment_is_decided_later_and_its_spec_is_as_it_was(world: World) -> None:
    started(world)
    world.hosts["h1"].behaviour.away = True  # nothing to decide by: only the deadline ends it
    before = world.experiment()
    longer = world.post(f"{ONE}/extend", {"by": "5m"})
    assert (longer["extendedSeconds"], longer["specHash"], longer["spec"]) == (
        300.0,
        before["specHash"],
        before["spec"],
    )
    assert longer["message"] == "extended by 5m by operator: maxDuration is 6m"
    world.pass_time(120)
    assert world.experiment()["state"] == "running"
    taken = world.until("its end", lambda: world.experiment()["state"] != "running")
    assert 150 <= taken <= 250
    actions = [record.action for record in world.chain(f"experiment:{before['uid']}")]
    assert actions.count("extend") == 1


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({"by": "91d"}, 400, "less than or equal to 7776000"),
        ({"by": "90d"}, 400, "maxDuration would be"),
        ({"by": "0s"}, 400, "greater than or equal to 1"),
        ({"by": "soon"}, 400, "15s"),
        ({"for": "5m"}, 400, "unknown field"),
        ({}, 400, "by"),
    ],
)
def test_an_extension_that_cannot_be_is_refused_and_changes_nothing(
    world: World, body: object, status: int, said: str
) -> None:
    started(world)
    before = world.experiment()
    answer = world.send("POST", f"{ONE}/extend", body)
    assert answer.status == status
    assert said in answer.body.decode()
    assert world.experiment()["extendedSeconds"] == before["extendedSeconds"] == 0


def test_what_is_decided_is_not_extended_but_may_be_run_again(world: World) -> None:
    started(world)
    world.until_state("awaiting_promotion")
    answer = world.send("POST", f"{ONE}/extend", {"by": "5m"})
    assert answer.status == 409
    assert "phoenix experiment clone web" in answer.body.decode()


def test_a_clone_asks_for_the_same_and_holds_its_own_host(world: World) -> None:
    started(world)
    world.host("h2")
    world.post(f"{ONE}/extend", {"by": "5m"})
    busy = world.send("POST", f"{ONE}/clone", {"name": "again"})
    assert busy.status == 409
    assert "'web'" in busy.body.decode()
    assert len(world.get("/api/v1/experiments")["items"]) == 1
    made = world.post(f"{ONE}/clone?start=true", {"name": "again", "hosts": ["h2"]})["experiment"]
    first = world.experiment()
    assert (made["hosts"], made["extendedSeconds"], made["state"]) == (["h2"], 0, "pending")
    same = {key: value for key, value in first["spec"].items() if key != "targets"}
    assert {key: value for key, value in made["spec"].items() if key != "targets"} == same
    world.until_state("awaiting_promotion", name="again")


@pytest.mark.parametrize("body", [{"name": "Bad Name"}, {"name": "web"}, {"name": "x", "hosts": ["nobody"]}, {}])
def test_a_clone_that_cannot_be_creates_nothing(world: World, body: object) -> None:
    started(world)
    assert world.send("POST", f"{ONE}/clone", body).status in (400, 409)
    assert len(world.get("/api/v1/experiments")["items"]) == 1
    assert world.send("POST", "/api/v1/experiments/none/clone", {"name": "copy"}).status == 404
