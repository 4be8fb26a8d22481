"""The operators' client of the control plane: deadlines, wrong servers, hostile answers, tokens from a file."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from chalicelib.domain.errors import Conflict, NotAuthenticated, NotFound, PhoenixError, Unavailable
from operators.control_plane.client import MAX_ANSWER, ControlPlaneClient

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def asked(folder: Path, handler: Handler, deadline_s: float = 20, held: str = "phx_t") -> Any:
    """What a GET of /thing answers, by a server that does this."""
    (folder / "token").write_text(held, "utf-8")

    async def run() -> Any:
        app = web.Application()
        app.router.add_get("/api/thing", handler)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        (folder / "endpoint").write_text(f"http://127.0.0.1:{port}/api/\n", "utf-8")
        client = ControlPlaneClient(folder, deadline_s=deadline_s)
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


def refused(folder: Path) -> PhoenixError:
    """Why nothing can be asked by what lies in this folder."""

    async def run() -> None:
        client = ControlPlaneClient(folder)
        try:
            await client.ask("GET", "/thing")
        finally:
            await client.close()

    with pytest.raises(PhoenixError) as raised:
        asyncio.run(run())
    return raised.value


@pytest.mark.parametrize("url", ["phoenix", "ftp://a", "https://", "https://user:pw@host", "https://a?x=1", ""])
def test_an_address_that_cannot_be_is_said_without_what_is_in_it(tmp_path: Path, url: str) -> None:
    (tmp_path / "endpoint").write_text(url, "utf-8")
    error = refused(tmp_path)
    assert isinstance(error, Unavailable)
    assert "endpoint holds no https:// URL" in error.detail
    assert "pw" not in error.detail


def test_files_that_are_not_there_or_no_ca_are_said(tmp_path: Path) -> None:
    assert "endpoint cannot be read" in refused(tmp_path).detail
    (tmp_path / "endpoint").write_text("https://127.0.0.1:9", "utf-8")
    (tmp_path / "ca.crt").write_text("nothing", "utf-8")
    assert "no CA certificates" in refused(tmp_path).detail
    (tmp_path / "ca.crt").unlink()
    assert "token cannot be read" in refused(tmp_path).detail


def test_a_ca_of_ones_own_is_trusted_and_another_is_not(tmp_path: Path) -> None:
    certificate, key = tmp_path / "ca.crt", tmp_path / "key.pem"
    subject = ("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", "1", "-nodes")
    made = ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-keyout", str(key), "-out", str(certificate), *subject)
    subprocess.run(made, check=True, capture_output=True)

    async def run() -> list[Any]:
        app = web.Application()
        app.router.add_get("/thing", answering(200, "[1]"))
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(certificate, key)
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
        (tmp_path / "endpoint").write_text(f"https://localhost:{runner.addresses[0][1]}", "utf-8")
        (tmp_path / "token").write_text("phx_t", "utf-8")
        client = ControlPlaneClient(tmp_path)
        try:
            found = [await client.ask("GET", "/thing")]
            certificate.unlink()
            try:
                found.append(await client.ask("GET", "/thing"))
            except Unavailable as error:
                found.append(error.detail)
            return found
        finally:
            await client.close()
            await runner.cleanup()

    trusted, other = asyncio.run(run())
    assert trusted == [1]
    assert "cannot be reached" in other
    assert "certificate" in other.lower()
