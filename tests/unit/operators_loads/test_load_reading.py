"""Asking a pod how it stands, over a real socket: the load's own server, and answers that are none."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from chalicelib.domain.errors import Unavailable
from loadsim.pod.status_server import Saying, StatusServer
from operators.loads.reading import LONGEST, HttpAsk
from tests.unit.operators_loads.world import running


@contextmanager
def saying(answer: bytes, *, close: bool = True) -> Iterator[int]:
    """A server that takes one connection and says this, whatever it is asked."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        held: list[socket.socket] = []

        def serve() -> None:
            connection, _ = server.accept()
            held.append(connection)
            connection.recv(4096)
            connection.sendall(answer)
            if close:
                connection.close()

        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1]
        thread.join(20.0)
        for connection in held:
            connection.close()


def test_the_load_s_own_answer_is_understood() -> None:
    said = Saying()
    said.tell(running())
    with StatusServer(said, 0, "127.0.0.1") as server:
        assert asyncio.run(HttpAsk(server.port)("127.0.0.1")) == running()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", "it answered 503"),
        (b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n", "it answered 302"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", "its answer is not a load's status"),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * (3 * LONGEST), "its answer is not a load's status"),
        (b"SSH-2.0-OpenSSH_9\r\n", "^[A-Za-z]+: ."),
        (b"", "ServerDisconnectedError|ClientOSError|no answer within 2 s"),  # aiohttp may try it once more
    ],
)
def test_what_is_no_status_is_a_reason(answer: bytes, words: str) -> None:
    with saying(answer) as port, pytest.raises(Unavailable, match=words):
        asyncio.run(HttpAsk(port)("127.0.0.1"))


def test_an_answer_that_never_ends_is_given_up() -> None:
    half = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"
    with saying(half, close=False) as port, pytest.raises(Unavailable, match="no answer within 2 s"):
        asyncio.run(HttpAsk(port)("127.0.0.1"))


def test_a_port_where_nobody_listens_is_a_reason() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(Unavailable, match="ClientConnectorError"):
        asyncio.run(HttpAsk(port)("127.0.0.1"))
