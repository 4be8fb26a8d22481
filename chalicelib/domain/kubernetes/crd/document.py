"""A value as the API server takes it for its schema: what a client sends. Nothing is read or sent here."""

from __future__ import annotations

from functools import cache
from typing import Any

from pydantic import BaseModel

from chalicelib.domain.kubernetes.crd.forms import Schema
from chalicelib.domain.kubernetes.crd.structural import structural


def document(value: BaseModel) -> dict[str, Any]:
    """A spec as JSON with nothing that its CRD refuses: no nulls, and durations of part of a second as text, as an
    integer or a string is all that a schema knows for them."""
    found: dict[str, Any] = _fit(value.model_dump(mode="json", by_alias=True, exclude_none=True), _schema(type(value)))
    return found


@cache
def _schema(model: type[BaseModel]) -> Schema:
    return structural(model)


def _fit(value: Any, schema: Schema) -> Any:
    if isinstance(value, dict):
        properties, others = schema.get("properties", {}), schema.get("additionalProperties", {})
        return {name: _fit(inner, properties.get(name, others)) for name, inner in value.items()}
    if isinstance(value, list):
        return [_fit(inner, schema.get("items", {})) for inner in value]
    if isinstance(value, float) and schema.get("x-kubernetes-int-or-string"):
        return int(value) if value.is_integer() else f"{value:.9g}s"
    return value
    return value
