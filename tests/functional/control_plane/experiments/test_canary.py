"""The canary layout over HTTP, with hosts that speak the real protocols: each runs one arm, and hosts are compared."""

from __future__ import annotations

from typing import Any

from chalicelib.domain.evaluation.evaluation import recompute
from chalicelib.domain.evaluation.result.result import Evaluation
from chalicelib.domain.evaluation.verdict.verification import differences
from phoenix_cli.show.experiment.compare import compare_document, evaluation_in
from tests.functional.control_plane.fake_host import NGINX
from tests.functional.control_plane.world import World, manifest

HOSTS = [f"h{number}" for number in range(1, 7)]
FAST = {"warmUp": "2s", "minDuration": "20s", "maxDuration": "60s", "evaluateEvery": "2s"}


def fleet(world: World) -> None:
    """Six hosts of three sizes; each reports as many series as its size, a tenth of them by the candidate."""
    for number, name in enumerate(HOSTS, start=1):
        made = world.host(name)
        facts = {"cpuCount": 2 ** ((number + 1) // 2), "memoryBytes": number * 2**30}
        assert world.send("PUT", f"/api/v1/hosts/{name}/status", facts, token=made.token).status == 204
        size = 1000 * number
        made.behaviour.series = {"raw": size, "baseline": size, "candidate": size // 10, "deployed": size // 10}


def canary(hosts: list[str] | None = None, **spec: Any) -> dict[str, Any]:
    given = {"layout": "canary", "canary": {"share": "50%", "seed": 7, "prePeriod": "20s"}, "schedule": FAST, **spec}
    return manifest(HOSTS if hosts is None else hosts, **given)


def arms(experiment: Any) -> dict[str, str]:
    return {one["host"]: one["arm"] for one in experiment["assignment"]["hosts"]}


def runs(world: World, host: str) -> list[str]:
    """The streams that a host's collector counts."""
    return world.hosts[host]._variants()


def test_every_host_is_measured_on_the_baseline_and_then_runs_its_arm_until_the_candidate_is_promoted(
    world: World,
) -> None:
    fleet(world)
    draft = world.post("/api/v1/experiments", canary(promotion="automatic"))["experiment"]
    drawn = arms(draft)
    assert sorted(drawn.values()) == ["baseline"] * 3 + ["candidate"] * 3
    assert all(drawn[f"h{n}"] != drawn[f"h{n + 1}"] for n in (1, 3, 5)), "of each size one host runs each arm"
    world.post("/api/v1/experiments/web/start")
    world.until_state("warming_up")
    world.pass_time(10)
    assert [runs(world, host) for host in HOSTS] == [["raw", "baseline"]] * 6
    baseline = next(host for host, arm in drawn.items() if arm == "baseline")
    offers = len(world.hosts[baseline].offers)
    world.until_state("running")
    assert {host: runs(world, host)[-1] for host in HOSTS} == drawn
    assert len(world.hosts[baseline].offers) == offers, "who stays on the baseline is left alone"
    done = world.until_state("completed", "rolled_back")
    assert [event["state"] for event in done["events"]] == [
        *("draft", "pending", "deploying", "warming_up", "deploying", "warming_up"),
        *("running", "deciding", "promoting", "completed"),
    ]
    found = world.get("/api/v1/experiments/web/evaluation")
    assert (done["outcome"]["verdict"], round(found["reduction"]["value"], 6)) == ("promote", 0.9)
    before = {one["host"]: one["series"] / one["scrapes"] for one in found["evidence"]["canary"]["before"]["hosts"]}
    assert before == {f"h{n}": 1000.0 * n for n in range(1, 7)}
    assert found["evidence"]["dropped"] == [] or {one["reason"] for one in found["evidence"]["dropped"]} <= {
        "before_window",
        "newest",
    }
    assert {proof["host"] for proof in done["proofs"]} == set(HOSTS)
    cost = world.get("/api/v1/cost?experiment=web")["report"]
    assert {one["host"] for one in cost["hosts"]} == {host for host, arm in drawn.items() if arm == "candidate"}
    assert [runs(world, host) for host in HOSTS] == [["raw", "deployed"]] * 6


def test_the_verdict_follows_again_from_the_exported_evidence(world: World) -> None:
    fleet(world)
    world.post("/api/v1/experiments?start=true", canary())
    world.until_state("awaiting_promotion")
    evaluation = Evaluation.model_validate(world.get("/api/v1/experiments/web/evaluation"))
    assert differences(evaluation) == ()
    experiment = world.control_plane.services.experiments.get("default", "web")
    exported = evaluation_in(compare_document(experiment, evaluation))
    assert exported == evaluation
    assert recompute(exported) == (evaluation.verdict, evaluation.reason)
    assert exported.evidence.canary is not None
    first = exported.evidence.canary.assignment.hosts[0]
    moved = first.model_copy(update={"stratum": first.stratum + 1})
    lot = exported.evidence.canary.assignment
    forged = exported.evidence.canary.model_copy(
        update={"assignment": lot.model_copy(update={"hosts": (moved, *lot.hosts[1:])})}
    )
    changed = exported.model_copy(update={"evidence": exported.evidence.model_copy(update={"canary": forged})})
    assert "/evidence/canary/assignment" in {one.pointer for one in differences(changed)}


def test_a_critical_process_lost_on_one_candidate_host_is_rejected_within_three_scrapes(world: World) -> None:
    fleet(world)
    made = world.post("/api/v1/experiments?start=true", canary(promotion="automatic"))["experiment"]
    victim = next(host for host, arm in arms(made).items() if arm == "candidate")
    world.until_state("running")
    world.pass_time(6)
    world.hosts[victim].behaviour.loses = NGINX[:1]
    began = world.clock.now()
    ended = world.until_state("rolling_back", "rolled_back", within=30)
    assert (ended["outcome"]["reason"], ended["outcome"]["at"] - began <= 3 + 2) == ("critical_missing", True)
    assert f"(pid 11, {victim}, critical pattern nginx)" in ended["outcome"]["explanation"]
    world.until_state("rolled_back")


def test_the_same_pipeline_on_both_sides_is_not_promoted(world: World) -> None:
    fleet(world)
    for host in world.hosts.values():
        host.behaviour.series["candidate"] = host.behaviour.series["baseline"]
    both = {"pipeline": "process-baseline-v1"}
    world.post("/api/v1/experiments?start=true", canary(baseline=both, candidate=both, promotion="automatic"))
    ended = world.until_state("rolled_back", "completed")
    assert (ended["state"], ended["outcome"]["reason"]) == ("rolled_back", "not_worth_it")


def test_a_host_that_is_not_measured_in_the_pre_period_ends_it_by_name(world: World) -> None:
    fleet(world)
    world.post("/api/v1/experiments?start=true", canary())
    world.until_state("warming_up")
    world.hosts["h3"].behaviour.silent = True
    ended = world.until_state("rolled_back", step=5)
    assert "the pre-period was not measured in time: h3: " in ended["message"]
    assert [runs(world, host) for host in HOSTS] == [[]] * 6


def test_a_control_plane_that_dies_in_the_pre_period_goes_on_where_it_was(world: World) -> None:
    fleet(world)
    world.post("/api/v1/experiments?start=true", canary())
    world.until("the pre-period begins", lambda: world.experiment()["beforeSince"] is not None)
    since = world.experiment()["beforeSince"]
    world.pass_time(5)
    world.start(world.remains)
    world.clock.advance(3)
    measured = world.until_state("awaiting_promotion")
    assert measured["beforeSince"] == since
    assert [event["state"] for event in measured["events"]].count("deploying") == 2


REFUSED: tuple[tuple[dict[str, Any], str, str], ...] = (
    ({"canary": {"share": "30%"}}, "/spec/canary", "2 for the candidate"),
    ({"canary": {"prePeriod": "10s"}}, "/spec/canary", "16 intervals at least, here 16s"),
    ({"claim": "these-hosts"}, "/spec/claim", "no host of a canary runs both arms"),
    ({"layout": "paired"}, "/spec/canary", "write layout: canary"),
    ({"mode": "dedicated"}, "/spec/canary", "runs one arm in one collector"),
    ({"canary": {"seed": -1}}, "/spec/canary/seed", "greater than or equal to 0"),
    ({"canary": {"size": 3}}, "/spec/canary/size", ""),
    ({"targets": {"hosts": HOSTS[:5]}}, "/spec/canary", "a canary needs 3 hosts of each arm"),
    ({"targets": {"selector": {"matchLabels": {"few": "yes"}}}}, "/spec/targets", "2 for the baseline"),
)


def test_what_cannot_be_compared_is_refused_with_field_and_rule_and_nothing_is_made(world: World) -> None:
    fleet(world)
    for number in range(4):
        world.host(f"few{number}", {"few": "yes"})
    for spec, pointer, rule in REFUSED:
        answer = world.send("POST", "/api/v1/experiments", canary(**spec))
        assert answer.status in (400, 422), (spec, answer.body)
        found = [error for error in answer.json["errors"] if error["pointer"].startswith(pointer)]
        assert any(rule in error["rule"] for error in found), (spec, answer.json["errors"])
        assert world.send("GET", "/api/v1/experiments/web").status == 404
    assert world.claimed("h1") == ""


def test_the_arms_are_drawn_again_alike_and_differ_by_seed(world: World) -> None:
    fleet(world)
    first = arms(world.post("/api/v1/experiments", canary())["experiment"])
    world.post("/api/v1/experiments/web/stop")
    world.send("DELETE", "/api/v1/experiments/web")
    assert arms(world.post("/api/v1/experiments", canary())["experiment"]) == first
    world.post("/api/v1/experiments/web/stop")
    others = []
    for seed in range(3):
        name = f"seed{seed}"
        made = world.post("/api/v1/experiments", {**canary(canary={"seed": seed}), "metadata": {"name": name}})
        others.append(arms(made["experiment"]))
        world.post(f"/api/v1/experiments/{name}/stop")
    assert any(other != first for other in others)
