"""From a model to a structural OpenAPI v3 schema, as a CustomResourceDefinition takes it: no references, no unions but
integer or string, no `additionalProperties: false` (the API server refuses unknown fields by itself).

Kubernetes: "Specifying a structural schema" in the documentation of CustomResourceDefinitions. Kinds and versions are
the business of `definitions`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from chalicelib.domain.kubernetes.crd.forms import (
    ANYTHING,
    COMPUTED,
    FIELDS,
    GIVEN,
    INT_OR_STRING,
    MAP_LISTS,
    READERS,
    Schema,
)
from chalicelib.domain.kubernetes.crd.rules import RULES, keys_rule

_FORM = "x-phoenix-form"
_KEPT = ("minimum", "maximum", "minLength", "maxLength", "pattern", "minItems", "maxItems", "minProperties")
_BOUNDS = {"ge": "minimum", "le": "maximum", "min_length": "minLength", "max_length": "maxLength"}


class _Marked(GenerateJsonSchema):
    """Marks quantities that people may write as text with the place of their form in READERS."""

    def function_before_schema(self, schema: core_schema.BeforeValidatorFunctionSchema) -> JsonSchemaValue:
        inner = super().function_before_schema(schema)
        readers: list[Any] = list(READERS)
        function = schema["function"]["function"]
        return {**inner, _FORM: readers.index(function)} if function in readers else inner


def structural(model: type[BaseModel], *, defaults: bool = True) -> Schema:
    """The schema of a model. defaults: whether the API server shall fill them in (a spec), or not (a status, where
    what nobody wrote is not known)."""
    whole = model.model_json_schema(by_alias=True, schema_generator=_Marked)
    return _Conversion(whole.get("$defs", {}), defaults).schema(whole)


class _Conversion:
    def __init__(self, definitions: Mapping[str, Schema], defaults: bool) -> None:
        self._definitions = definitions
        self._defaults = defaults

    def schema(self, node: Schema) -> Schema:
        node, nullable = self._plain(node)
        found = self._typed(node)
        text = " ".join(str(node.get("description", "")).split())
        if _FORM in node:
            text = f"{text} {list(READERS.values())[node[_FORM]][1]}".strip()
        if nullable:
            found["nullable"] = True
        return {"description": text, **found} if text else found

    def _plain(self, node: Schema) -> tuple[Schema, bool]:
        """Without reference and without null; whether null was among its types."""
        nullable = False
        while "$ref" in node or "anyOf" in node:
            rest = {name: value for name, value in node.items() if name not in ("$ref", "anyOf")}
            if "$ref" in node:
                node = {**self._definitions[node["$ref"].rsplit("/", 1)[1]], **rest}
                continue
            options = [option for option in node["anyOf"] if option.get("type") != "null"]
            nullable = nullable or len(options) < len(node["anyOf"])
            if len(options) > 1:
                return {**rest, "options": options}, nullable
            node = {**options[0], **rest}
        return node, nullable

    def _typed(self, node: Schema) -> Schema:
        if "options" in node:
            return _union(node["options"])
        if _FORM in node:
            return {**list(READERS.values())[node[_FORM]][0], **_limits(node)}
        if "const" in node or "enum" in node:
            return {"type": "string", "enum": node.get("enum", [node.get("const")])}
        if node.get("type") == "object":
            return self._object(node)
        if node.get("type") == "array":
            items = self.schema(node["items"])
            return {"type": "array", **_limits(node), "items": items, "x-kubernetes-list-type": "atomic"}
        found = {"type": node["type"], **_limits(node)}
        return {**found, "format": "int64"} if node["type"] == "integer" else found

    def _object(self, node: Schema) -> Schema:
        if "properties" in node:
            return self._model(node)
        if "patternProperties" in node:
            ((pattern, values),) = node["patternProperties"].items()
            rules = {"x-kubernetes-validations": [keys_rule(pattern)]}
        else:
            values, rules = node.get("additionalProperties", True), {}
        if values is True:
            return {"type": "object", **ANYTHING, **_limits(node)}
        return {"type": "object", **_limits(node), "additionalProperties": self.schema(values), **rules}

    def _model(self, node: Schema) -> Schema:
        title, required = node["title"], node.get("required", [])
        properties = {name: self._property(title, name, field) for name, field in node["properties"].items()}
        if self._defaults:
            for name, field in node["properties"].items():
                if name not in required and not _is_computed(title, name):
                    _put_default(properties[name], field)
        found: Schema = {"type": "object", "properties": properties}
        if required:
            found["required"] = list(required)
        if rules := RULES.get(title):
            found["x-kubernetes-validations"] = [rule.document() for rule in rules]
        return found

    def _property(self, title: str, name: str, field: Schema) -> Schema:
        found = self.schema(field)
        if key := MAP_LISTS.get((title, name)):
            found |= {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": [key]}
        if own := FIELDS.get((title, name)):
            if "type" in own or own.keys() & {*ANYTHING, *INT_OR_STRING}:
                keep_object = found.get("type") == "object" and "x-kubernetes-map-type" in own
                kept = {"description", "nullable", *(["type"] if keep_object else _KEPT)}
                found = {word: value for word, value in found.items() if word in kept}
            found |= own
        return found


def _union(options: list[Schema]) -> Schema:
    if {option.get("type") for option in options} == {"integer", "string"}:
        limits = [_limits(option) for option in options]
        return {**INT_OR_STRING, "maxLength": 64, **limits[0], **limits[1]}
    return dict(ANYTHING)


def _limits(node: Schema) -> Schema:
    """Bounds, in the words of OpenAPI 3.0: an exclusive bound is a bound and a flag."""
    found = {word: node[word] for word in (*_KEPT, "maxProperties") if word in node}
    found |= {theirs: node[ours] for ours, theirs in _BOUNDS.items() if ours in node}
    for words, bound, flag in (
        (("exclusiveMinimum", "gt"), "minimum", "exclusiveMinimum"),
        (("exclusiveMaximum", "lt"), "maximum", "exclusiveMaximum"),
    ):
        for word in words:
            if word in node:
                found |= {bound: node[word], flag: True}
    return {word: _whole(value) for word, value in found.items()}


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _is_computed(title: str, name: str) -> bool:
    return f"{title}.{name}" not in GIVEN and bool({f"{title}.{name}", f"{title}.*"} & COMPUTED)


def _put_default(into: Schema, field: Schema) -> None:
    """The default of a field, whole: the API server checks rules on it before it fills in the fields' own. A field that
    may be null has none when null is it."""
    if "default" not in field:
        default: Any = {} if into.get("type") == "object" else []
    else:
        default = _without_nulls(field["default"])
    if default is None:
        return
    into["default"] = default


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nulls(inner) for name, inner in value.items() if inner is not None}
    return _whole(value)
