"""Specs as the Kubernetes API takes them: whole seconds as integers and others as "500ms", what is None left out, and a
collector configuration as it stands."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any, get_args

from pydantic.fields import FieldInfo

from chalicelib.domain.model import Value
from chalicelib.domain.units import parse_duration, show_duration


def spec_body(spec: Value) -> dict[str, Any]:
    """The JSON of a spec. The models read it back as the very same value."""
    found: dict[str, Any] = {}
    for name, field in type(spec).model_fields.items():
        value = getattr(spec, name)
        if value is not None:
            found[field.alias or name] = _seconds(value) if _is_duration(field) else _plain(value)
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, Value):
        return spec_body(value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    return value


def _seconds(value: float) -> int | str:
    """The schemas say int-or-string: 15.0 is neither."""
    if float(value).is_integer():
        return int(value)
    words = show_duration(value)
    return words if parse_duration(words) == value else f"{value:f}s"


def _is_duration(field: FieldInfo) -> bool:
    within = (field.metadata, *(get_args(one)[1:] for one in get_args(field.annotation)))
    return any(getattr(mark, "func", None) is parse_duration for marks in within for mark in marks)
