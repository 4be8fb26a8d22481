"""The OpenAPI document against the routes that really answer, by the rules of OpenAPI 3.1, and paging as it says."""

from __future__ import annotations

import re
from typing import Any

import pytest

from chalicelib.domain.access import Public
from tests.functional.control_plane.world import World

METHODS = {"get", "put", "post", "delete", "patch"}


@pytest.fixture
def document(world: World) -> dict[str, Any]:
    found: dict[str, Any] = world.get("/api/v1/openapi.json")
    return found


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [(m.upper(), path, op) for path, item in document["paths"].items() for m, op in item.items()]


def test_it_is_an_openapi_31_document(document: dict[str, Any]) -> None:
    assert re.fullmatch(r"3\.1\.\d+", document["openapi"])
    assert {"title", "version"} <= document["info"].keys()
    assert document["components"]["securitySchemes"]["token"]["type"] == "http"
    for method, path, operation in operations(document):
        assert method.lower() in METHODS
        assert path.startswith("/")
        assert operation["summary"]
        assert all(re.fullmatch(r"[1-5]\d\d", status) for status in operation["responses"])
        assert all(response["description"] for response in operation["responses"].values())
        for part in (*operation["responses"].values(), operation.get("requestBody", {"content": {}})):
            assert all("/" in kind and "schema" in media for kind, media in part.get("content", {}).items())


def test_every_route_is_there_with_its_role_and_nothing_else(world: World, document: dict[str, Any]) -> None:
    declared = {(route.method, route.path): route for route in world.control_plane.routes}
    assert {(method, path) for method, path, _ in operations(document)} == declared.keys()
    for method, path, operation in operations(document):
        route = declared[method, path]
        if isinstance(route.role, Public):
            assert operation["security"] == []
            assert "x-phoenix-role" not in operation
        else:
            assert operation["security"] == [{"token": []}]
            assert operation["x-phoenix-role"] == route.role.value
        assert str(route.status) in operation["responses"]
        assert {"400", "401", "403", "413", "415", "500"} <= operation["responses"].keys()
        assert {str(error.status) for error in route.errors} <= operation["responses"].keys()


def test_operation_ids_are_unique_and_path_parameters_are_declared(document: dict[str, Any]) -> None:
    ids = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(ids) == len(set(ids))
    for _, path, operation in operations(document):
        named = {p["name"] for p in operation["parameters"] if p["in"] == "path"}
        assert named == set(re.findall(r"{(\w+)}", path))
        keys = [(p["in"], p["name"]) for p in operation["parameters"]]
        assert len(keys) == len(set(keys))
        assert all(p["required"] for p in operation["parameters"] if p["in"] == "path")


def test_every_reference_resolves(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    found = _references(document)
    assert found
    assert {reference.removeprefix("#/components/schemas/") for reference in found} <= schemas.keys()


def _references(node: Any) -> set[str]:
    if isinstance(node, list):
        return set().union(*(_references(one) for one in node))
    if not isinstance(node, dict):
        return set()
    own = {node["$ref"]} if isinstance(node.get("$ref"), str) else set()
    return own.union(*(_references(one) for one in node.values()))


def test_errors_have_one_form(document: dict[str, Any]) -> None:
    for _, _, operation in operations(document):
        for status, response in operation["responses"].items():
            if status >= "400":
                (media,) = response["content"].items()
                assert media == (
                    "application/problem+json",
                    {"schema": {"$ref": "#/components/schemas/ProblemDocument"}},
                )


@pytest.mark.parametrize("path", ["/api/v1/hosts", "/api/v1/experiments", "/api/v1/deployments", "/api/v1/tokens"])
def test_every_list_that_pages_says_so(document: dict[str, Any], path: str) -> None:
    parameters = {p["name"]: p["schema"] for p in document["paths"][path]["get"]["parameters"]}
    assert (parameters["limit"]["minimum"], parameters["limit"]["maximum"]) == (1, 500)
    assert "cursor" in parameters


def test_pages_show_everything_once_in_order(world: World) -> None:
    names = [f"h{number:02d}" for number in range(11)]
    for name in reversed(names):
        world.host(name)
    seen: list[str] = []
    target, pages = "/api/v1/hosts?limit=4", 0
    while True:
        page = world.get(target)
        pages += 1
        assert len(page["items"]) <= 4
        seen += [host["name"] for host in page["items"]]
        if page["nextCursor"] is None:
            break
        target = f"/api/v1/hosts?limit=4&cursor={page['nextCursor']}"
    assert (seen, pages) == (names, 3)
    foreign = world.get("/api/v1/hosts?limit=4")["nextCursor"]
    assert world.send("GET", f"/api/v1/tokens?cursor={foreign}", token="admin").status == 400
