"""A load's pod answers two questions on its port, whatever comes in, and leaves a last word Kubernetes can keep."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from chalicelib.domain.errors import Unavailable
from chalicelib.domain.kubernetes.load_job import MAX_LAST_WORDS
from chalicelib.domain.load import LoadPhase, LoadStatus
from loadsim.pod.pod import last_words, leave_last_words
from loadsim.pod.status_server import LONGEST_REQUEST, MOST_AT_ONCE, SILENT_S, Saying, StatusServer
from tests.fakes.clock import SettableClock

RUNNING = LoadStatus(phase=LoadPhase.RUNNING, asked=3, running=3, spawned=4, names=("phx-a",))
PATIENCE_S = 20.0


@pytest.fixture
def saying() -> Saying:
    return Saying()


@pytest.fixture
def port(saying: Saying) -> Iterator[int]:
    with StatusServer(saying, 0, "127.0.0.1") as server:
        yield server.port


def answer(port: int, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), PATIENCE_S) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        data = b""
        while chunk := connection.recv(4096):
            data += chunk
        return data


def test_the_status_is_the_last_that_was_said(saying: Saying, port: int) -> None:
    assert answer(port, b"GET /status HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.1 503 ")
    saying.tell(RUNNING)
    head, _, body = answer(port, b"GET /status?x=1 HTTP/1.1\r\nHost: pod\r\n\r\n").partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n")
    assert f"Content-Length: {len(body)}".encode() in head
    assert LoadStatus.model_validate_json(body) == RUNNING


@pytest.mark.parametrize(
    ("request_bytes", "code"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", 404),
        (b"GET /status/../../etc/passwd HTTP/1.1\r\n\r\n", 404),
        (b"POST /status HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}", 405),
        (b"DELETE /healthz HTTP/1.1\r\n\r\n", 405),
        (b"", 400),
        (b"GET /status\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
        (b"GET /" + b"a" * (2 * LONGEST_REQUEST), 400),
    ],
)
def test_nothing_else_is_answered(saying: Saying, port: int, request_bytes: bytes, code: int) -> None:
    saying.tell(RUNNING)
    try:
        said = answer(port, request_bytes)
    except OSError:  # what is longer than a request may be is not read to its end
        assert len(request_bytes) > LONGEST_REQUEST
    else:
        assert said.startswith(f"HTTP/1.1 {code} ".encode()) or len(request_bytes) > LONGEST_REQUEST
        assert b'"running"' not in said
    assert answer(port, b"GET /healthz HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.1 200 ")


def test_silent_clients_keep_nobody_from_asking_for_long(saying: Saying, port: int) -> None:
    saying.tell(RUNNING)
    silent = [socket.create_connection(("127.0.0.1", port), PATIENCE_S) for _ in range(2 * MOST_AT_ONCE)]
    try:
        for connection in silent:  # each is closed: at once where there is no room, else at its deadline
            connection.settimeout(PATIENCE_S)
            while connection.recv(4096):
                pass
        assert answer(port, b"GET /status HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.1 200 ")
    finally:
        for connection in silent:
            connection.close()


def test_a_load_that_fell_silent_is_not_well() -> None:
    clock = SettableClock()
    saying = Saying(clock.now)
    assert saying.answer(b"GET /healthz HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.1 503 ")
    saying.tell(RUNNING)
    assert saying.answer(b"GET /healthz HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.1 200 ")
    clock.advance(SILENT_S + 0.1)
    assert saying.answer(b"GET /healthz HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.1 503 ")


def test_a_port_that_is_taken_is_an_error_with_a_remedy(saying: Saying, port: int) -> None:
    with pytest.raises(Unavailable, match=f"status port {port}: Address already in use"):
        StatusServer(saying, port, "127.0.0.1")


@pytest.mark.parametrize("character", ["x", "é", "\U0001f600", "\x00", '"'])
def test_the_last_word_always_fits_and_can_be_read(character: str) -> None:
    names = tuple(character * 15 for _ in range(20))
    status = LoadStatus(phase=LoadPhase.FAILED, spawned=7, reason=character * 500, names=names)
    data = last_words(status)
    assert len(data) <= MAX_LAST_WORDS
    said = LoadStatus.model_validate_json(data)
    assert (said.phase, said.spawned) == (LoadPhase.FAILED, 7)
    assert said.reason.startswith(character * 200)


def test_a_last_word_that_cannot_be_left_is_said_and_ends_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    leave_last_words(tmp_path / "no" / "words", RUNNING)
    assert "termination message" in capsys.readouterr().err
