"""Deployments through HTTP: their status is what hosts reported, history only grows, and what failed is undone."""

from __future__ import annotations

from typing import Any

import pytest

from tests.functional.control_plane.fake_host import EXIT_CODE, FakeHost
from tests.functional.control_plane.world import World, deployment

PATH = "/api/v1/deployments"
WORDS = "receivers::hostmetrics: collection_interval must be positive"


@pytest.fixture
def hosts(world: World) -> list[FakeHost]:
    return [world.host("h1"), world.host("h2")]


def deploy(world: World, pipeline: str = "process-baseline-v1", **parameters: Any) -> Any:
    return world.post(PATH, deployment("web", ["h1", "h2"], pipeline, **parameters))


def shown(world: World) -> Any:
    return world.get(PATH + "/web")


def settle(world: World) -> Any:
    world.until("settled", lambda: shown(world)["settled"], 120)
    return shown(world)


def status(world: World) -> dict[str, str]:
    return {host: one["status"] for host, one in shown(world)["status"].items()}


def test_a_status_is_what_the_hosts_reported_and_nothing_else(world: World, hosts: list[FakeHost]) -> None:
    hosts[1].behaviour.away = True
    deploy(world)
    assert status(world) == {"h1": "pending", "h2": "pending"}
    world.pass_time(3)
    assert status(world) == {"h1": "active", "h2": "pending"}
    assert not shown(world)["settled"]
    active = world.get(PATH + "/web/active-config")
    assert [one["host"] for one in active["items"] if one["marker"] == one["expected"]] == ["h1"]
    world.pass_time(200)
    assert status(world)["h2"] == "away"
    hosts[1].behaviour.away = False
    settle(world)
    assert status(world) == {"h1": "active", "h2": "active"}


def test_a_new_version_goes_to_the_hosts_it_has(world: World, hosts: list[FakeHost]) -> None:
    deploy(world)
    settle(world)
    world.post(PATH, {**deployment("web", [], "process-topk-v1", k=7)})
    found = settle(world)
    assert (found["current"], found["pipeline"]) == (2, "process-topk-v1 k=7")
    assert {host.marker for host in hosts} == {one["marker"] for one in found["status"].values()}
    refused = world.send("POST", PATH, deployment("web", ["h1"], "process-topk-v1"))
    assert refused.status == 409
    assert "runs on h1, h2" in refused.json["detail"]


def test_a_failure_is_shown_in_the_collectors_words_and_undone_on_that_host(
    world: World, hosts: list[FakeHost]
) -> None:
    deploy(world)
    settle(world)
    before = hosts[0].config
    hosts[0].behaviour.refuses = lambda config: WORDS if config["processors"].keys() - before["processors"] else ""  # type: ignore[index]
    world.post(PATH, deployment("web", [], "process-topk-v1", k=7))
    settle(world)
    world.pass_time(5)
    found = shown(world)["status"]
    assert (found["h1"]["status"], found["h2"]["status"]) == ("rolled_back", "active")
    assert found["h1"]["error"] == WORDS
    assert hosts[0].config is not None
    assert hosts[0].config["processors"].keys() == before["processors"].keys()  # type: ignore[index]
    offered = len(hosts[0].offers)
    world.pass_time(60)
    assert len(hosts[0].offers) == offered
    again = world.send("POST", PATH, deployment("web", [], "process-topk-v1", k=7))
    assert (again.status, again.json["code"]) == (409, "PHX-CONFLICT")
    assert WORDS in again.json["detail"]
    assert shown(world)["current"] == 2
    hosts[0].behaviour.refuses = lambda config: ""
    forced = world.post(PATH, {**deployment("web", [], "process-topk-v1", k=7), "force": True})
    assert forced["current"] == 3
    settle(world)
    assert status(world) == {"h1": "active", "h2": "active"}


def test_the_exit_code_is_shown_until_better_words_come(world: World, hosts: list[FakeHost]) -> None:
    hosts[0].behaviour.refuses = lambda config: WORDS if "hostmetrics" in config["receivers"] else ""
    said: list[str] = []
    hosts[0].say_why = lambda text, now: said.append(text)  # type: ignore[assignment,method-assign,return-value]
    deploy(world)
    settle(world)
    world.pass_time(5)
    assert shown(world)["status"]["h1"]["error"] == EXIT_CODE
    report = {"collectorError": {"text": said[0], "at": world.clock.now() - 5, "marker": None}}
    assert world.send("PUT", "/api/v1/hosts/h1/status", report, token=hosts[0].token).status == 204
    assert shown(world)["status"]["h1"]["error"] == WORDS


