"""Requests into the real gateway without a socket: one ASGI call each, exactly the bytes that a test wants."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

from phoenix_cli.local.gateway import Gateway


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON, None when it is empty."""
        return json.loads(self.body) if self.body else None


class Asgi:
    """A client of one gateway. Calls one after the other, in one event loop."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._runner = asyncio.Runner()

    def close(self) -> None:
        self._runner.close()

    def call(self, method: str, target: str, headers: Mapping[str, str], body: bytes = b"") -> Answer:
        """target: path and query as they stand in the request line."""
        return self._runner.run(self._call(method, target, headers, body))

    async def _call(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        path, _, query = target.partition("?")
        scope: MutableMapping[str, Any] = {
            "type": "http",
            "method": method,
            "path": path,
            "raw_path": path.encode("latin-1"),
            "query_string": query.encode("latin-1"),
            "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()],
        }
        parts = [body[start : start + 1_000_000] for start in range(0, len(body), 1_000_000)] or [b""]
        sent: list[MutableMapping[str, Any]] = []

        async def receive() -> MutableMapping[str, Any]:
            return {"type": "http.request", "body": parts.pop(0), "more_body": bool(parts)}

        async def send(message: MutableMapping[str, Any]) -> None:
            sent.append(message)

        await self._gateway(scope, receive, send)
        found = {name.decode().lower(): value.decode("latin-1") for name, value in sent[0]["headers"]}
        return Answer(sent[0]["status"], found, b"".join(part.get("body", b"") for part in sent[1:]))
