"""One question over real sockets: repeated with back-off, never past its deadline, bounded, never to a forbidden
address, and its secrets in no message."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from chalicelib.adapters.prometheus.client import ATTEMPTS, Patience, PrometheusApi, seconds
from chalicelib.domain.errors import Unavailable

SOUND = (200, json.dumps({"status": "success", "data": "sound"}).encode(), {})
Reply = tuple[int, bytes, dict[str, str]]


class Heard:
    """Requests that a server got, and time that was slept away."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        self.time = 0.0
        self.slept: list[float] = []

    def sleep(self, length: float) -> None:
        self.slept.append(length)
        self.time += length

    def patience(self, deadline_s: float = 10.0) -> Patience:
        return Patience(deadline_s, 5.0, lambda: self.time, self.sleep, lambda: 1.0)


@contextmanager
def server(heard: Heard, replies: list[Reply]) -> Iterator[str]:
    """Gives one reply after the other, the last for ever."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            heard.requests.append((self.path, dict(self.headers), body))
            status, content, headers = replies[min(len(heard.requests), len(replies)) - 1]
            self.send_response(status)
            for name, value in {"Content-Length": str(len(content)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{http.server_port}"
        http.shutdown()
        thread.join(30)


def api(url: str, heard: Heard, deadline_s: float = 10.0, *, private: bool = True, most: int = 10_000) -> PrometheusApi:
    def sign(method: str, url: str, headers: object, body: bytes) -> dict[str, str]:
        return {"Authorization": "Bearer hush"}

    return PrometheusApi(url, sign, private=private, patience=heard.patience(deadline_s), most=most)


def test_a_question_is_a_signed_form_to_the_api() -> None:
    heard = Heard()
    with server(heard, [SOUND]) as url:
        assert api(f"{url}/prom/", heard).query_range('up{a="b"}', 1500, 3000, 333) == "sound"
    ((path, headers, body),) = heard.requests
    assert path == "/prom/api/v1/query_range"
    assert headers["Authorization"] == "Bearer hush"
    assert body == b"query=up%7Ba%3D%22b%22%7D&start=1.500&end=3.000&step=0.333&timeout=5s"


def test_what_may_pass_is_tried_again_with_growing_pauses() -> None:
    heard = Heard()
    with server(heard, [(503, b"", {}), (429, b"", {"Retry-After": "4"}), SOUND]) as url:
        assert api(url, heard).query("up", 0) == "sound"
    assert heard.slept == [1.0, 4.0]


def test_it_ends_after_some_attempts_and_at_the_deadline() -> None:
    heard = Heard()
    with server(heard, [(500, b'{"error": "no \\u001b[31mdisk"}', {})]) as url:
        with pytest.raises(Unavailable, match="it answered 500: no"):
            api(url, heard).query("up", 0)
        assert len(heard.requests) == ATTEMPTS
        heard.requests.clear()
        with pytest.raises(Unavailable):
            api(url, heard, deadline_s=1.0).query("up", 0)
        assert len(heard.requests) == 1


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        ((401, b"", {}), "refuses the credential"),
        ((403, b"denied", {}), "refuses the credential .403: denied"),
        ((400, b'{"errorType": "bad_data", "error": "parse error"}', {}), "bad_data: parse error"),
        ((302, b"", {"Location": "http://169.254.169.254/"}), "refuses the question .302"),
        ((200, b"x" * 10_001, {}), "larger than 10000 bytes"),
        ((200, b"<html>", {}), "not JSON"),
    ],
)
def test_what_will_not_pass_is_said_at_once(reply: Reply, words: str) -> None:
    heard = Heard()
    with server(heard, [reply]) as url, pytest.raises(Unavailable, match=words) as caught:
        api(url, heard).query("up", 0)
    assert len(heard.requests) == 1
    assert "hush" not in caught.value.detail


def test_no_server_and_a_forbidden_address_are_said() -> None:
    heard = Heard()
    with pytest.raises(Unavailable, match="ConnectionRefusedError"):
        api("http://127.0.0.1:1", heard).query("up", 0)
    with server(heard, [SOUND]) as url, pytest.raises(Unavailable, match="a private address") as caught:
        api(url, heard, private=False).query("up", 0)
    assert "PHOENIX_PRIVATE_PROMETHEUS" in caught.value.hint
    assert heard.requests == []
    with pytest.raises(Unavailable, match="metadata service") as caught:
        api("http://169.254.169.254", heard).query("up", 0)
    assert caught.value.hint == "", "nothing allows that"


def test_a_secret_with_a_line_break_is_sent_nowhere() -> None:
    heard = Heard()
    with server(heard, [SOUND]) as url:
        asking = PrometheusApi(
            url, lambda *_: {"Authorization": "a\r\nX: y"}, private=True, patience=heard.patience(), most=10
        )
        with pytest.raises(Unavailable, match="one line"):
            asking.query("up", 0)
    assert heard.requests == []


def test_times_are_exact() -> None:
    assert [seconds(at) for at in (0, 5, 1500, 1_800_000_000_333)] == ["0.000", "0.005", "1.500", "1800000000.333"]
