"""Whether an object is still what we said of it. Pure.

The API server adds defaults and writes quantities its own way, so what is there may say more than we did, never else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from operators.pipelines.quantity import quantity


def covers(actual: Any, desired: Any) -> bool:
    """Whether everything desired is in the actual tree. Items of a list that have names are found by them (others may
    stand beside them, as server-side apply has it); other lists must be the same, item by item."""
    if isinstance(desired, Mapping):
        return isinstance(actual, Mapping) and all(
            name in actual and covers(actual[name], value) for name, value in desired.items()
        )
    if isinstance(desired, list):
        return isinstance(actual, list) and _covers_list(actual, desired)
    if isinstance(desired, str) and isinstance(actual, str) and actual != desired:
        wanted = quantity(desired)
        return wanted is not None and quantity(actual) == wanted
    return bool(actual == desired)


def _covers_list(actual: Sequence[Any], desired: Sequence[Any]) -> bool:
    if desired and all(isinstance(item, Mapping) and "name" in item for item in desired):
        named = {item.get("name"): item for item in actual if isinstance(item, Mapping)}
        return all(item["name"] in named and covers(named[item["name"]], item) for item in desired)
    return len(actual) == len(desired) and all(
        covers(there, wanted) for there, wanted in zip(actual, desired, strict=True)
    )
