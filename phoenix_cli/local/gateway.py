"""The Chalice app behind ASGI, on one machine. The parts of API Gateway that clients can see are kept: body limit and
binary types. Unknown routes and methods are answered like every other mistake, as problem+json. What it does, and why,
was measured in docs/guides/local-stack.md.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Any

from chalice.app import Chalice
from chalice.config import Config
from chalice.local import LocalChalice, LocalGateway, LocalGatewayException

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

MAX_BODY = 4 * 1024 * 1024
THREADS = 8
_PROBLEM = {"content-type": "application/problem+json"}
_CODES = {404: "PHX-NOT-FOUND", 405: "PHX-NOT-FOUND", 413: "PHX-TOO-LARGE"}
_HINTS = {"PHX-NOT-FOUND": "every route is listed at /api/v1/openapi.json"}


class Gateway:
    """An ASGI application over a Chalice app; requests run in a pool of eight threads (sixteen gained nothing)."""

    def __init__(self, app: Chalice) -> None:
        # Without the class swap `app.current_request` is shared between threads (Chalice's own local server does it).
        app.__class__ = type("LocalApp", (LocalChalice, app.__class__), {})
        self._app = app
        self._gateway = LocalGateway(app, Config.create(chalice_stage="dev", config_from_disk={"stages": {"dev": {}}}))
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="request")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await _read(receive)
        if body is None:
            await _reply(send, *_problem(413, "the body is over 4 MiB"))
            return
        path = scope["raw_path"].decode("latin-1")
        if scope["query_string"]:
            path += "?" + scope["query_string"].decode("latin-1")
        loop = asyncio.get_running_loop()
        answer = await loop.run_in_executor(self._pool, self._call, scope["method"], path, _headers(scope), body)
        await _reply(send, *answer)

    def _call(self, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
        kind = headers.get("content-type", "").split(";")[0].strip().lower()
        payload: Any = body or None  # Chalice says bytes, and means str for text, as on AWS
        if kind in self._app.api.binary_types:
            headers["content-type"] = kind  # compared as an exact string
            headers["accept"] = kind  # OTLP and OpAMP clients may send none; a binary answer needs it
        elif body:
            payload = body.decode("utf-8", "replace")
        try:
            response = self._gateway.handle_request(method, path, headers, payload)
        except LocalGatewayException:
            return _problem(404, f"there is no route {path.partition('?')[0][:200]}")
        if response["statusCode"] == 405:
            return _problem(405, f"{method[:20]} is not possible on {path.partition('?')[0][:200]}")
        content = response.get("body") or b""
        if response.get("isBase64Encoded"):
            content = base64.b64decode(content)
        elif isinstance(content, str):
            content = content.encode()
        return response["statusCode"], response.get("headers") or {}, content


def _problem(status: int, detail: str) -> tuple[int, dict[str, str], bytes]:
    code = _CODES[status]
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase.lower(), "status": status, "detail": detail}
    return (
        status,
        dict(_PROBLEM),
        json.dumps({**body, "code": code, "hint": _HINTS.get(code, ""), "errors": []}).encode(),
    )


def _headers(scope: Scope) -> dict[str, str]:
    found: dict[str, str] = {}
    for raw, value in scope["headers"]:
        name = raw.decode("latin-1").lower()
        text = value.decode("latin-1")
        found[name] = f"{found[name]},{text}" if name in found else text
    return found


async def _read(receive: Receive) -> bytes | None:
    """The body, or None when it is over the limit; what is over is read and thrown away so that the client listens."""
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return b"".join(parts)
        size += len(message.get("body", b""))
        if size <= MAX_BODY:
            parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts) if size <= MAX_BODY else None


async def _reply(send: Send, status: int, headers: MutableMapping[str, str], body: bytes) -> None:
    lines = {name.lower(): value for name, value in headers.items()}
    lines.setdefault("content-type", "application/json")
    lines["content-length"] = str(len(body))
    raw = [(name.encode("latin-1"), str(value).encode("latin-1")) for name, value in lines.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body})


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
