"""Guardrails that pause and warn, through the whole control plane: who is told, what stands still, what is refused."""

from __future__ import annotations

from typing import Any

from tests.functional.control_plane.fake_host import FakeHost
from tests.functional.control_plane.world import World, manifest

EXPERIMENTS = "/api/v1/experiments"


def begun(world: World, **spec: Any) -> FakeHost:
    """A host whose collector has 80 MiB, and a running experiment."""
    host = world.host("h1")
    world.deployed(host)
    world.post(f"{EXPERIMENTS}?start=true", manifest(["h1"], **spec))
    world.until_state("running")
    return host


def limited(severity: str, most: str = "40MiB") -> dict[str, Any]:
    return {"collectorMemory": {"atMost": most, "severity": severity}}


def row(world: World, kpi: str) -> Any:
    found = world.get(f"{EXPERIMENTS}/web/evaluation")["kpis"]
    return next(one for one in found if one["kpi"] == kpi)


def test_a_guardrail_pauses_and_a_person_resumes_to_a_verdict_without_promotion(world: World) -> None:
    begun(world, guardrails=limited("pause"), promotion="automatic")
    paused = world.until_state("paused")
    assert paused["message"].startswith("paused by guardrail collectorMemory on h1: 80 MiB")
    assert [alarm["kpi"] for alarm in paused["alarms"]] == ["collectorMemory"]
    assert "guardrail broken" in [event["cause"] for event in paused["events"]]
    assert (row(world, "collectorMemory")["state"], row(world, "collectorMemory")["severity"]) == ("broken", "pause")
    standing = world.experiment()["pausedSeconds"]
    world.pass_time(120)
    assert world.experiment()["state"] == "paused", "only a person resumes it"
    world.post(f"{EXPERIMENTS}/web/resume")
    ended = world.until_state("rolled_back", "completed")
    assert ended["pausedSeconds"] >= standing + 120
    assert (ended["state"], ended["outcome"]["verdict"]) == ("rolled_back", "inconclusive")
    assert ended["outcome"]["reason"] == "guardrail_broken"
    assert "collector memory on h1" in ended["outcome"]["explanation"]
    assert [event["state"] for event in ended["events"]].count("paused") == 1


def test_a_guardrail_that_warns_is_told_once_and_stops_nothing(world: World) -> None:
    begun(world, guardrails=limited("warn"), promotion="manual")
    ended = world.until_state("awaiting_promotion")
    assert ended["outcome"]["verdict"] == "promote"
    assert [event["cause"] for event in ended["events"]].count("guardrail broken") == 1
    assert [record.action for record in world.chain(f"experiment:{ended['uid']}")].count("guardrail") == 1
    assert row(world, "collectorMemory")["state"] == "broken"


def test_a_dry_run_pauses_nothing(world: World) -> None:
    begun(world, guardrails=limited("pause"), dryRun=True)
    world.until("the guardrail is broken", lambda: bool(world.experiment()["alarms"]))
    found = world.experiment()
    assert found["state"] == "running"
    assert found["message"].startswith("dry run, not paused: guardrail collectorMemory")


def test_what_can_never_be_measured_is_refused_with_its_place_and_a_way_out(world: World) -> None:
    world.host("h1")
    body = manifest(["h1"], guardrails={"exportFailures": {"atMost": "0.1%"}})
    answer = world.send("POST", EXPERIMENTS, body)
    assert answer.status == 400
    (error,) = answer.json["errors"]
    assert error["pointer"] == "/spec/guardrails/exportFailures"
    assert "without a backend" in error["rule"]
    assert "give the candidate a backend" in error["fix"]
    answer = world.send("POST", EXPERIMENTS, manifest(["h1"], guardrails={"latency": {"atMost": "1s"}}))
    (error,) = answer.json["errors"]
    assert error["pointer"] == "/spec/guardrails/latency"
    assert "scrapeDuration" in error["fix"]
    assert world.get(EXPERIMENTS)["items"] == []
