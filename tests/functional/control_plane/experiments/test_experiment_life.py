"""Experiments from creation to their good end, through HTTP, with hosts that speak the real protocols."""

from __future__ import annotations

from tests.functional.control_plane.world import World, deployment, manifest


def states(world: World, name: str = "web") -> list[str]:
    return [event["state"] for event in world.experiment(name)["events"]]


def test_a_draft_waits_until_it_is_started_and_holds_its_host(world: World) -> None:
    world.host("h1")
    made = world.post("/api/v1/experiments", manifest(["h1"]))["experiment"]
    assert (made["state"], made["spec"]["promotion"], made["hosts"]) == ("draft", "manual", ["h1"])
    world.pass_time(30)
    assert world.experiment()["state"] == "draft"
    assert world.claimed("h1") == "web"
    assert world.post("/api/v1/experiments/web/start")["state"] == "pending"
    world.until_state("running", within=30)


def test_manual_promotion_ends_with_proof_a_current_deployment_and_a_free_host(world: World) -> None:
    host = world.host("h1")
    world.deployed(host)
    world.post("/api/v1/experiments?start=true", manifest(["h1"]))
    waiting = world.until_state("awaiting_promotion")
    assert waiting["outcome"]["verdict"] == "promote"
    world.pass_time(120)
    assert world.experiment()["state"] == "awaiting_promotion"
    world.post("/api/v1/experiments/web/promote")
    done = world.until_state("completed", within=60)
    assert states(world) == [
        *("pending", "deploying", "warming_up", "running", "deciding"),
        *("awaiting_promotion", "promoting", "completed"),
    ]
    assert done["promotedBy"] == "operator"
    assert [(proof["host"], proof["contentHash"]) for proof in done["proofs"]] == list(done["winnerConfigs"].items())
    assert done["proofs"][0]["marker"] == host.marker
    assert world.claimed("h1") == ""
    shown = world.get("/api/v1/deployments/base")
    assert (shown["current"], shown["pipeline"], shown["settled"]) == (2, "process-topk-v1 k=20", True)
    assert shown["status"]["h1"]["status"] == "active"
    (active,) = world.get("/api/v1/deployments/base/active-config")["items"]
    assert active["marker"] == active["expected"] == host.marker
    actions = [record.action for record in world.chain(f"experiment:{done['uid']}")]
    assert actions == ["create", *states(world)[1:6], "promote", "completed"]


def test_automatic_promotion_makes_a_deployment_with_the_baseline_to_go_back_to(world: World) -> None:
    host = world.host("h1")
    world.post("/api/v1/experiments?start=true", manifest(["h1"], promotion="automatic"))
    done = world.until_state("completed")
    assert done["promotedBy"] == "automatic"
    shown = world.get("/api/v1/deployments/web")
    assert (shown["current"], [version["note"] for version in shown["versions"]]) == (
        2,
        ["baseline of experiment web", "promoted by experiment web"],
    )
    assert world.get("/api/v1/hosts/h1")["deployment"] == "web"
    world.post("/api/v1/deployments/web/rollback", {})
    world.until("rolled back", lambda: world.get("/api/v1/deployments/web")["settled"], 60)
    assert world.get("/api/v1/deployments/web")["pipeline"] == "process-baseline-v1"
    assert "phoenix.scope" in str(host.config)


def test_nothing_is_current_before_every_collector_runs_the_winner(world: World) -> None:
    host = world.host("h1")
    world.deployed(host)
    world.post("/api/v1/experiments?start=true", manifest(["h1"]))
    world.until_state("awaiting_promotion")
    host.behaviour.away = True
    world.post("/api/v1/experiments/web/promote")
    world.pass_time(5)
    assert world.experiment()["state"] == "promoting"
    assert world.get("/api/v1/deployments/base")["current"] == 1
    host.behaviour.away = False
    world.until_state("completed", within=60)
    assert world.get("/api/v1/deployments/base")["current"] == 2


def test_a_candidate_that_is_no_better_is_rejected_and_the_baseline_comes_back(world: World) -> None:
    host = world.host("h1")
    world.deployed(host)
    before = host.config
    host.behaviour.series["candidate"] = 6900
    world.post("/api/v1/experiments?start=true", manifest(["h1"], promotion="automatic"))
    ended = world.until_state("rolled_back")
    assert (ended["outcome"]["verdict"], ended["outcome"]["reason"]) == ("reject", "not_worth_it")
    assert host.config is not None
    assert before is not None
    assert host.config["processors"].keys() == before["processors"].keys()
    assert "promoting" not in states(world)
    assert world.get("/api/v1/deployments/base")["current"] == 1
    assert world.get("/api/v1/deployments/base")["status"]["h1"]["status"] == "active"


