"""The HTTPS API as the CLI uses it: JSON in and out, deadlines, problem documents as errors."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import httpx

from chalicelib.domain.errors import Unavailable
from phoenix_cli.problems import refusal
from phoenix_cli.profile import Profile, load_profile

TIMEOUT = httpx.Timeout(30.0, connect=5.0)


class Client:
    """One control plane. Raises errors of our tree; Unavailable when it does not answer in time."""

    def __init__(self, profile: Profile) -> None:
        self.url = profile.url
        self._http = httpx.Client(
            base_url=profile.url, timeout=TIMEOUT, headers={"Authorization": f"Bearer {profile.token}"}
        )

    def get(self, path: str, **query: Any) -> Any:
        """A document."""
        return self._call("GET", path, params={k: v for k, v in query.items() if v is not None})

    def post(self, path: str, body: Any = None, **query: Any) -> Any:
        """Create or command something; the answer."""
        return self._call("POST", path, json=body, params=query)

    def delete(self, path: str, **query: Any) -> Any:
        """Delete something; the answer, None where there is none."""
        return self._call("DELETE", path, params=query)

    def items(self, path: str) -> list[dict[str, Any]]:
        """Every item of a paged list."""
        return list(self._pages(path))

    def _pages(self, path: str) -> Iterator[dict[str, Any]]:
        cursor: str | None = None
        while True:
            page = self.get(path, cursor=cursor)
            yield from page["items"]
            if (cursor := page.get("nextCursor")) is None:
                return

    def _call(self, method: str, path: str, **arguments: Any) -> Any:
        try:
            reply = self._http.request(method, path, **arguments)
        except httpx.TimeoutException as error:
            raise Unavailable(f"{self.url} did not answer within {TIMEOUT.read:g} s") from error
        except httpx.HTTPError as error:
            raise Unavailable(
                f"{self.url} cannot be reached: {error}", hint="is it running? phoenix status; phoenix up"
            ) from error
        if reply.is_success:
            return reply.json() if reply.content else None
        try:
            document = reply.json()
        except ValueError:
            document = {}
        raise refusal(self.url, reply.status_code, document if isinstance(document, dict) else {})


def connect() -> Client:
    """The client of the profile in force. Raises NotAuthenticated when there is none."""
    return Client(load_profile(os.environ))
