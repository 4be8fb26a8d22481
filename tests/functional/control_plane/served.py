"""A control plane of a test, served over real HTTP on a loopback port for those that speak nothing else."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

import app
from chalicelib.bootstrap import ControlPlane
from phoenix_cli.local.gateway import Gateway
from phoenix_cli.local.server import listen


@contextmanager
def served(control_plane: ControlPlane) -> Iterator[int]:
    """Its port, for the length of a block."""
    listener = listen(0)
    config = uvicorn.Config(Gateway(app.create(control_plane)), loop="asyncio", log_level="warning", lifespan="on")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    deadline = time.monotonic() + 60
    while not server.started:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(60)
