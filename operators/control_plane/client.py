"""Requests to the control plane: JSON in and out, a deadline for each, its problem documents as errors. No retries.

An answer counts only when a Phoenix control plane gave it: an error without a Phoenix code, a page of a proxy or a
redirection is "not reached", so that a wrong server never looks like one that knows nothing.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from chalicelib.domain.errors import (
    Conflict,
    InvalidInput,
    NotAllowed,
    NotAuthenticated,
    NotFound,
    PhoenixError,
    Problem,
    Rejected,
    TooLarge,
    Unavailable,
)

DEADLINE_S = 30.0
"""API Gateway waits 29 s, and an exchange of 5 000 nodes takes seconds of work."""
CONNECT_S = 5.0
MAX_ANSWER = 8 * 1024 * 1024
MOST_CONNECTIONS = 8
_MAX_TEXT_FILE = 4096
_MAX_CA = 1024 * 1024
_MAX_TEXT = 1000
_ERRORS: dict[int, type[PhoenixError]] = {
    kind.status: kind for kind in (InvalidInput, NotAuthenticated, NotAllowed, NotFound, Conflict, TooLarge, Rejected)
}


class ControlPlaneClient:
    """One control plane, by a folder such as a mounted Secret: `endpoint` (its URL), `token`, and `ca.crt` where its
    certificate is signed by an authority that this machine does not know. `close` at the end; one event loop.

    The files are read at every request, so that what was replaced is used at once.
    """

    def __init__(self, folder: Path, *, deadline_s: float = DEADLINE_S) -> None:
        self._folder, self._deadline_s = folder, deadline_s
        self._url = "the control plane"
        self._sessions: dict[bytes, aiohttp.ClientSession] = {}
        """The one in use, by the CA it trusts."""

    async def close(self) -> None:
        """Ends all connections."""
        for session in self._sessions.values():
            await session.close()
        self._sessions.clear()

    async def ask(self, method: str, path: str, body: Any = None, query: Mapping[str, str] | None = None) -> Any:
        """The JSON of an answer (None: an empty one). Raises the tree's error that the control plane answers with;
        Unavailable when it was not reached, did not answer in time, is busy or broken, or is no control plane."""
        data = None if body is None else json.dumps(body, separators=(",", ":"), allow_nan=False).encode()
        status, raw = await self._send(method, path, data, query or {})
        if 200 <= status < 300:
            return self._parsed(raw) if raw else None
        raise self._refusal(status, raw)

    async def _send(self, method: str, path: str, data: bytes | None, query: Mapping[str, str]) -> tuple[int, bytes]:
        self._url = self._endpoint()
        session = await self._session()
        headers = {"accept": "application/json", "authorization": f"Bearer {self._token()}"}
        if data is not None:
            headers["content-type"] = "application/json"
        try:
            async with session.request(
                method,
                self._url + path,
                params=query,
                data=data,
                headers=headers,
                timeout=aiohttp.ClientTimeout(total=self._deadline_s, sock_connect=CONNECT_S),
                allow_redirects=False,
            ) as answer:
                return answer.status, await self._read(answer)
        except TimeoutError as error:
            raise Unavailable(f"{self._url} did not answer within {self._deadline_s:g} s") from error
        except (aiohttp.ClientError, OSError) as error:
            raise Unavailable(f"{self._url} cannot be reached: {(str(error) or type(error).__name__)[:200]}") from error

    async def _read(self, answer: aiohttp.ClientResponse) -> bytes:
        raw = bytearray()
        async for chunk in answer.content.iter_chunked(65536):
            raw += chunk
            if len(raw) > MAX_ANSWER:
                raise Unavailable(f"{self._url} answers with more than {MAX_ANSWER // 1024**2} MiB")
        return bytes(raw)

    def _endpoint(self) -> str:
        try:
            url = _text(self._folder / "endpoint")
        except (OSError, UnicodeDecodeError) as error:
            raise Unavailable(f"the file {self._folder / 'endpoint'} cannot be read") from error
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query:
            raise Unavailable(f"{self._folder / 'endpoint'} holds no https:// URL without user, password and query")
        return url.rstrip("/")

    def _token(self) -> str:
        try:
            token = _text(self._folder / "token")
        except (OSError, UnicodeDecodeError) as error:
            raise NotAuthenticated(f"the token file {self._folder / 'token'} cannot be read") from error
        if not token or not token.isascii() or not token.isprintable():
            raise NotAuthenticated(f"the token file {self._folder / 'token'} holds no token")
        return token

    async def _session(self) -> aiohttp.ClientSession:
        """The connections to the control plane; new ones when the CA is another."""
        file = self._folder / "ca.crt"
        try:
            ca = file.read_bytes()[:_MAX_CA] if file.is_file() else b""
            if ca not in self._sessions:
                tls = ssl.create_default_context(cadata=ca.decode("ascii")) if ca else True
                await self.close()
                connector = aiohttp.TCPConnector(ssl=tls, limit=MOST_CONNECTIONS)
                self._sessions[ca] = aiohttp.ClientSession(connector=connector, trust_env=False)
        except (OSError, ssl.SSLError, UnicodeDecodeError) as error:
            raise Unavailable(f"{file} holds no CA certificates in PEM") from error
        return self._sessions[ca]

    def _parsed(self, raw: bytes) -> Any:
        try:
            return json.loads(raw)
        except (ValueError, RecursionError) as error:
            raise Unavailable(f"{self._url} answers, but not as a Phoenix control plane does") from error

    def _refusal(self, status: int, raw: bytes) -> PhoenixError:
        try:
            document = json.loads(raw)
        except (ValueError, RecursionError):
            document = None
        code = document.get("code") if isinstance(document, dict) else None
        if not isinstance(code, str) or not code.startswith("PHX-"):
            return Unavailable(f"{self._url} answers {status}, but not as a Phoenix control plane does")
        detail = str(document.get("detail") or document.get("title") or f"{self._url} answers {status}")[:_MAX_TEXT]
        hint = str(document.get("hint") or "")[:_MAX_TEXT]
        return _ERRORS.get(status, Unavailable)(detail, problems=_problems(document.get("errors")), hint=hint)


def _text(file: Path) -> str:
    with file.open("r", encoding="utf-8") as opened:
        return opened.read(_MAX_TEXT_FILE).strip()


def _problems(entries: object) -> tuple[Problem, ...]:
    if not isinstance(entries, list):
        return ()
    return tuple(
        Problem(str(one.get("pointer", ""))[:300], str(one.get("rule", ""))[:_MAX_TEXT], str(one.get("fix", ""))[:300])
        for one in entries[:20]
        if isinstance(one, dict)
    )