def test_a_roll_back_is_a_new_version_of_the_same_content(world: World, hosts: list[FakeHost]) -> None:
    deploy(world)
    settle(world)
    deploy(world, "process-topk-v1", k=7)
    settle(world)
    world.post(PATH + "/web/rollback", {})
    found = settle(world)
    versions = found["versions"]
    assert (found["current"], versions[2]["note"]) == (3, "roll back to version 1")
    assert versions[2]["configs"] == versions[0]["configs"]
    assert {one["status"] for one in found["status"].values()} == {"active"}
    world.post(PATH + "/web/rollback", {"version": 2})
    found = settle(world)
    assert (found["current"], found["pipeline"]) == (4, "process-topk-v1 k=7")


def test_a_roll_back_that_leads_nowhere_is_refused(world: World, hosts: list[FakeHost]) -> None:
    deploy(world)
    settle(world)
    refused = world.send("POST", PATH + "/web/rollback", {})
    assert (refused.status, "no earlier version" in refused.json["detail"]) == (409, True)
    refused = world.send("POST", PATH + "/web/rollback", {"version": 9})
    assert (refused.status, refused.json["errors"][0]["pointer"]) == (400, "/version")
    assert shown(world)["current"] == 1


def test_a_roll_back_to_what_failed_meanwhile_is_refused(world: World, hosts: list[FakeHost]) -> None:
    hosts[0].behaviour.refuses = lambda config: WORDS if "hostmetrics" in config["receivers"] else ""
    deploy(world)
    settle(world)
    world.pass_time(5)
    hosts[0].behaviour.refuses = lambda config: ""
    deploy(world, "process-topk-v1", k=7)
    settle(world)
    refused = world.send("POST", PATH + "/web/rollback", {})
    assert (refused.status, WORDS in refused.json["detail"]) == (409, True)
    assert shown(world)["current"] == 2


def test_deleting_leaves_idle_collectors_and_free_hosts(world: World, hosts: list[FakeHost]) -> None:
    deploy(world)
    settle(world)
    assert world.send("DELETE", PATH + "/web").status == 204
    world.pass_time(5)
    assert world.send("GET", PATH + "/web").status == 404
    assert [list(host.config["receivers"]) for host in hosts if host.config] == [["nop"], ["nop"]]
    assert [world.get(f"/api/v1/hosts/{name}")["deployment"] for name in ("h1", "h2")] == ["", ""]
    assert world.send("DELETE", PATH + "/web").status == 404


def test_the_same_name_can_be_made_and_deleted_again_at_once(world: World, hosts: list[FakeHost]) -> None:
    for _ in range(3):
        deploy(world)
        settle(world)
        assert world.send("DELETE", PATH + "/web").status == 204
        assert world.send("GET", PATH + "/web").status == 404
        assert world.control_plane.tick() == 0
    world.chain("deployment:web")


def test_a_host_in_use_is_not_removed(world: World, hosts: list[FakeHost]) -> None:
    deploy(world)
    refused = world.send("DELETE", "/api/v1/hosts/h1")
    assert (refused.status, "phoenix pipeline delete web" in refused.json["hint"]) == (409, True)
    assert hosts[0].poll(world.clock.now()).status == 200


def test_a_host_that_lost_its_configuration_is_given_it_again(world: World, hosts: list[FakeHost]) -> None:
    deploy(world)
    settle(world)
    hosts[0].forget()
    world.pass_time(6)
    assert status(world) == {"h1": "active", "h2": "active"}
    assert hosts[0].config is not None
    assert "config drifted" in [record.action for record in world.chain("host:h1")]


def test_a_configuration_of_ones_own_is_run_with_phoenixs_telemetry_added(world: World, hosts: list[FakeHost]) -> None:
    config = {
        "receivers": {"hostmetrics": {"collection_interval": "10s", "scrapers": {"process": {}}}},
        "exporters": {"debug": {}},
        "service": {"pipelines": {"metrics": {"receivers": ["hostmetrics"], "exporters": ["debug"]}}},
    }
    world.post(PATH, {"name": "web", "hosts": ["h1", "h2"], "plan": {"config": config}})
    found = settle(world)
    assert found["pipeline"] == "own configuration"
    running = hosts[0].config
    assert running is not None
    assert running["receivers"] == config["receivers"]
    assert running["service"]["pipelines"]["metrics"] == config["service"]["pipelines"]["metrics"]
    assert running["service"]["telemetry"]["resource"]["phoenix.host"] == "h1"
