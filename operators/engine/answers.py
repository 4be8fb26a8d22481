"""What the API server's answers mean: its Status objects as errors of the one tree, its lines as changes. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from chalicelib.domain.errors import (
    Conflict,
    InvalidInput,
    NotAllowed,
    NotFound,
    PhoenixError,
    Problem,
    TooLarge,
    Unavailable,
)
from chalicelib.domain.pipeline.masking import mask_text
from operators.engine.cluster import Change
from operators.engine.objects import slim

MAX_MESSAGE = 1000
MAX_CAUSES = 10
_ERRORS: dict[int, type[PhoenixError]] = {
    400: InvalidInput,
    401: NotAllowed,
    403: NotAllowed,
    404: NotFound,
    409: Conflict,
    413: TooLarge,
    415: InvalidInput,
    422: InvalidInput,
}
_CHANGES = ("ADDED", "MODIFIED", "DELETED")


def refusal(what: str, code: int, body: bytes) -> PhoenixError:
    """The error that an answer with this HTTP status is. what: what was asked, such as "apply daemonsets ns/name"."""
    status = _status(body)
    words = mask_text(str(status.get("message") or body[:200].decode("utf-8", "replace")))[:MAX_MESSAGE]
    details = status.get("details")
    causes = details.get("causes") if isinstance(details, dict) else None
    problems = tuple(
        Problem(str(cause.get("field", ""))[:200], mask_text(str(cause.get("message", "")))[:300])
        for cause in (causes if isinstance(causes, list) else [])[:MAX_CAUSES]
        if isinstance(cause, dict)
    )
    kind = _ERRORS.get(code, Unavailable)
    return kind(f"{what}: {words or f'HTTP {code}'}", problems=problems)


def change(line: bytes) -> Change:
    """One line of a watch. Raises Unavailable for what is no such line, or an error that the server reports in it."""
    try:
        event = orjson.loads(line)
        kind, thing = event["type"], event["object"]
        if kind == "ERROR":
            return _ended(thing)
        version = str(thing["metadata"].get("resourceVersion", ""))
        if kind == "BOOKMARK":
            return Change("BOOKMARK", version)
        if kind in _CHANGES:
            return Change(kind, version, slim(thing))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Unavailable("the API server sent a line that is no watch event") from error
    raise Unavailable(f"the API server sent an unknown watch event {str(kind)[:40]!r}")


def lines(buffer: bytearray, chunk: bytes) -> Iterator[bytes]:
    """The lines that a chunk completes; what is left stays in the buffer."""
    buffer += chunk
    while (end := buffer.find(b"\n")) >= 0:
        line = bytes(buffer[:end])
        del buffer[: end + 1]
        if line.strip():
            yield line


def _ended(status: Any) -> Change:
    if isinstance(status, dict) and status.get("code") == 410:
        return Change("EXPIRED")
    message = str(status.get("message", "") if isinstance(status, dict) else status)[:MAX_MESSAGE]
    raise Unavailable(f"the watch ended: {mask_text(message)}")


def _status(body: bytes) -> dict[str, Any]:
    try:
        parsed = orjson.loads(body)
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}