def test_the_same_pipeline_twice_is_never_promoted(world: World) -> None:
    host = world.host("h1")
    host.behaviour.series["candidate"] = 7000
    both = {"pipeline": "process-baseline-v1"}
    world.post("/api/v1/experiments?start=true", manifest(["h1"], baseline=both, candidate=both, promotion="automatic"))
    ended = world.until_state("rolled_back", "completed")
    assert ended["state"] == "rolled_back"
    assert world.get("/api/v1/experiments/web/evaluation")["reduction"]["value"] == 0


def test_two_hosts_are_judged_together_and_promoted_together(world: World) -> None:
    for name in ("h1", "h2"):
        world.host(name, {"role": "web"})
    world.host("h3", {"role": "db"})
    targets = {"selector": {"matchLabels": {"role": "web"}}}
    world.post("/api/v1/experiments?start=true", manifest([], targets=targets, promotion="automatic"))
    done = world.until_state("completed")
    assert done["hosts"] == ["h1", "h2"]
    assert {proof["host"] for proof in done["proofs"]} == {"h1", "h2"}
    assert world.get("/api/v1/deployments/web")["status"].keys() == {"h1", "h2"}
    assert world.claimed("h3") == ""


def test_a_promotion_on_part_of_a_deployment_takes_its_hosts_out_of_it(world: World) -> None:
    for name in ("h1", "h2"):
        world.host(name)
    world.post("/api/v1/deployments", deployment("fleet", ["h1", "h2"], "process-baseline-v1"))
    world.until("deployed", lambda: world.get("/api/v1/deployments/fleet")["settled"], 60)
    world.post("/api/v1/experiments?start=true", manifest(["h1"], promotion="automatic"))
    world.until_state("completed")
    assert world.get("/api/v1/deployments/fleet")["status"].keys() == {"h2"}
    assert world.get("/api/v1/deployments/web")["status"].keys() == {"h1"}
    assert [world.get(f"/api/v1/hosts/{name}")["deployment"] for name in ("h1", "h2")] == ["web", "fleet"]


def test_a_deployment_of_the_same_name_on_other_hosts_is_left_alone(world: World) -> None:
    for name in ("h1", "h2"):
        world.host(name)
    world.deployed(world.hosts["h2"], "web")
    world.post("/api/v1/experiments?start=true", manifest(["h1"], promotion="automatic"))
    done = world.until_state("completed")
    assert world.get("/api/v1/deployments/web")["status"].keys() == {"h2"}
    assert world.get("/api/v1/deployments/web")["current"] == 1
    made = done["deployment"]
    assert made != "web"
    assert world.get(f"/api/v1/deployments/{made}")["status"]["h1"]["status"] == "active"
    assert world.get("/api/v1/hosts/h1")["deployment"] == made


def test_its_load_runs_before_evidence_counts_and_is_gone_at_the_end(world: World) -> None:
    world.host("h1")
    load = {"profile": "realistic", "count": 20}
    world.post("/api/v1/experiments?start=true", manifest(["h1"], load=load, promotion="automatic"))
    world.until_state("running")
    (sim,) = world.get("/api/v1/loadsims")["items"]
    assert (sim["name"], sim["desired"], sim["status"]["phase"]) == ("web", "running", "running")
    world.until_state("completed")
    (sim,) = world.get("/api/v1/loadsims")["items"]
    assert (sim["desired"], sim["status"]["phase"]) == ("stopped", "stopped")


def test_its_clock_stands_still_while_it_is_paused(world: World) -> None:
    world.host("h1")
    slow = {"warmUp": "2s", "minDuration": "60s", "maxDuration": "100s", "evaluateEvery": "2s"}
    world.post("/api/v1/experiments?start=true", manifest(["h1"], schedule=slow))
    world.until_state("running")
    world.pass_time(10)
    world.post("/api/v1/experiments/web/pause")
    world.pass_time(200)
    assert world.experiment()["state"] == "paused"
    assert world.post("/api/v1/experiments/web/resume")["pausedSeconds"] == 200
    world.pass_time(3)
    assert world.until_state("awaiting_promotion", "rolled_back")["state"] == "awaiting_promotion"


def test_an_ended_experiment_can_be_deleted_and_its_name_used_again(world: World) -> None:
    host = world.host("h1")
    host.behaviour.series["candidate"] = 6900
    world.post("/api/v1/experiments?start=true", manifest(["h1"]))
    refused = world.send("DELETE", "/api/v1/experiments/web")
    assert (refused.status, refused.json["code"]) == (409, "PHX-CONFLICT")
    assert "phoenix experiment stop web" in refused.json["hint"]
    uid = world.until_state("rolled_back")["uid"]
    assert world.send("DELETE", "/api/v1/experiments/web").status == 204
    assert world.send("GET", "/api/v1/experiments/web").status == 404
    assert world.chain(f"experiment:{uid}")[-1].action == "delete"
    host.behaviour.series["candidate"] = 600
    again = world.post("/api/v1/experiments?start=true", manifest(["h1"], promotion="automatic"))["experiment"]
    assert again["uid"] != uid
    assert world.until_state("completed")["outcome"]["verdict"] == "promote"
