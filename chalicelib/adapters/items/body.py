"""Item bodies as JSON text and back, the same on every engine, and the fingerprint of a transaction.

Text, because it is exact (integers of any size, floats by their shortest form) and cheap. No limits here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic_core import from_json

from chalicelib.domain.errors import InvalidInput, Problem, Unavailable
from chalicelib.ports.items import Put, Write


def dump(body: Mapping[str, Any]) -> str:
    """Compact JSON text; raises `InvalidInput` for what JSON or UTF-8 cannot hold (NaN, sets, lone surrogates)."""
    try:
        text = json.dumps(dict(body), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        text.encode()
    except (TypeError, ValueError, RecursionError) as e:
        fix = "store finite numbers, texts, booleans, null, lists and objects"
        problem = Problem("/body", f"is not JSON: {str(e)[:200]}", fix)
        raise InvalidInput(f"item store: body {problem.rule}", problems=(problem,), hint=fix) from e
    return text


def load(text: str) -> dict[str, Any]:
    """The body of a stored text; raises `Unavailable` when the text is damaged."""
    try:
        body = _parsed(text)
    except ValueError as e:
        raise Unavailable("item store: a stored body is not JSON", hint="restore the store from a backup") from e
    if not isinstance(body, dict):
        raise Unavailable("item store: a stored body is not an object", hint="restore the store from a backup")
    return body


def _parsed(text: str) -> Any:
    try:
        return from_json(text)
    except ValueError:  # it is twice as fast, and nests less deeply
        return json.loads(text)


def fingerprint(writes: Sequence[Write], texts: Sequence[str]) -> str:
    """64 hexadecimal digits that are equal exactly when two transactions hold the same writes in the same order."""
    rows = []
    for write, text in zip(writes, texts, strict=True):
        target = write.item if isinstance(write, Put) else write
        row: list[Any] = [type(write).__name__, target.table.value, target.pk, target.sk, write.expected, text]
        if isinstance(write, Put):
            row += [write.item.version, write.item.active, write.item.expires]
        rows.append(row)
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()
