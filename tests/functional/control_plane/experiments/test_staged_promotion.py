"""A promotion in stages: each proven and watched before the next, and reversed as a whole when one goes wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from tests.functional.control_plane.fake_host import NGINX
from tests.functional.control_plane.world import World, manifest

HOSTS = [f"h{number}" for number in range(1, 6)]
ROLLOUT = {"stages": ["20%", "60%", "100%"], "soak": "10s"}
PROMOTE = "/api/v1/experiments/web/promote"


def winners(world: World) -> list[str]:
    """Hosts whose collector runs the promoted pipeline."""
    return [name for name, host in world.hosts.items() if _deployed(host.config)]


def _deployed(config: Any) -> bool:
    scope = (config or {}).get("service", {}).get("telemetry", {}).get("resource", {}).get("phoenix.scope", "")
    return str(scope).startswith("deployment.web.")


def awaiting(world: World, hosts: Sequence[str] = HOSTS) -> None:
    for name in hosts:
        world.host(name)
    world.post("/api/v1/experiments?start=true", manifest(list(hosts)))
    world.until_state("awaiting_promotion")


def stages(world: World) -> list[str]:
    return [event["detail"] for event in world.experiment()["events"] if event["cause"] == "stage"]


def test_stages_follow_each_other_once_the_one_before_was_watched(world: World) -> None:
    awaiting(world)
    world.post(PROMOTE, {"rollout": ROLLOUT})
    world.until("the first stage", lambda: winners(world) == ["h1"], 20)
    world.pass_time(5)
    assert winners(world) == ["h1"], "the first stage is still watched"
    assert world.get("/api/v1/deployments/web")["current"] != 2
    world.until("the second stage", lambda: winners(world) == ["h1", "h2", "h3"], 30)
    assert stages(world) == ["stage 2 of 3: 3 of 5 hosts"]
    done = world.until_state("completed", within=60)
    assert winners(world) == HOSTS
    assert stages(world) == ["stage 2 of 3: 3 of 5 hosts", "stage 3 of 3: 5 of 5 hosts"]
    assert {proof["host"] for proof in done["proofs"]} == set(HOSTS)
    assert world.get("/api/v1/deployments/web")["current"] == 2


def test_an_automatic_promotion_takes_the_stages_of_the_spec(world: World) -> None:
    for name in HOSTS:
        world.host(name)
    world.post("/api/v1/experiments?start=true", manifest(HOSTS, promotion="automatic", rollout=ROLLOUT))
    world.until_state("completed")
    assert len(stages(world)) == 2


def test_a_critical_process_lost_in_a_stage_gives_every_host_back_what_it_had(world: World) -> None:
    awaiting(world)
    world.hosts["h2"].behaviour.loses_deployed = NGINX[:1]
    world.post(PROMOTE, {"rollout": ROLLOUT})
    world.until("the second stage", lambda: "h2" in winners(world), 60)
    ended = world.until_state("rolled_back", within=60)
    assert (ended["outcome"]["verdict"], ended["outcome"]["reason"]) == ("reject", "critical_missing")
    assert "the winner lost 'nginx'" in ended["message"]
    assert "on h2" in ended["message"]
    assert winners(world) == []
    assert all("phoenix.scope" not in str(world.hosts[name].config) for name in HOSTS), "idle, as before"
    assert world.get("/api/v1/deployments")["items"] == []
    assert not any("h4" in offer for offer in stages(world))


def test_a_host_that_is_not_measured_does_not_let_its_stage_pass(world: World) -> None:
    awaiting(world, ("h1", "h2"))
    world.hosts["h1"].behaviour.silent = True
    world.post(PROMOTE, {"rollout": ROLLOUT})
    world.until("the first stage", lambda: winners(world) == ["h1"], 20)
    world.pass_time(120, step=5)
    assert winners(world) == ["h1"]
    ended = world.until_state("rolled_back", within=400, step=5)
    assert ended["message"] == "not measured in time: h1"


def test_a_breach_on_a_host_that_still_compares_reverses_the_stages(world: World) -> None:
    awaiting(world)
    world.post(PROMOTE, {"rollout": ROLLOUT})
    world.until("the first stage", lambda: winners(world) == ["h1"], 20)
    world.hosts["h5"].behaviour.loses = NGINX
    ended = world.until_state("rolled_back", within=60)
    assert ended["outcome"]["reason"] == "critical_missing"
    assert "h5" in ended["message"]
    assert winners(world) == []


def test_it_can_be_stopped_between_stages(world: World) -> None:
    awaiting(world)
    world.post(PROMOTE, {"rollout": ROLLOUT})
    world.until("the first stage", lambda: winners(world) == ["h1"], 20)
    world.post("/api/v1/experiments/web/stop")
    world.until_state("stopped", within=60)
    assert winners(world) == []
    assert world.get("/api/v1/deployments")["items"] == []


def test_stages_that_mean_the_same_hosts_are_one(world: World) -> None:
    world.host("h1")
    world.post("/api/v1/experiments?start=true", manifest(["h1"]))
    world.until_state("awaiting_promotion")
    world.post(PROMOTE, {"rollout": ROLLOUT})
    world.until_state("completed", within=60)
    assert stages(world) == []


@pytest.mark.parametrize(
    ("rollout", "said"),
    [
        ({"stages": ["50%", "10%", "100%"]}, "stages rise"),
        ({"stages": ["10%", "50%"]}, "end with all hosts"),
        ({"stages": ["0%", "100%"]}, "more than 0"),
        ({"stages": []}, "at least 1"),
        ({"stages": ["100%"], "soak": "8d"}, "less than or equal to"),
        ({"hosts": ["h1"]}, "unknown field"),
    ],
)
def test_stages_that_make_no_sense_are_refused_and_nothing_is_promoted(
    world: World, rollout: dict[str, Any], said: str
) -> None:
    world.host("h1")
    world.post("/api/v1/experiments?start=true", manifest(["h1"]))
    world.until_state("awaiting_promotion")
    answer = world.send("POST", PROMOTE, {"rollout": rollout})
    assert answer.status == 400
    assert said in answer.body.decode()
    assert world.experiment()["state"] == "awaiting_promotion"
