"""One HTTP POST with a hard deadline, to an address that was checked after it was resolved. Nothing is repeated here.

The connection is made to the very address that was checked, so that a name cannot lead elsewhere in between. Redirects
are not followed. Every read gets the time that is left, so that a receiver that drips cannot hold the caller longer.
"""

from __future__ import annotations

import io
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from http.client import HTTPException, HTTPResponse
from typing import Any
from urllib.parse import SplitResult, urlsplit

from chalicelib.domain.notification.address import forbidden
from chalicelib.domain.notification.delivery import Reply

DEADLINE_S = 5.0
"""Ten attempts, one SQS batch, fit a Lambda invocation of a minute."""
MAX_ANSWER = 16_384
"""Bytes of an answer that are read; a gate's answer is far shorter."""
Resolve = Callable[[str, int], list[str]]


class HttpNotifier:
    """private: whether private networks may be posted to. resolve: name and port to addresses."""

    def __init__(self, *, private: bool, deadline_s: float = DEADLINE_S, resolve: Resolve | None = None) -> None:
        self._private, self._deadline_s = private, deadline_s
        self._resolve = resolve or _resolve

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """One attempt; never raises for what the receiver or the network does."""
        until = time.monotonic() + self._deadline_s
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        try:
            addresses = self._resolve(host, port)
            for address in addresses:
                if reason := forbidden(address, private=self._private):
                    return Reply(error=f"{host} leads to {reason}: nothing is sent there", refused=True)
            return self._exchange(parts, addresses[0], port, until, headers, body)
        except TimeoutError:
            return Reply(error=f"no answer within {self._deadline_s:g} s")
        except (OSError, HTTPException, ValueError, UnicodeError, IndexError) as error:
            return Reply(error=f"{type(error).__name__}: {error}"[:300])

    def _exchange(
        self, parts: SplitResult, address: str, port: int, until: float, headers: Mapping[str, str], body: bytes
    ) -> Reply:
        with socket.create_connection((address, port), timeout=_left(until)) as plain:
            plain.settimeout(_left(until))
            with _secured(plain, parts) as connection:
                connection.settimeout(_left(until))
                connection.sendall(_request(parts, headers, body))
                answer = HTTPResponse(_Timed(connection, until), method="POST")  # type: ignore[arg-type]
                answer.begin()
                return Reply(
                    status=answer.status,
                    body=answer.read(MAX_ANSWER),
                    retry_after=_seconds(answer.getheader("Retry-After")),
                )


def _resolve(host: str, port: int) -> list[str]:
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _secured(plain: socket.socket, parts: SplitResult) -> socket.socket:
    if parts.scheme != "https":
        return plain
    return ssl.create_default_context().wrap_socket(plain, server_hostname=parts.hostname)


def _request(parts: SplitResult, headers: Mapping[str, str], body: bytes) -> bytes:
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    own = {"Host": parts.netloc, "Content-Length": str(len(body)), "Connection": "close", "User-Agent": "phoenix"}
    lines = [f"POST {target} HTTP/1.1", *(f"{name}: {value}" for name, value in {**own, **headers}.items())]
    return "\r\n".join([*lines, "", ""]).encode("ascii") + body


def _seconds(text: str | None) -> float | None:
    """Retry-After in seconds; a date is left to the back-off."""
    return float(text) if text is not None and text.isdecimal() and len(text) < 8 else None


class _Timed:
    """A socket as HTTPResponse wants it: something that makes a file."""

    def __init__(self, connection: socket.socket, until: float) -> None:
        self._connection, self._until = connection, until

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Reader(self._connection, self._until))


class _Reader(io.RawIOBase):
    """Reads with the time that is left, not with the same time for each read."""

    def __init__(self, connection: socket.socket, until: float) -> None:
        self._connection, self._until = connection, until

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._connection.settimeout(_left(self._until))
        return self._connection.recv_into(buffer)
