"""Who may call what: every declared route with every kind of credential that is not good enough for it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from chalicelib.api.furniture.route import Kind, Route
from chalicelib.domain.access import Public, Role
from tests.functional.control_plane.asgi import Answer
from tests.functional.control_plane.fake_host import PROTOBUF, FakeHost
from tests.functional.control_plane.wire import Stream, counts
from tests.functional.control_plane.world import World

PUBLIC = {("GET", "/healthz"), ("POST", "/api/v1/enrolments/exchange")}
"""The only routes without a credential; another one is a decision that this test asks to be made knowingly."""
EDGES = (Role.HOST, Role.CLUSTER, Role.SENDER)
RANK = {Role.VIEWER: 1, Role.OPERATOR: 2, Role.ADMIN: 3}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Shared: none of these requests may change anything."""
    folder: Path = tmp_path_factory.mktemp("access")
    made = World(folder)
    for name in ("h1", "h2"):
        made.host(name)
    yield made
    made.close()


def call(world: World, route: Route, token: str | None, host: str = "h1") -> Answer:
    target = re.sub(r"{host}", host, route.path)
    target = re.sub(r"{\w+}", "some", target)
    body = {} if route.request is not None else None
    content_type = PROTOBUF if route.kind is Kind.BINARY else None
    return world.send(route.method, target, body, token=token, content_type=content_type)


def guarded(world: World) -> list[Route]:
    return [route for route in world.control_plane.routes if not isinstance(route.role, Public)]


def refused(answer: Answer, status: int, code: str) -> None:
    assert (answer.status, answer.headers["content-type"]) == (status, "application/problem+json")
    assert answer.json["code"] == code
    assert answer.json["detail"]


def test_only_health_and_enrolment_are_public(world: World) -> None:
    assert {(r.method, r.path) for r in world.control_plane.routes if isinstance(r.role, Public)} == PUBLIC
    assert world.send("GET", "/healthz", token=None).json == {"status": "ok", "version": "0.1.0"}


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic YTpi", "phx_x"])
def test_no_token_is_401_everywhere(world: World, header: str | None) -> None:
    for route in guarded(world):
        target = re.sub(r"{\w+}", "some", route.path)
        headers = {} if header is None else {"authorization": header}
        content_type = PROTOBUF if route.kind is Kind.BINARY else None
        answer = world.send(route.method, target, token=None, headers=headers, content_type=content_type)
        refused(answer, 401, "PHX-UNAUTHENTICATED")
        assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("secret", ["phx_unknown", "x" * 5000, "ü", "phx_' OR 1=1 --"])
def test_an_unknown_token_is_401_everywhere(world: World, secret: str) -> None:
    for route in guarded(world):
        refused(call(world, route, secret), 401, "PHX-UNAUTHENTICATED")


def test_a_revoked_and_an_expired_token_are_401_at_once(world: World) -> None:
    made = world.post("/api/v1/tokens", {"role": "viewer", "name": "short", "lifetime": "10s"}, token="admin")
    other = world.post("/api/v1/tokens", {"role": "viewer", "name": "other"}, token="admin")
    for token in (made, other):
        assert world.send("GET", "/api/v1/whoami", token=token["secret"]).json["subject"] == token["name"]
    assert world.send("DELETE", f"/api/v1/tokens/{other['id']}", token="admin").status == 204
    world.clock.advance(10)
    for token in (made, other):
        refused(world.send("GET", "/api/v1/whoami", token=token["secret"]), 401, "PHX-UNAUTHENTICATED")
    shown = world.send("GET", "/api/v1/tokens", token="admin").body.decode()
    assert made["secret"] not in shown
    assert "digest" not in shown


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR, Role.ADMIN])
def test_a_role_opens_its_own_routes_and_those_below_and_no_host_route(world: World, role: Role) -> None:
    for route in guarded(world):
        if route.role in EDGES or RANK[role] < RANK[route.role]:  # type: ignore[index]
            refused(call(world, route, role.value), 403, "PHX-FORBIDDEN")
    assert world.get("/api/v1/whoami", token=role.value)["role"] == role.value


def test_a_host_token_opens_no_user_route(world: World) -> None:
    for route in guarded(world):
        if route.role not in (Role.HOST, Role.SENDER):
            refused(call(world, route, world.hosts["h1"].token), 403, "PHX-FORBIDDEN")


def test_a_host_token_opens_only_its_own_hosts_routes(world: World) -> None:
    owned = [route for route in guarded(world) if route.own is not None]
    assert owned
    for route in owned:
        refused(call(world, route, world.hosts["h2"].token, "h1"), 403, "PHX-FORBIDDEN")
    mine = world.send("PUT", "/api/v1/hosts/h1/status", {"cpuCount": 2}, token=world.hosts["h1"].token)
    assert mine.status == 204


def test_a_host_cannot_send_measurements_of_another(world: World) -> None:
    body = counts({"phoenix.scope": "s", "phoenix.host": "h1"}, [Stream("raw", 1)], world.clock.now())
    refused(world.hosts["h2"].send(body.SerializeToString()), 403, "PHX-FORBIDDEN")
    found = world.control_plane.services.ingest._context.records.measurements.read("default", "s", "h1")
    assert found == ([], [])


def test_a_host_cannot_speak_for_anothers_supervisor(world: World) -> None:
    h1, h2 = world.hosts["h1"], world.hosts["h2"]
    before = world.get("/api/v1/hosts/h1")
    thief = FakeHost("h1", h2.token, world.send)
    refused(thief.poll(world.clock.now()), 403, "PHX-FORBIDDEN")
    assert world.get("/api/v1/hosts/h1") == before
    assert h1.poll(world.clock.now()).status == 200


def test_a_removed_host_is_out_at_once_and_may_come_back_under_another_name(world: World) -> None:
    host = world.host("h3")
    assert world.send("DELETE", "/api/v1/hosts/h3").status == 204
    refused(host.poll(world.clock.now()), 401, "PHX-UNAUTHENTICATED")
    again = world.host("h4")
    again.uid = host.uid
    assert again.poll(world.clock.now(), full=True).status == 200


def test_an_enrolment_token_works_once_for_its_name_and_not_for_ever(world: World) -> None:
    def exchange(token: str, host: str) -> Answer:
        return world.send("POST", "/api/v1/enrolments/exchange", {"token": token, "host": host}, token=None)

    token = world.post("/api/v1/enrolments", {"host": "h7"})["token"]
    refused(exchange(token, "h8"), 409, "PHX-CONFLICT")
    assert exchange(token, "h7").status == 201
    refused(exchange(token, "h7"), 401, "PHX-UNAUTHENTICATED")
    refused(exchange("phx_e_unknown", "h8"), 401, "PHX-UNAUTHENTICATED")
    taken = world.post("/api/v1/enrolments", {})["token"]
    refused(exchange(taken, "h7"), 409, "PHX-CONFLICT")
    refused(world.send("POST", "/api/v1/enrolments", {"host": "h7"}), 409, "PHX-CONFLICT")
    late = world.post("/api/v1/enrolments", {})["token"]
    world.clock.advance(3600)
    refused(exchange(late, "h8"), 401, "PHX-UNAUTHENTICATED")
