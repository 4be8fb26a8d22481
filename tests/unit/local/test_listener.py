"""The control plane's listening socket: what connections inherit from it."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from chalicelib.domain.errors import Conflict, InvalidInput
from phoenix_cli.local.server import HOST, Options, listen, serve


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def test_answers_in_parts_do_not_wait_for_acknowledgements() -> None:
    async def no_delay_of_a_connection() -> int:
        found: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        def accepted(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            found.set_result(writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        listener = listen(free_port())
        async with await asyncio.start_server(accepted, sock=listener):
            _, writer = await asyncio.open_connection(*listener.getsockname())
            try:
                return await asyncio.wait_for(found, 10)
            finally:
                writer.close()

    assert asyncio.run(no_delay_of_a_connection()) == 1


def test_a_taken_port_is_named() -> None:
    port = free_port()
    with listen(port) as first:
        first.listen()
        with pytest.raises(Conflict, match=str(port)):
            listen(port)


def test_an_address_of_no_interface_needs_a_url_for_hosts(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="--public-url"):
        serve(Options(free_port(), tmp_path, "sqlite", None, address="0.0.0.0"), {})  # noqa: S104
    assert list(tmp_path.iterdir()) == []
