"""The real client against a small HTTP server: what a cluster seldom does. The rest is the contract's."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from chalicelib.domain.errors import (
    Conflict,
    InvalidInput,
    NotAllowed,
    NotFound,
    PhoenixError,
    TooLarge,
    Unavailable,
)
from operators.engine.client import KubeClient
from operators.engine.cluster import Change
from operators.engine.credentials import Credentials, from_kubeconfig, in_cluster
from operators.engine.objects import CONFIG_MAP, Key, Kind

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]
KEY = Key("n", "a")
THING = {"metadata": {"name": "a", "namespace": "n", "resourceVersion": "5", "managedFields": [{}]}}


@asynccontextmanager
async def serving(answer: Answer, token_file: Path | None = None) -> AsyncIterator[tuple[KubeClient, list[int]]]:
    """A client of a server that answers so, and the statuses it counted."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    counted: list[int] = []
    credentials = Credentials(
        f"http://127.0.0.1:{port}", None, token="t0" if token_file is None else "", token_file=token_file
    )
    client = KubeClient(
        credentials, counted=lambda verb, kind, code: counted.append(code), now=lambda: 0.0, deadline_s=2
    )
    try:
        yield client, counted
    finally:
        await client.close()
        await runner.cleanup()


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (400, InvalidInput),
        (401, NotAllowed),
        (403, NotAllowed),
        (404, NotFound),
        (409, Conflict),
        (413, TooLarge),
        (422, InvalidInput),
        (429, Unavailable),
        (500, Unavailable),
        (503, Unavailable),
    ],
)
def test_a_refusal_is_an_error_of_the_tree_with_the_server_s_words(code: int, error: type[PhoenixError]) -> None:
    async def answer(request: web.Request) -> web.Response:
        details = {"causes": [{"field": "spec.x", "message": "must be 1"}]}
        return web.json_response({"message": "no: token=abc", "details": details}, status=code)

    async def story() -> None:
        async with serving(answer) as (client, counted):
            with pytest.raises(error) as caught:
                await client.apply(CONFIG_MAP, THING)
            assert type(caught.value) is error
            assert "no:" in caught.value.detail
            assert "abc" not in caught.value.detail
            assert caught.value.problems[0].pointer == "spec.x"
            assert counted == [code]

    asyncio.run(story())


def test_nobody_there_and_nonsense_are_unavailable() -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(text="<html>")

    async def story() -> None:
        async with serving(answer) as (client, _):
            with pytest.raises(Unavailable, match="not JSON"):
                await client.get(CONFIG_MAP, KEY)
        nobody = KubeClient(Credentials("http://127.0.0.1:9", None), now=lambda: 0.0)
        with pytest.raises(Unavailable):
            await nobody.get(CONFIG_MAP, KEY)
        await nobody.close()

    asyncio.run(story())


def test_a_new_token_is_read_when_the_old_one_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("old\n")
    seen = []

    async def answer(request: web.Request) -> web.Response:
        seen.append(request.headers["authorization"])
        if seen[-1] == "Bearer old":
            file.write_text("new\n")
            return web.json_response({}, status=401)
        return web.json_response(THING)

    async def story() -> None:
        async with serving(answer, file) as (client, _):
            found = await client.get(CONFIG_MAP, KEY)
            assert found is not None
            assert "managedFields" not in found["metadata"]

    asyncio.run(story())
    assert seen == ["Bearer old", "Bearer new"]


def test_pages_follow_one_another() -> None:
    async def answer(request: web.Request) -> web.Response:
        more = "" if request.query.get("continue") == "c1" else "c1"
        name = "second" if not more else "first"
        item = {"metadata": {"name": name, "resourceVersion": "1"}}
        return web.json_response({"metadata": {"resourceVersion": "9", "continue": more}, "items": [item]})

    async def story() -> None:
        async with serving(answer) as (client, _):
            pages = [page async for page in client.pages(CONFIG_MAP, "n", "")]
            assert [(things[0]["metadata"]["name"], version) for things, version in pages] == [
                ("first", "9"),
                ("second", "9"),
            ]
            assert pages[0][0][0]["kind"] == "ConfigMap"

    asyncio.run(story())


