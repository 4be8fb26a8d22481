"""Letting clusters in, showing, rotating, removing them; and what their tokens may do."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chalicelib.domain.access import DEFAULT_TENANT
from chalicelib.domain.cluster.cluster import Credentials
from tests.fakes.kubernetes_cluster import FakeCluster, node
from tests.functional.clusters.landscape import CA, SECRET, SERVER, Landscape
from tests.functional.control_plane.wire import Stream, counts
from tests.functional.control_plane.world import deployment

PUSH = {"name": "prod", "server": SERVER, "credentials": {"token": SECRET}}


def everything_stored(land: Landscape) -> str:
    """All items, as text."""
    assert land.world.remains is not None
    return json.dumps([text for _, text in land.world.remains._rows.values()], default=str)  # type: ignore[attr-defined]


def test_no_credential_is_in_any_item_or_answer(land: Landscape) -> None:
    land.register()
    land.pass_time(5)
    secret = land.world.post(
        "/api/v1/clusters/prod/rotate", {"credentials": {"token": "another-secret-token"}}, token="admin"
    )
    shown = json.dumps([land.world.get("/api/v1/clusters"), land.world.get("/api/v1/clusters/prod"), secret["cluster"]])
    for text in (shown, everything_stored(land)):
        assert SECRET not in text
        assert "another-secret-token" not in text
        assert land.tokens["prod"] not in text
    assert "a-token" not in repr(Credentials.model_validate({"token": SECRET}))


def test_a_cluster_is_called_before_it_is_let_in(land: Landscape) -> None:
    cluster = land.apis.clusters["prod"] = FakeCluster(land.world.clock.now)
    cluster.missing = "patch phoenixprocesspipelines.phoenix.io"
    answer = land.world.send("POST", "/api/v1/clusters", PUSH, token="admin")
    assert (answer.status, answer.json["code"]) == (422, "PHX-REJECTED")
    assert answer.json["errors"][0]["rule"] == f"may not {cluster.missing}"
    assert "phoenix cluster manifest" in answer.json["hint"]
    cluster.missing, cluster.away = "", "no route"
    assert land.world.send("POST", "/api/v1/clusters", PUSH, token="admin").status == 503
    assert land.world.get("/api/v1/clusters")["items"] == []
    cluster.away = ""
    assert land.world.send("POST", "/api/v1/clusters", PUSH, token="admin").status == 201
    assert land.world.send("POST", "/api/v1/clusters", PUSH, token="admin").status == 409
    assert land.world.send("POST", "/api/v1/clusters", PUSH).status == 403


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"server": None, "credentials": None}, "/server"),
        ({"credentials": None}, "/credentials"),
        ({"mode": "pull"}, "/mode"),
        ({"eks": {"region": "eu-west-1", "clusterName": "c"}}, "/server"),
        ({"credentials": {"token": SECRET, "clientKey": "x"}}, "/credentials"),
        ({"credentials": {}}, "/credentials"),
        ({"server": {"url": "http://10.0.0.1", "ca": CA}}, "/server/url"),
        ({"server": {"url": "https://user:pass@10.0.0.1", "ca": CA}}, "/server/url"),
        ({"server": {"url": "https://10.0.0.1", "ca": "none"}}, "/server/ca"),
        ({"name": "a" * 41}, "/name"),
        ({"name": "Prod"}, "/name"),
        ({"namespace": "a.b"}, "/namespace"),
        ({"kubeconfig": "x"}, "/kubeconfig"),
    ],
)
def test_bad_input_is_named_and_never_repeated(land: Landscape, change: dict[str, Any], pointer: str) -> None:
    answer = land.world.send("POST", "/api/v1/clusters", {**PUSH, **change}, token="admin")
    assert answer.status == 400, answer.body
    assert answer.json["errors"][0]["pointer"].startswith(pointer)
    assert SECRET.encode() not in answer.body


def test_a_clusters_token_sends_for_its_own_nodes_and_does_nothing_else(land: Landscape) -> None:
    land.register("prod")
    land.register("other")
    land.pass_time(2)

    def send(host: str, token: str) -> int:
        body = counts({"phoenix.scope": "s", "phoenix.host": host}, [Stream("raw", 1)], land.world.clock.now())
        raw = body.SerializeToString()
        kind = "application/x-protobuf"
        return land.world.send("POST", "/v1/metrics", raw=raw, content_type=kind, token=token).status

    assert send("node-1", land.tokens["prod"]) == 200
    records = land.world.control_plane.services.ingest._context.records
    assert len(records.measurements.read(DEFAULT_TENANT, "s", "prod-node-1")[0]) == 1
    assert records.measurements.read(DEFAULT_TENANT, "s", "node-1")[0] == []
    assert send("prod-node-1", land.tokens["prod"]) == 403
    assert send("../node-1", land.tokens["prod"]) == 403
    for route in land.world.control_plane.routes:
        if getattr(route.role, "value", "") in ("cluster", "sender"):
            continue
        target = route.path.replace("{cluster}", "prod").replace("{host}", "prod-node-1")
        if "{" in target or not hasattr(route.role, "value") or route.role.name in ("HEALTH", "ENROLMENT"):
            continue
        status = land.world.send(route.method, target, {} if route.request else None, token=land.tokens["prod"]).status
        assert status == 403, f"{route.method} {route.path}"
    wrong = land.world.send("POST", "/api/v1/clusters/other/exchange", {}, token=land.tokens["prod"])
    assert wrong.status == 403


def test_a_pushed_cluster_has_no_exchange_of_its_own(land: Landscape) -> None:
    land.register()
    answer = land.world.send("POST", "/api/v1/clusters/prod/exchange", {}, token=land.tokens["prod"])
    assert (answer.status, "push mode" in answer.json["detail"]) == (409, True)


def test_rotation_keeps_the_old_token_until_the_new_one_is_used(land: Landscape) -> None:
    cluster = land.register()
    land.pass_time(2)
    land.deploy(["prod-node-1"])
    land.counting = True
    old = land.tokens["prod"]
    fresh = {"token": "fresh-credentials"}
    cluster.credentials = Credentials.model_validate(fresh)
    made = land.world.post("/api/v1/clusters/prod/rotate", {"credentials": fresh}, token="admin")
    assert made["cluster"]["retiringTokens"] == 1
    land.pass_time(5)
    assert land.world.get("/api/v1/clusters/prod")["unreachableSince"] is None
    assert land.world.send("GET", "/api/v1/whoami", token=old).status in (200, 403)
    land.tokens["prod"] = made["token"]
    land.pass_time(20)
    assert land.world.get("/api/v1/clusters/prod")["retiringTokens"] == 0
    assert land.world.send("GET", "/api/v1/whoami", token=old).status == 401
    now = land.world.post("/api/v1/clusters/prod/rotate", {"atOnce": True}, token="admin")
    assert land.world.send("GET", "/api/v1/whoami", token=made["token"]).status == 401
    land.tokens["prod"] = now["token"]
    land.pass_time(3)


def test_credentials_that_do_not_work_are_not_rotated_in(land: Landscape) -> None:
    cluster = land.register()
    cluster.credentials = Credentials.model_validate({"token": SECRET})
    body = {"credentials": {"token": "wrong-credentials"}}
    assert land.world.send("POST", "/api/v1/clusters/prod/rotate", body, token="admin").status == 403
    land.pass_time(40)
    assert land.world.get("/api/v1/clusters/prod")["unreachableSince"] is None


def test_removal_is_refused_while_a_node_is_held_and_clears_the_cluster_when_it_goes_through(land: Landscape) -> None:
    cluster = land.register()
    land.pass_time(2)
    land.deploy(["prod-node-1"])
    refused = land.world.send("DELETE", "/api/v1/clusters/prod", token="admin")
    assert refused.status == 409
    assert "deployment base" in refused.json["detail"]
    answer = land.world.send("DELETE", "/api/v1/clusters/prod?force=true", token="admin")
    assert (answer.status, answer.json) == (200, {"left": ""})
    assert cluster.pipelines == {}
    assert land.world.get("/api/v1/hosts")["items"] == []
    assert land.world.send("GET", "/api/v1/whoami", token=land.tokens["prod"]).status == 401
    looks = cluster.looks
    land.pass_time(40)
    assert cluster.looks == looks
    land.register()
    land.pass_time(2)


def test_removing_a_cluster_out_of_reach_says_what_goes_on_there(land: Landscape) -> None:
    cluster = land.register()
    land.pass_time(2)
    cluster.away = "no route"
    answer = land.world.send("DELETE", "/api/v1/clusters/prod", token="admin")
    assert answer.status == 200
    assert "kubectl -n phoenix delete" in answer.json["left"]


def test_a_nodes_host_goes_with_its_cluster_and_not_by_itself(land: Landscape) -> None:
    land.register()
    land.pass_time(2)
    answer = land.world.send("DELETE", "/api/v1/hosts/prod-node-1")
    assert answer.status == 409
    assert "phoenix cluster remove prod" in answer.json["hint"]


def test_a_test_call_lists_the_rights(land: Landscape) -> None:
    cluster = land.register()
    found = land.world.post("/api/v1/clusters/prod/test")
    assert (found["reached"], found["version"]) == (True, "v1.34.2")
    assert all(right["allowed"] for right in found["rights"])
    cluster.away = "no route"
    found = land.world.post("/api/v1/clusters/prod/test")
    assert (found["reached"], found["problem"]) == (False, "no route")


def test_a_name_that_belongs_to_another_host_is_a_problem_that_is_shown(land: Landscape) -> None:
    land.world.host("prod-node-1")
    land.register(nodes=[node("node-1"), node("node-2")])
    land.pass_time(2)
    shown = land.world.get("/api/v1/clusters/prod")
    assert [one["host"] for one in shown["nodes"]] == ["prod-node-2"]
    assert "belongs to another host" in shown["problems"][0]
    land.world.post("/api/v1/deployments", deployment("base", ["prod-node-1"], "process-baseline-v1"))
    land.until("by its own supervisor", lambda: land.statuses() == {"prod-node-1": "active"})


def test_a_cluster_that_is_registered_under_another_name_is_refused(land: Landscape) -> None:
    land.register("prod")
    land.apis.clusters["two"] = land.apis.clusters["prod"]
    server = {**SERVER, "url": SERVER["url"] + "/"}
    body = {"name": "two", "server": server, "credentials": {"token": SECRET}}
    answer = land.world.send("POST", "/api/v1/clusters", body, token="admin")
    assert (answer.status, answer.json["detail"]) == (
        409,
        "this cluster and namespace are registered already, as 'prod'",
    )
    assert "--namespace" in answer.json["hint"]
    other = land.world.send("POST", "/api/v1/clusters", {**body, "namespace": "other"}, token="admin")
    assert other.status == 201
