"""Experiments that do not go well: refused, harmed, stopped, alone, late. Whatever happens they end, hosts go back to
what they ran, and nothing is promoted that was not proven."""

from __future__ import annotations

from typing import Any

import pytest

from tests.functional.control_plane.fake_host import NGINX, FakeHost
from tests.functional.control_plane.world import World, manifest

WORDS = "processors::transform/candidate: unknown function frobnicate"


def two_arms(config: Any) -> bool:
    return "metrics/candidate" in config["service"]["pipelines"]


def refuses_experiments(config: Any) -> str:
    return WORDS if two_arms(config) else ""


def refuses_the_winner(config: Any) -> str:
    return WORDS if "metrics/deployed" in config["service"]["pipelines"] and "nginx" in str(config) else ""


def running(world: World, **spec: Any) -> FakeHost:
    """A host with a deployment and a running experiment."""
    host = world.host("h1")
    world.deployed(host)
    world.post("/api/v1/experiments?start=true", manifest(["h1"], **spec))
    world.until_state("running")
    return host


def restored(world: World, host: FakeHost) -> None:
    """The host runs the deployment of before, proven, and is free."""
    status = world.get("/api/v1/deployments/base")["status"][host.name]
    assert status["status"] == "active"
    assert status["marker"] == host.marker
    assert not two_arms(host.config)
    assert world.claimed(host.name) == ""


def test_a_lost_critical_process_rolls_back_at_once_and_is_named(world: World) -> None:
    host = running(world, promotion="automatic")
    world.pass_time(5)
    host.behaviour.loses = (NGINX[1],)
    started = world.clock.now()
    ended = world.until_state("rolled_back", within=30)
    assert world.clock.now() - started <= 10
    assert (ended["outcome"]["verdict"], ended["outcome"]["reason"]) == ("reject", "critical_missing")
    assert "nginx" in ended["outcome"]["explanation"]
    assert "h1" in ended["outcome"]["explanation"]
    assert ended["proofs"][0]["marker"] == host.marker
    restored(world, host)
    evaluation = world.get("/api/v1/experiments/web/evaluation")
    assert evaluation["critical"]["breaches"][0]["pids"] == [12]


def test_a_breach_counts_while_it_is_paused_too(world: World) -> None:
    host = running(world)
    world.post("/api/v1/experiments/web/pause")
    host.behaviour.loses = NGINX
    assert world.until_state("rolled_back", within=30)["outcome"]["reason"] == "critical_missing"
    restored(world, host)


def test_a_breach_counts_while_it_waits_for_its_promotion(world: World) -> None:
    host = running(world)
    world.until_state("awaiting_promotion")
    host.behaviour.loses = NGINX
    assert world.until_state("rolled_back", within=30)["outcome"]["verdict"] == "reject"
    assert world.send("POST", "/api/v1/experiments/web/promote").status == 409
    restored(world, host)


def test_a_collector_that_uses_too_much_breaks_its_guardrail(world: World) -> None:
    host = world.host("h1")
    world.deployed(host)
    host.behaviour.rss = 500 * 1024**2
    guardrails = {"collectorMemory": {"atMost": "100MiB"}}
    world.post("/api/v1/experiments?start=true", manifest(["h1"], guardrails=guardrails, promotion="automatic"))
    ended = world.until_state("rolled_back", "completed")
    assert (ended["state"], ended["outcome"]["reason"]) == ("rolled_back", "collector_memory")
    restored(world, host)


def test_a_refused_configuration_ends_it_with_the_collectors_words_and_is_refused_from_then_on(world: World) -> None:
    host = world.host("h1")
    world.deployed(host)
    host.behaviour.refuses = refuses_experiments
    world.post("/api/v1/experiments?start=true", manifest(["h1"]))
    ended = world.until_state("rolled_back", within=60)
    assert ended["outcome"] is None
    assert WORDS in " ".join(event["detail"] for event in ended["events"])
    assert [failure["error"] for failure in world.get("/api/v1/hosts/h1")["quarantine"]] == [WORDS]
    restored(world, host)
    offered = len(host.offers)
    again = world.send("POST", "/api/v1/experiments?start=true", manifest(["h1"], "again"))
    assert (again.status, again.json["code"]) == (409, "PHX-CONFLICT")
    assert WORDS in again.json["detail"]
    assert world.send("GET", "/api/v1/experiments/again").status == 404
    assert world.claimed("h1") == ""
    world.pass_time(10)
    assert len(host.offers) == offered