def watched(*lines: bytes, status: int = 200) -> list[Change]:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(status=status)
        await response.prepare(request)
        for line in lines:
            await response.write(line)
        return response

    async def story() -> list[Change]:
        async with serving(answer) as (client, _):
            return [change async for change in client.watch(CONFIG_MAP, "n", "", "1")]

    return asyncio.run(story())


def test_a_watch_takes_lines_of_any_size_in_any_pieces() -> None:
    big = {"metadata": {"name": "big", "resourceVersion": "7"}, "data": {"x": "y" * 1_500_000}}
    line = json.dumps({"type": "ADDED", "object": big}).encode() + b"\n"
    bookmark = b'{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"8"}}}\n'
    changes = watched(line[:100_000], line[100_000:] + bookmark[:10], bookmark[10:])
    assert [(change.type, change.version) for change in changes] == [("ADDED", "7"), ("BOOKMARK", "8")]
    assert len(changes[0].thing["data"]["x"]) == 1_500_000


def test_what_the_server_forgot_is_said_in_either_way() -> None:
    error = b'{"type":"ERROR","object":{"kind":"Status","code":410,"message":"too old"}}\n'
    assert [change.type for change in watched(error)] == ["EXPIRED"]
    assert [change.type for change in watched(status=410)] == ["EXPIRED"]


@pytest.mark.parametrize("line", [b"nonsense\n", b'{"type":"ADDED"}\n', b'{"type":"ODD","object":{"metadata":{}}}\n'])
def test_a_watch_that_says_nonsense_is_unavailable(line: bytes) -> None:
    with pytest.raises(Unavailable):
        watched(line)


def test_a_pod_s_credentials_are_its_service_account_s(tmp_path: Path) -> None:
    assert in_cluster({}, tmp_path) is None
    assert in_cluster({"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, tmp_path) is None, "no token"


def test_a_kubeconfig_names_what_it_lacks(tmp_path: Path) -> None:
    path = tmp_path / "config"

    def refused(text: str) -> str:
        path.write_text(text)
        with pytest.raises(InvalidInput) as caught:
            from_kubeconfig(path)
        return caught.value.detail

    whole = (
        "current-context: x\ncontexts: [{name: x, context: {cluster: c, user: u}}]\n"
        "clusters: [{name: c, cluster: {server: %s}}]\nusers: [{name: u, user: %s}]\n"
    )
    assert "not a mapping" in refused("[]")
    assert "context named" in refused("current-context: x")
    assert "no server address" in refused(whole % ("ftp://x", "{}"))
    assert "needs a plugin" in refused(whole % ("http://x", "{exec: {command: aws}}"))
    assert "not base64" in refused(whole % ("https://x", "{client-certificate-data: '%', client-key: x}"))
    assert "cannot be used" in refused(
        whole % ("https://x", "{client-certificate: nowhere.pem, client-key: nowhere.key}")
    )
    assert "no client-key" in refused(whole % ("https://x", "{client-certificate: nowhere.pem}"))
    path.write_text(whole % ("http://x:1/", "{token: secret-token}"))
    credentials = from_kubeconfig(path)
    assert (credentials.server, credentials.token(0.0)) == ("http://x:1", "secret-token")


def test_a_token_file_is_read_again_after_a_minute_and_kept_when_it_is_gone(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("one")
    credentials = Credentials("http://x", None, token_file=file)
    assert credentials.token(0) == "one"
    file.write_text("two")
    assert credentials.token(59) == "one"
    assert credentials.token(61) == "two"
    file.unlink()
    assert credentials.token(200) == "two"


def test_a_name_with_a_path_in_it_never_leaves_the_process() -> None:
    async def story() -> None:
        asked: list[int] = []
        credentials = Credentials("http://127.0.0.1:9", None)
        client = KubeClient(credentials, counted=lambda verb, kind, code: asked.append(code), now=lambda: 0.0)
        assert await client.delete(Kind("v1", "secrets", "Secret"), Key("n", "a/../b")) is False
        assert asked == []

    asyncio.run(story())
