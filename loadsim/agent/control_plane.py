"""The control plane as the host's load agent sees it: two HTTP calls, each with a deadline. Decides nothing.

Answers are checked here: what leaves this file is valid, or an error of the one tree. The token never enters a message.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any
from urllib.parse import quote

import httpx
from pydantic import ValidationError

from chalicelib.domain.errors import InvalidInput, NotAllowed, Rejected, Unavailable
from chalicelib.domain.load import DesiredLoad, LoadStatus

MAX_ANSWER = 1_000_000
MAX_LOADS = 100
_TIMEOUT_S = 5.0
"""For connecting, and for each wait for a part of the answer."""
_ANSWER_S = 10.0
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


@dataclass(frozen=True)
class Desired:
    """One answer: the loads that are wanted, and those whose request makes no sense to this agent, with why."""

    loads: tuple[DesiredLoad, ...]
    refused: Sequence[tuple[str, str]] = ()
    """(name, what is wrong). Names are valid; entries without a valid name are left out."""


class ControlPlane:
    """One host's view. Use as a context manager; not thread-safe. `transport` replaces the network in tests."""

    def __init__(self, endpoint: str, host: str, token: str, transport: httpx.BaseTransport | None = None) -> None:
        if not re.match(r"https?://[^/\s]+", endpoint):
            raise InvalidInput(f"--endpoint: {endpoint!r} is not an http or https URL")
        if not token.isascii() or not token.isprintable():
            raise InvalidInput("PHOENIX_TOKEN holds characters that a token cannot have")
        self._base = f"{endpoint.rstrip('/')}/api/v1/hosts/{quote(host, safe='')}/loadsims"
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        self._http = httpx.Client(headers=headers, timeout=_TIMEOUT_S, transport=transport)

    def __enter__(self) -> ControlPlane:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def desired(self) -> Desired:
        """What this host should run now.

        Raises Unavailable (cannot be reached, or an answer that is none), NotAllowed (the token is refused), Rejected
        (this one request is refused).
        """
        body = self._call("GET", self._base)
        try:
            items = json.loads(body)["items"]
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise Unavailable("the control plane's answer is not a list of loads") from error
        if not isinstance(items, list) or len(items) > MAX_LOADS:
            raise Unavailable(f"the control plane's answer is not a list of at most {MAX_LOADS} loads")
        return _understood(items)

    def report(self, name: str, status: LoadStatus) -> None:
        """Tell how the load `name` is. Raises as `desired` does."""
        body = status.model_dump_json(by_alias=True)
        self._call("PUT", f"{self._base}/{name}/status", body)

    def _call(self, method: str, url: str, body: str | None = None) -> bytes:
        headers = {"Content-Type": "application/json"} if body is not None else {}
        try:
            with self._http.stream(method, url, content=body, headers=headers) as answer:
                if answer.status_code in (401, 403):
                    raise NotAllowed(f"the control plane refuses this host's token ({answer.status_code})")
                if 400 <= answer.status_code < 500 and answer.status_code not in (408, 429):
                    raise Rejected(f"the control plane refuses {method} ({answer.status_code})")
                if not answer.is_success:
                    raise Unavailable(f"the control plane answered {answer.status_code}")
                return _bounded(answer)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Unavailable(f"the control plane cannot be reached: {type(error).__name__}: {error}"[:300]) from error


def _bounded(answer: httpx.Response) -> bytes:
    data = b""
    deadline = time.monotonic() + _ANSWER_S
    for chunk in answer.iter_bytes():
        data += chunk
        if time.monotonic() > deadline:
            raise Unavailable(f"the control plane's answer took longer than {_ANSWER_S:g} s")
        if len(data) > MAX_ANSWER:
            raise Unavailable(f"the control plane's answer is longer than {MAX_ANSWER} bytes")
    return data


def _understood(items: list[Any]) -> Desired:
    loads: dict[str, DesiredLoad] = {}
    refused: dict[str, str] = {}
    for item in items:
        name = item.get("name") if isinstance(item, dict) else None
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            continue
        try:
            loads[name] = DesiredLoad.model_validate(item)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            refused[name] = f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"[:300]
    return Desired(tuple(loads.values()), tuple(refused.items()))
