"""The OpenAPI 3.1 document, derived from the declared routes and their models. Nothing is written by hand."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, cast

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from chalicelib.api.furniture.problem import CONTENT_TYPE, ProblemDocument
from chalicelib.api.furniture.route import JSON, PROTOBUF, Kind, Route
from chalicelib.domain.access import Public
from chalicelib.domain.errors import InvalidInput, NotAllowed, NotAuthenticated, PhoenixError, TooLarge, WrongMediaType

_REF = "#/components/schemas/{model}"
_BINARY = {PROTOBUF: {"schema": {"type": "string", "format": "binary"}}}
_ALWAYS: tuple[type[PhoenixError], ...] = (
    InvalidInput,
    NotAuthenticated,
    NotAllowed,
    TooLarge,
    WrongMediaType,
    PhoenixError,
)


def openapi(routes: Sequence[Route], version: str) -> dict[str, Any]:
    """The document. Pure: the same routes give the same document."""
    refs, schemas = _schemas(routes)
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, refs)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Phoenix", "version": version, "description": "A/B testing of telemetry pipelines."},
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "bearerFormat": "phx_…"}},
        },
    }


def _schemas(routes: Sequence[Route]) -> tuple[dict[tuple[type[BaseModel], str], Any], dict[str, Any]]:
    wanted: dict[tuple[type[BaseModel], JsonSchemaMode], None] = {(ProblemDocument, "serialization"): None}
    for route in routes:
        if route.request is not None:
            wanted[(route.request, "validation")] = None
        if route.response is not None:
            wanted[(route.response, "serialization")] = None
    refs, definitions = models_json_schema(list(wanted), by_alias=True, ref_template=_REF)
    return {(cast(type[BaseModel], model), mode): schema for (model, mode), schema in refs.items()}, definitions.get(
        "$defs", {}
    )


def _operation(route: Route, refs: dict[tuple[type[BaseModel], str], Any]) -> dict[str, Any]:
    public = isinstance(route.role, Public)
    operation: dict[str, Any] = {
        "operationId": operation_id(route),
        "summary": route.summary,
        "description": f"Public: {route.role.value}." if public else f"Needs the role `{route.role.value}`.",
        "security": [] if public else [{"token": []}],
        "parameters": _parameters(route),
        "responses": {**_successes(route, refs), **_failures(route, refs)},
    }
    if not public:
        operation["x-phoenix-role"] = route.role.value
    if route.kind is Kind.BINARY:
        operation["requestBody"] = {
            "required": True,
            "content": {PROTOBUF: {"schema": {"type": "string", "format": "binary"}}},
        }
    elif route.request is not None:
        operation["requestBody"] = {
            "required": True,
            "content": {JSON: {"schema": refs[(route.request, "validation")]}},
        }
    return operation


def operation_id(route: Route) -> str:
    """Stable id: method and path words in camel case, such as getExperimentsName."""
    words = [w for w in re.split(r"[^A-Za-z0-9]+", route.path.removeprefix("/api/v1")) if w]
    return route.method.lower() + "".join(w[0].upper() + w[1:] for w in words)


def _parameters(route: Route) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "pattern": "^[A-Za-z0-9._-]+$"}}
        for name in re.findall(r"{(\w+)}", route.path)
    ]
    if route.query is not None:
        schema = route.query.model_json_schema(by_alias=True)
        found += [
            {"name": name, "in": "query", "required": name in schema.get("required", []), "schema": part}
            for name, part in schema["properties"].items()
        ]
    return found


def _successes(route: Route, refs: dict[tuple[type[BaseModel], str], Any]) -> dict[str, Any]:
    done = _success(route, refs)
    repeated = {"200": {**done, "description": "had been done before"}} if route.repeatable else {}
    return {**repeated, str(route.status): done}


def _success(route: Route, refs: dict[tuple[type[BaseModel], str], Any]) -> dict[str, Any]:
    if route.kind is Kind.BINARY:
        return {"description": "done", "content": _BINARY}
    if route.response is None:
        return {"description": "done"}
    return {"description": "done", "content": {JSON: {"schema": refs[(route.response, "serialization")]}}}


def _failures(route: Route, refs: dict[tuple[type[BaseModel], str], Any]) -> dict[str, Any]:
    schema = refs[(ProblemDocument, "serialization")]
    return {
        str(error.status): {
            "description": f"{error.code}: {error.title}",
            "content": {CONTENT_TYPE: {"schema": schema}},
        }
        for error in (*_ALWAYS, *route.errors)
    }
