"""One HTTP request with a hard deadline, to an address that was checked after it was resolved. Nothing is repeated or
understood here.

The connection is made to the very address that was checked, so that a name cannot lead elsewhere in between. Redirects
are not followed. Every read gets the time that is left, so that a server that drips cannot hold the caller longer.
"""

from __future__ import annotations

import io
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from typing import Any
from urllib.parse import SplitResult, urlsplit

from chalicelib.domain.notification.address import forbidden

Resolve = Callable[[str, int], list[str]]
"""Name and port to addresses; raises OSError."""
FAILURES = (OSError, HTTPException, ValueError, UnicodeError, IndexError)
"""What an exchange raises for what the network or the other side does; TimeoutError, an OSError, at the deadline."""


class Forbidden(Exception):
    """The address must not be connected to; the text says why."""


@dataclass(frozen=True)
class Ask:
    """One request. headers: beside Host, Content-Length, Connection and User-Agent, which are set here. most: bytes of
    the answer that are read."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    most: int


@dataclass(frozen=True)
class Answer:
    """What came back; body: at most as long as was asked for. retry_after: seconds, None when not said."""

    status: int
    body: bytes
    retry_after: float | None


def exchange(ask: Ask, *, private: bool, deadline_s: float, resolve: Resolve | None = None) -> Answer:
    """private: whether private networks may be connected to. Raises Forbidden, and FAILURES."""
    until = time.monotonic() + deadline_s
    parts = urlsplit(ask.url)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    addresses = (resolve or _resolve)(host, port)
    for address in addresses:
        if reason := forbidden(address, private=private):
            raise Forbidden(f"{host} leads to {reason}: nothing is sent there")
    with socket.create_connection((addresses[0], port), timeout=_left(until)) as plain:
        plain.settimeout(_left(until))
        with _secured(plain, parts) as connection:
            connection.settimeout(_left(until))
            connection.sendall(_request(parts, ask))
            answer = HTTPResponse(_Timed(connection, until), method=ask.method)  # type: ignore[arg-type]
            answer.begin()
            return Answer(answer.status, answer.read(ask.most), _seconds(answer.getheader("Retry-After")))


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


def _request(parts: SplitResult, ask: Ask) -> bytes:
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    own = {"Host": parts.netloc, "Content-Length": str(len(ask.body)), "Connection": "close", "User-Agent": "phoenix"}
    lines = [f"{ask.method} {target} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in {**own, **ask.headers}.items()]
    if any(c in line for line in lines for c in "\r\n"):
        raise ValueError("a header must be one line")
    return "\r\n".join([*lines, "", ""]).encode("ascii") + ask.body


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
