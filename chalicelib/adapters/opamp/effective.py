"""The effective configuration of a collector: hostile YAML to plain JSON values, or the reason why not. Masking and
markers are the domain's."""

from __future__ import annotations

import base64
import math
from datetime import date, datetime
from typing import Any

import yaml

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 64
MAX_NODES = 50_000
MAX_NUMBER = 256
_NUMERIC = frozenset("+-.0123456789")
_MAX_INT = 2**63
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Unreadable(Exception):
    """Why a text is no configuration; becomes a value, never an answer."""


def read_config(body: bytes) -> dict[str, Any] | None:
    """The mapping in `body`, None when it is empty. Raises Unreadable for what is no YAML mapping, too long, too deep,
    has too many nodes, or aliases (a few of them unfold without end, and collectors write none)."""
    if len(body) > MAX_BYTES:
        raise Unreadable(f"longer than {MAX_BYTES} bytes")
    try:
        text = body.decode()
        _check_shape(text)
        value = yaml.load(text, Loader=_LOADER)  # noqa: S506 - a safe loader
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, OverflowError, RecursionError, TypeError) as e:
        raise Unreadable(f"not YAML: {e}".replace("\n", " ")) from e
    if value is None:
        return None
    if not isinstance(value, dict):
        raise Unreadable("not a mapping")
    plain: dict[str, Any] = _json(value)
    return plain


def _check_shape(text: str) -> None:
    depth = 0
    for nodes, event in enumerate(yaml.parse(text, Loader=_LOADER)):
        if isinstance(event, yaml.AliasEvent):
            raise Unreadable("has aliases")
        if isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            depth += 1
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            depth -= 1
        elif isinstance(event, yaml.ScalarEvent):
            _check_scalar(event)
        if depth > MAX_DEPTH or nodes > MAX_NODES:
            raise Unreadable(f"deeper than {MAX_DEPTH} levels or more than {MAX_NODES} nodes")


def _check_scalar(event: yaml.ScalarEvent) -> None:
    """YAML 1.1 reads 1:1:1 as a number of base 60, which costs the square of its length."""
    tagged = event.tag is not None and not event.tag.endswith((":str", ":binary"))
    if tagged or (event.implicit[0] and event.value[:1] in _NUMERIC and len(event.value) > MAX_NUMBER):
        raise Unreadable(f"has a tag or a number longer than {MAX_NUMBER} characters")


def _json(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _json(item) for key, item in value.items()}
    if isinstance(value, set):
        return sorted(str(item) for item in value)
    if isinstance(value, (list, tuple)):
        return [_json(item) for item in value]
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return _number(value) if isinstance(value, (int, float)) else value


def _number(value: int | float) -> Any:
    """Numbers that JSON or a store cannot hold become text."""
    fits = math.isfinite(value) if isinstance(value, float) else abs(value) < _MAX_INT
    return value if fits else str(value)
