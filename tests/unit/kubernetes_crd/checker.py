"""What an API server says of a value by a structural schema, rules in CEL apart: as much of OpenAPI as our CRDs use.
An unknown word in a schema is a mistake, so that nothing is passed over. The real server has its own test."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
}
KNOWN = {
    *("type", "description", "properties", "required", "additionalProperties", "items", "default", "enum", "nullable"),
    *("pattern", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minLength", "maxLength", "not"),
    *("minItems", "maxItems", "minProperties", "maxProperties", "format", "x-kubernetes-validations"),
    *("x-kubernetes-int-or-string", "x-kubernetes-preserve-unknown-fields", "x-kubernetes-list-type"),
    *("x-kubernetes-list-map-keys", "x-kubernetes-map-type"),
}


def mistakes(value: Any, schema: dict[str, Any], at: str = "") -> list[str]:
    """What is refused, and where."""
    assert schema.keys() <= KNOWN, schema.keys() - KNOWN
    if value is None:
        return [] if schema.get("nullable") or "type" not in schema else [f"{at}: null"]
    return [f"{at}: {why}" for why in _own(value, schema)] + list(_inner(value, schema, at))


def _own(value: Any, schema: dict[str, Any]) -> Iterator[str]:
    kind = schema.get("type")
    if kind and (not isinstance(value, TYPES[kind]) or (isinstance(value, bool) and kind != "boolean")):
        yield f"{value!r} is no {kind}"
    if schema.get("x-kubernetes-int-or-string") and (isinstance(value, bool) or not isinstance(value, int | str)):
        yield f"{value!r} is neither integer nor string"
    if "enum" in schema and value not in schema["enum"]:
        yield f"{value!r} is none of {schema['enum']}"
    if "not" in schema and isinstance(value, bool):
        yield "a boolean"
    if isinstance(value, str) and not re.search(schema.get("pattern", ""), value):
        yield f"{value!r} does not match {schema['pattern']}"
    if isinstance(value, int | float) and not isinstance(value, bool):
        yield from _bounds(value, schema)
    for word, types in (("Length", str), ("Items", list), ("Properties", dict)):
        if isinstance(value, types):
            size = len(value)  # type: ignore[arg-type]
            if not schema.get(f"min{word}", 0) <= size <= schema.get(f"max{word}", 1e9):
                yield f"{size} {word.lower()}"


def _bounds(value: float, schema: dict[str, Any]) -> Iterator[str]:
    least, most = schema.get("minimum", float("-inf")), schema.get("maximum", float("inf"))
    if value < least or (value == least and schema.get("exclusiveMinimum")):
        yield f"{value} is too small"
    if value > most or (value == most and schema.get("exclusiveMaximum")):
        yield f"{value} is too large"


def _inner(value: Any, schema: dict[str, Any], at: str) -> Iterator[str]:
    if isinstance(value, list) and "items" in schema:
        for number, item in enumerate(value):
            yield from mistakes(item, schema["items"], f"{at}[{number}]")
    if not isinstance(value, dict) or schema.get("x-kubernetes-preserve-unknown-fields"):
        return
    for name in schema.get("required", []):
        if name not in value:
            yield f"{at}.{name}: missing"
    for name, inner in value.items():
        known = schema.get("properties", {}).get(name, schema.get("additionalProperties"))
        if known is None:
            yield f"{at}.{name}: unknown field"
        else:
            yield from mistakes(inner, known, f"{at}.{name}")
