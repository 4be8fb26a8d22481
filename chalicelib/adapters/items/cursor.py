"""Cursors: where the next page starts, as opaque text that is checked against the query it came from.

The check is a checksum, not a signature: a cursor holds only a position *inside* the partition or shard that the
request itself names, so a forged one shows its maker nothing that the request does not.
"""

from __future__ import annotations

import base64
import hashlib
import json

from chalicelib.domain.errors import InvalidInput, Problem

_CHECK = 8
_LONGEST = 16_384


def _checksum(scope: tuple[str, ...], position: list[str]) -> bytes:
    return hashlib.sha256(json.dumps([scope, position]).encode()).digest()[:_CHECK]


def encode(scope: tuple[str, ...], position: list[str]) -> str:
    """The cursor of `position` in the query that `scope` describes."""
    raw = _checksum(scope, position) + json.dumps(position, ensure_ascii=False).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def decode(scope: tuple[str, ...], cursor: str, parts: int) -> list[str]:
    """The `parts` texts of the position; raises `InvalidInput` for a damaged cursor or one of another query."""
    fix = "use the cursor of the last answer with the same query, or start without one"
    broken = InvalidInput(
        "item store: the cursor is broken or belongs to another query",
        problems=(Problem("cursor", "is broken or belongs to another query", fix),),
        hint=fix,
    )
    if len(cursor) > _LONGEST:
        raise broken
    try:
        raw = base64.b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        position = json.loads(raw[_CHECK:])
    except (ValueError, RecursionError) as e:
        raise broken from e
    whole = isinstance(position, list) and len(position) == parts and all(isinstance(p, str) for p in position)
    if not whole or raw[:_CHECK] != _checksum(scope, position):
        raise broken
    return [str(p) for p in position]


def query_scope(table: str, pk: str, start: str, end: str, reverse: bool) -> tuple[str, ...]:
    """What must be equal for a cursor of `query` to be used again."""
    return ("query", table, pk, start, end, "down" if reverse else "up")


def active_scope(shard: str) -> tuple[str, ...]:
    """What must be equal for a cursor of `active` to be used again."""
    return ("active", shard)
