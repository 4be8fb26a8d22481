"""Large JSON values in small items: compressed, and cut to what an item holds. No noun is known here."""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from pydantic_core import from_json

MAX_PACKED = 300_000
"""Characters of one packed text; an item holds 400 000 bytes."""
V = TypeVar("V")


def pack(value: Any) -> str:
    """A JSON value as compressed text."""
    return pack_json(json.dumps(value, separators=(",", ":")))


def pack_json(text: str) -> str:
    """JSON as compressed text."""
    return base64.b64encode(zlib.compress(text.encode(), 6)).decode()


def unpack(text: str) -> Any:
    """The value of `pack`."""
    return from_json(zlib.decompress(base64.b64decode(text)))


def packs(rows: Sequence[V], as_json: Callable[[Sequence[V]], Any]) -> Iterator[tuple[Sequence[V], str]]:
    """Rows in as few packed texts as fit, in order. A single row that is too large is given as it is."""
    if not rows:
        return
    text = pack(as_json(rows))
    if len(text) <= MAX_PACKED or len(rows) == 1:
        yield rows, text
        return
    middle = len(rows) // 2
    yield from packs(rows[:middle], as_json)
    yield from packs(rows[middle:], as_json)


def mark(text: str) -> str:
    """A short name for a text, by its content."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]
