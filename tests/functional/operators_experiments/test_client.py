"""The operators' client of the control plane: deadlines, wrong servers, hostile answers, tokens from a file."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from chalicelib.domain.errors import Conflict, InvalidInput, NotAuthenticated, NotFound, PhoenixError, Unavailable
from operators.control_plane.client import MAX_ANSWER, ControlPlaneClient

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def asked(folder: Path, handler: Handler, deadline_s: float = 20, held: str = "phx_t") -> Any:
    """What a GET of /thing answers, by a server that does this."""
    (folder / "token").write_text(held, "utf-8")

    async def run() -> Any:
        app = web.Application()
        app.router.add_get("/api/thing", handler)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        client = ControlPlaneClient(f"http://127.0.0.1:{port}/api/", folder / "token", deadline_s=deadline_s)
        try:
            return await client.ask("GET", "/thing", query={"a": "b/c d"})
        finally:
            await client.close()
            await runner.cleanup()

    return asyncio.run(run())


def answering(status: int, text: str, content_type: str = "application/json") -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        return web.Response(status=status, text=text, content_type=content_type)

    return handle


def test_the_token_goes_with_every_request_and_a_query_is_encoded(tmp_path: Path) -> None:
    async def handle(request: web.Request) -> web.StreamResponse:
        return web.json_response({"token": request.headers["authorization"], "a": request.query["a"]})

    assert asked(tmp_path, handle) == {"token": "Bearer phx_t", "a": "b/c d"}
    assert asked(tmp_path, answering(204, "")) is None


@pytest.mark.parametrize(
    ("handler", "said"),
    [
        (answering(404, "<html>nginx</html>", "text/html"), "answers 404, but not as a Phoenix control plane"),
        (answering(404, '{"message": "not found"}'), "but not as a Phoenix control plane"),
        (answering(200, "<html>welcome</html>", "text/html"), "but not as a Phoenix control plane"),
        (answering(302, "", "text/html"), "answers 302"),
        (answering(503, '{"code": "PHX-UNAVAILABLE", "detail": "busy"}'), "busy"),
        (answering(500, '{"code": "PHX-INTERNAL", "detail": "mistake"}'), "mistake"),
        (answering(429, '{"code": "PHX-BUSY"}'), "answers 429"),
        (answering(200, "x" * (MAX_ANSWER + 1)), "more than 8 MiB"),
        (answering(200, "[" * 200_000), "but not as a Phoenix control plane"),
    ],
)
def test_what_is_no_answer_of_a_control_plane_is_not_reached(tmp_path: Path, handler: Handler, said: str) -> None:
    with pytest.raises(Unavailable, match=said):
        asked(tmp_path, handler)


@pytest.mark.parametrize(("status", "kind"), [(404, NotFound), (409, Conflict), (401, NotAuthenticated)])
def test_a_problem_document_is_the_trees_error_with_its_fields(
    tmp_path: Path, status: int, kind: type[PhoenixError]
) -> None:
    body = '{"code": "PHX-X", "detail": "no", "hint": "so", "errors": [{"pointer": "/a", "rule": "r", "fix": "f"}, 7]}'
    with pytest.raises(kind) as raised:
        asked(tmp_path, answering(status, body))
    assert (raised.value.detail, raised.value.hint) == ("no", "so")
    assert [(one.pointer, one.rule, one.fix) for one in raised.value.problems] == [("/a", "r", "f")]


def test_a_server_that_does_not_answer_is_given_up(tmp_path: Path) -> None:
    async def handle(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(3600)
        raise AssertionError

    with pytest.raises(Unavailable, match="did not answer within"):
        asked(tmp_path, handle, deadline_s=0.3)


@pytest.mark.parametrize("token", ["", "   ", "bad\ntoken", "bäd"])
def test_a_file_without_a_token_is_said_and_its_content_is_not(tmp_path: Path, token: str) -> None:
    with pytest.raises(NotAuthenticated, match="holds no token") as raised:
        asked(tmp_path, answering(200, "{}"), held=token)
    assert "bad" not in raised.value.detail


@pytest.mark.parametrize("url", ["phoenix", "ftp://a", "https://", "https://user:pw@host", "https://a?x=1"])
def test_an_address_that_cannot_be_is_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        ControlPlaneClient(url, tmp_path / "token")
    assert "pw" not in raised.value.detail


def test_a_ca_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ca.crt").write_text("nothing", "utf-8")
    with pytest.raises(InvalidInput, match="no CA certificates"):
        ControlPlaneClient("https://a", tmp_path / "token", tmp_path / "ca.crt")