def test_a_winner_that_is_refused_alone_is_rolled_back_and_leaves_no_version(world: World) -> None:
    host = running(world, promotion="automatic")
    host.behaviour.refuses = refuses_the_winner
    ended = world.until_state("rolled_back", within=120)
    assert "promoting" in [event["state"] for event in ended["events"]]
    assert WORDS in " ".join(event["detail"] for event in ended["events"])
    restored(world, host)
    shown = world.get("/api/v1/deployments/base")
    assert (shown["current"], [version["number"] for version in shown["versions"]]) == (1, [1])


def test_a_winner_that_is_refused_where_nothing_ran_before_leaves_no_deployment(world: World) -> None:
    host = world.host("h1")
    host.behaviour.refuses = refuses_the_winner
    world.post("/api/v1/experiments?start=true", manifest(["h1"], promotion="automatic"))
    world.until_state("rolled_back", within=120)
    assert world.get("/api/v1/deployments")["items"] == []
    assert world.get("/api/v1/hosts/h1")["deployment"] == ""
    assert list(host.config["receivers"]) == ["nop"] if host.config else False


def test_a_winner_that_the_collector_will_not_validate_is_not_waited_for_without_end(world: World) -> None:
    host = running(world)
    world.until_state("awaiting_promotion")
    world.validator.refusals["metrics/deployed"] = WORDS
    world.post("/api/v1/experiments/web/promote")
    ended = world.until_state("rolled_back", within=60)
    assert WORDS in " ".join(event["detail"] for event in ended["events"])
    restored(world, host)


def test_a_promotion_that_cannot_be_prepared_ends_at_its_deadline(world: World) -> None:
    host = running(world, promotion="automatic")
    world.validator.missing = True
    ended = world.until_state("rolled_back", within=600, step=2)
    assert "deadline" in [event["cause"] for event in ended["events"]]
    restored(world, host)


def test_previous_that_no_longer_starts_is_replaced_by_an_idle_collector(world: World) -> None:
    host = running(world)
    host.behaviour.refuses = lambda config: WORDS if "metrics/deployed" in config["service"]["pipelines"] else ""
    world.post("/api/v1/experiments/web/stop")
    ended = world.until_state("stopped", within=600)
    assert world.claimed("h1") == ""
    assert host.config is not None
    assert list(host.config["receivers"]) == ["nop"]
    assert ended["proofs"][0]["marker"] == host.marker
    assert WORDS in ended["message"]


@pytest.mark.parametrize(
    "state", ["draft", "pending", "deploying", "warming_up", "running", "paused", "awaiting_promotion"]
)
def test_it_can_be_stopped_in_every_state(world: World, state: str) -> None:
    host = world.host("h1")
    world.deployed(host)
    start = "" if state == "draft" else "?start=true"
    spec = {"load": {"count": 10}} if state == "warming_up" else {}
    host.behaviour.load_phase = "starting"
    world.post(f"/api/v1/experiments{start}", manifest(["h1"], **spec))
    if state == "deploying":
        host.behaviour.away = True
    if state == "paused":
        world.until_state("running")
        world.post("/api/v1/experiments/web/pause")
    world.until_state(state)
    world.post("/api/v1/experiments/web/stop")
    host.behaviour.away = False
    world.until_state("stopped", within=60)
    restored(world, host)
    assert all(sim["desired"] == "stopped" for sim in world.get("/api/v1/loadsims")["items"])
    refused = world.send("POST", "/api/v1/experiments/web/stop")
    assert (refused.status, refused.json["hint"]) == (409, "nothing can be asked of it in this state")


def test_it_can_be_stopped_while_it_decides(world: World) -> None:
    host = running(world)
    host.behaviour.silent = True
    world.until_state("deciding")
    world.post("/api/v1/experiments/web/stop")
    assert world.until_state("stopped", within=60)["outcome"] is None
    restored(world, host)


def test_a_command_that_is_not_possible_now_says_what_is(world: World) -> None:
    world.host("h1")
    world.post("/api/v1/experiments", manifest(["h1"]))
    refused = world.send("POST", "/api/v1/experiments/web/promote")
    assert (refused.status, refused.json["hint"]) == (409, "possible now: start, stop")
    assert world.experiment()["state"] == "draft"


