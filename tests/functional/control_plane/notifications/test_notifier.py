"""One attempt over real sockets: deadlines against receivers that drip or never answer, names that lead elsewhere."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from chalicelib.adapters.webhook.http import HttpNotifier

SOON = 0.6
"""Seconds: the deadline in these tests."""


@contextmanager
def raw(talk: Callable[[socket.socket, threading.Event], None]) -> Iterator[str]:
    """A server of one connection that says what `talk` says until the test is over."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(30)

        def serve() -> None:
            try:
                connection, _ = server.accept()
                with connection:
                    talk(connection, over)
            except OSError:
                return

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"
        over.set()
        thread.join(10)


def silent(connection: socket.socket, over: threading.Event) -> None:
    over.wait(30)


def dripping(text: bytes) -> Callable[[socket.socket, threading.Event], None]:
    def talk(connection: socket.socket, over: threading.Event) -> None:
        connection.sendall(text)
        while not over.wait(0.05):
            connection.sendall(b"x")

    return talk


@pytest.mark.parametrize(
    "talk",
    [silent, dripping(b"HTTP/1.1 200 OK\r\nX-Long: "), dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n")],
    ids=["silent", "endless header", "endless body"],
)
def test_no_receiver_holds_the_caller_beyond_the_deadline(
    talk: Callable[[socket.socket, threading.Event], None],
) -> None:
    with raw(talk) as url:
        reply = HttpNotifier(private=True, deadline_s=SOON).post(url, {}, b"{}")
    assert (reply.status, reply.refused) == (None, False)
    assert reply.error == f"no answer within {SOON:g} s"


def test_a_name_that_leads_inside_is_refused_whatever_else_it_leads_to() -> None:
    notifier = HttpNotifier(private=False, resolve=lambda host, port: ["93.184.216.34", "10.0.0.5"])
    reply = notifier.post("https://example.com/", {}, b"{}")
    assert reply.refused
    assert "a private address" in reply.error


def test_the_connection_goes_to_the_address_that_was_checked() -> None:
    """The name itself cannot be resolved again: it does not exist."""
    heard: list[bytes] = []

    def talk(connection: socket.socket, over: threading.Event) -> None:
        heard.append(connection.recv(65536))
        connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")

    with raw(talk) as url:
        port = url.rstrip("/").rpartition(":")[2]
        notifier = HttpNotifier(private=True, resolve=lambda host, port: ["127.0.0.1"])
        reply = notifier.post(f"http://no-such-host.invalid:{port}/a?b=c", {"X-Own": "1"}, b"{}")
    assert reply.status == 204
    assert heard[0].startswith(b"POST /a?b=c HTTP/1.1\r\nHost: no-such-host.invalid:")
    assert b"\r\nX-Own: 1\r\n" in heard[0]


def test_a_name_that_does_not_exist_is_an_error_and_may_exist_later() -> None:
    def nowhere(host: str, port: int) -> list[str]:
        raise socket.gaierror(-2, "Name or service not known")

    reply = HttpNotifier(private=False, resolve=nowhere).post("https://example.com/", {}, b"")
    assert "not known" in reply.error
    assert not reply.refused
