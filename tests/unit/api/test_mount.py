"""One declared route, mounted: what reaches its handler, and what never does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from chalice.app import Chalice
from pydantic import Field

from chalicelib.api.furniture.mount import mount
from chalicelib.api.furniture.openapi import openapi
from chalicelib.api.furniture.route import MAX_DEPTH, Model, Request, Route
from chalicelib.domain.access import Principal, Role
from chalicelib.domain.errors import NotAuthenticated
from phoenix_cli.local.gateway import Gateway
from tests.functional.control_plane.asgi import Answer, Asgi


class Order(Model):
    """A body."""

    how_many: int = Field(ge=1)
    note: dict[str, Any] = Field(default_factory=dict)


class Asked(Model):
    """A query."""

    loud: bool = False


def authenticate(secret: str) -> Principal:
    if secret != "good":
        raise NotAuthenticated("unknown token")
    return Principal(tenant="t", role=Role.OPERATOR, subject="ada", token_id="1")


class Counter:
    """A mounted route that counts what reached it."""

    def __init__(self) -> None:
        self.taken: list[Request] = []
        route = Route(
            "POST", "/things/{thing}", Role.OPERATOR, self._handle, "Take", request=Order, response=Order, query=Asked
        )
        broken = Route("GET", "/broken", Role.VIEWER, self._break, "Fail")
        app = Chalice("t")
        app.register_blueprint(mount((route, broken), authenticate))
        self.routes = (route, broken)
        self.http = Asgi(Gateway(app))

    def _handle(self, request: Request) -> Order:
        self.taken.append(request)
        return request.body

    def _break(self, request: Request) -> None:
        raise ZeroDivisionError("a secret of ours")

    def post(self, body: Any, target: str = "/things/one", **headers: str) -> Answer:
        given = {"authorization": "Bearer good", "content-type": "application/json", **headers}
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.http.call("POST", target, given, raw)


@pytest.fixture
def counter() -> Iterator[Counter]:
    made = Counter()
    yield made
    made.http.close()


def test_a_handler_is_given_checked_things(counter: Counter) -> None:
    answer = counter.post({"howMany": 2}, "/things/a.b-c_1?loud=true")
    assert (answer.status, answer.json) == (200, {"howMany": 2, "note": {}})
    (request,) = counter.taken
    assert (request.principal.subject, request.params, request.query.loud) == ("ada", {"thing": "a.b-c_1"}, True)
    assert request.body == Order(how_many=2)


@pytest.mark.parametrize(
    ("body", "target", "headers", "status"),
    [
        ({"howMany": 0}, "/things/one", {}, 400),
        ({"howMany": 1, "x": 1}, "/things/one", {}, 400),
        (b"{", "/things/one", {}, 400),
        (b"", "/things/one", {}, 400),
        ({"howMany": 1}, "/things/one?quiet=1", {}, 400),
        ({"howMany": 1}, "/things/one?loud=perhaps", {}, 400),
        ({"howMany": 1}, "/things/a%20b", {}, 400),
        ({"howMany": 1}, "/things/one", {"authorization": "Bearer bad"}, 401),
        ({"howMany": 1}, "/things/one", {"authorization": "good"}, 401),
        ({"howMany": 1}, "/things/one", {"content-type": "text/csv"}, 415),
        (b" " * (4 * 1024 * 1024 + 1), "/things/one", {}, 413),
    ],
)
def test_what_is_wrong_never_reaches_a_handler(
    counter: Counter, body: Any, target: str, headers: dict[str, str], status: int
) -> None:
    answer = counter.post(body, target, **headers)
    assert (answer.status, answer.headers["content-type"]) == (status, "application/problem+json")
    assert answer.json["status"] == status
    assert counter.taken == []


@pytest.mark.parametrize(("depth", "status"), [(MAX_DEPTH - 2, 200), (MAX_DEPTH + 1, 400), (3000, 400)])
def test_nesting_has_an_end(counter: Counter, depth: int, status: int) -> None:
    body = b'{"howMany":1,"note":' + b'{"a":' * depth + b"1" + b"}" * depth + b"}"
    assert counter.post(body).status == status


def test_a_mistake_of_ours_is_500_and_tells_nothing(counter: Counter) -> None:
    answer = counter.http.call("GET", "/broken", {"authorization": "Bearer good"})
    assert (answer.status, answer.json["code"]) == (500, "PHX-INTERNAL")
    assert b"secret" not in answer.body


def test_authentication_comes_before_everything_else_about_a_request(counter: Counter) -> None:
    assert counter.post(b"{", authorization="Bearer bad").status == 401


def test_the_document_is_derived_and_always_the_same(counter: Counter) -> None:
    first, second = openapi(counter.routes, "1"), openapi(counter.routes, "1")
    assert first == second
    operation = first["paths"]["/things/{thing}"]["post"]
    assert operation["operationId"] == "postThingsThing"
    assert {p["name"]: p["in"] for p in operation["parameters"]} == {"thing": "path", "loud": "query"}
    assert operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].endswith("Order")