def test_a_host_that_goes_away_ends_it_as_insufficient_data_and_nothing_is_promoted(world: World) -> None:
    host = running(world, promotion="automatic")
    world.pass_time(5)
    host.behaviour.away = True
    ended = world.until_state("rolled_back", "completed", within=900)
    assert ended["state"] == "rolled_back"
    assert (ended["outcome"]["verdict"], ended["outcome"]["reason"]) == ("insufficient_data", "too_few_scrapes")
    assert "h1 (away)" in ended["message"]
    assert ended["proofs"] == []
    assert two_arms(host.config)
    assert world.claimed("h1") == ""
    host.behaviour.away = False
    world.pass_time(10)
    restored(world, host)


def test_counts_that_stop_arriving_are_missing_and_never_a_pass(world: World) -> None:
    host = running(world, promotion="automatic")
    world.pass_time(17)
    host.behaviour.silent = True
    ended = world.until_state("rolled_back", "completed", within=200)
    assert ended["outcome"]["verdict"] == "insufficient_data"
    restored(world, host)


def test_a_host_that_never_answers_ends_the_roll_out_at_its_deadline(world: World) -> None:
    for name in ("h1", "h2"):
        world.host(name)
    world.hosts["h2"].behaviour.away = True
    world.post("/api/v1/experiments?start=true", manifest(["h1", "h2"]))
    ended = world.until_state("rolled_back", within=900, step=2)
    causes = [(event["state"], event["cause"]) for event in ended["events"]]
    assert causes[2:] == [("rolling_back", "deadline"), ("rolled_back", "deadline")]
    assert "h2" in ended["message"]
    assert "h1" not in ended["message"]


def test_a_paused_experiment_and_an_unanswered_winner_end_by_themselves(world: World) -> None:
    host = running(world)
    world.post("/api/v1/experiments/web/pause")
    world.clock.advance(7 * 86400)
    ended = world.until_state("stopped", within=60)
    assert "paused for too long" in ended["message"]
    restored(world, host)
    world.send("DELETE", "/api/v1/experiments/web")
    world.post("/api/v1/experiments?start=true", manifest(["h1"]))
    world.until_state("awaiting_promotion")
    world.clock.advance(7 * 86400)
    assert "nobody promoted it" in world.until_state("stopped", within=60)["message"]
    restored(world, host)


def test_one_that_was_not_stepped_in_time_fails_and_frees_its_host(world: World) -> None:
    world.host("h1")
    world.post("/api/v1/experiments?start=true", manifest(["h1"]))
    world.clock.advance(601)
    world.control_plane.tick()
    assert world.experiment()["state"] == "failed"
    assert world.claimed("h1") == ""


def test_a_control_plane_that_was_away_during_the_warm_up_goes_on(world: World) -> None:
    world.host("h1")
    world.post("/api/v1/experiments?start=true", manifest(["h1"]))
    world.until_state("warming_up")
    world.clock.advance(900)
    world.pass_time(2)
    assert world.experiment()["state"] == "running"


def test_a_load_that_fails_or_does_not_start_ends_it(world: World) -> None:
    host = world.host("h1")
    host.behaviour.load_phase = "failed"
    world.post("/api/v1/experiments?start=true", manifest(["h1"], load={"count": 10}))
    ended = world.until_state("rolled_back", within=60)
    assert "fork: resource temporarily unavailable" in ended["message"]
    host.behaviour.load_phase = "starting"
    world.post("/api/v1/experiments?start=true", manifest(["h1"], "slow", load={"count": 10}))
    ended = world.until_state("rolled_back", name="slow", within=300, step=2)
    assert "the load did not start in time" in ended["message"]


def test_a_load_agent_that_died_does_not_hold_up_a_promotion_for_ever(world: World) -> None:
    host = running(world, load={"count": 10})
    path = "/api/v1/hosts/h1/loadsims"
    host.behaviour.load_agent_dead = True
    world.until_state("awaiting_promotion")
    world.post("/api/v1/experiments/web/promote")
    ended = world.until_state("completed", "rolled_back", within=600, step=5)
    assert ended["state"] == "completed"
    assert "h1" in ended["message"]
    assert [one["desired"] for one in world.send("GET", path, token=host.token).json["items"]] == ["stopped"]


def test_a_long_interval_still_gets_its_last_evaluation(world: World) -> None:
    host = world.host("h1")
    schedule = {"warmUp": "2s", "minDuration": "4m", "maxDuration": "16m", "evaluateEvery": "60s"}
    world.post("/api/v1/experiments?start=true", manifest(["h1"], interval="4m", schedule=schedule))
    world.until_state("running")
    host.behaviour.silent = True
    ended = world.until_state("rolled_back", within=4000, step=10)
    assert ended["outcome"]["verdict"] == "insufficient_data"
