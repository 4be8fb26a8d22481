"""`phoenix up`: binary, data folder, port, control plane, first admin token, clock, server; in that order."""

from __future__ import annotations

import gc
import logging
import os
import socket
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import uvicorn

import app
from chalicelib.bootstrap import ControlPlane, build
from chalicelib.domain.access import DEFAULT_TENANT, Role
from chalicelib.domain.errors import Conflict, InvalidInput, NotAuthenticated
from chalicelib.settings import Settings
from phoenix_cli.binaries.progress import progress_report
from phoenix_cli.binaries.resolve import resolve_collector
from phoenix_cli.host_runtime.private_files import write_private
from phoenix_cli.local.clock import LocalClock
from phoenix_cli.local.gateway import Gateway
from phoenix_cli.local.instance import ADMIN_TOKEN, DETACHED, Instance, announce, held
from phoenix_cli.output import note
from phoenix_cli.profile import Profile, profile_path, save_profile

HOST = "127.0.0.1"
EVERYWHERE = ("0.0.0.0",)  # noqa: S104 - compared, never a default
"""Addresses that name no interface of their own."""
IDLE_POLL_SECONDS = 2
"""Hosts of one machine or a small team poll often: a deployment should take seconds."""


@dataclass(frozen=True)
class Options:
    """What the command line says."""

    port: int
    data_dir: Path
    store: str
    endpoint: str | None
    catalogs: tuple[Path, ...] = ()
    address: str = HOST
    """Of the interface it listens on."""
    public_url: str = ""
    """Where hosts reach it; "" is the address it listens on."""


def serve(options: Options, env: Mapping[str, str]) -> None:
    """Serve until interrupted. Raises Conflict (port or folder taken), CollectorMissing, InvalidInput, Unavailable."""
    if options.store == "dynamodb" and not options.endpoint:
        raise InvalidInput("--store dynamodb needs --endpoint URL")
    if options.address in EVERYWHERE and not options.public_url:
        raise InvalidInput(f"--address {options.address} needs --public-url: hosts must be told where to send")
    with held(options.data_dir):
        listener = listen(options.port, options.address)
        with progress_report(env, sys.stderr) as report:
            otelcol = resolve_collector(env, report)
        url = f"http://{HOST if options.address in EVERYWHERE else options.address}:{options.port}"
        control_plane = build(_settings(options, options.public_url or url, otelcol, env))
        _first_token(control_plane, options.data_dir, url, env)
        _run(control_plane, listener, options, url)


def _settings(options: Options, url: str, otelcol: Path, env: Mapping[str, str]) -> Settings:
    return Settings.model_validate(
        {
            "store": options.store,
            "data_dir": options.data_dir,
            "dynamodb_endpoint": options.endpoint,
            "create_tables": options.store == "dynamodb",
            "public_url": url,
            "otelcol": otelcol,
            "idle_poll_seconds": IDLE_POLL_SECONDS,
            "extra_catalogs": options.catalogs,
            "private_webhooks": True,
            "private_prometheus": True,
            "prometheus_credentials": env.get("PHOENIX_PROMETHEUS_CREDENTIALS") or None,
            "signing_key": env.get("PHOENIX_SIGNING_KEY") or None,
        }
    )


def listen(port: int, address: str = HOST) -> socket.socket:
    """A bound socket, on the loopback interface unless another is named. Raises Conflict when the port cannot be
    used."""
    # The protocol is named because asyncio sets TCP_NODELAY only where it is: without, each answer in two parts (all of
    # uvicorn's) waits 40 ms for the delayed acknowledgement of the first.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((address, port))
    except OSError as error:
        listener.close()
        raise Conflict(
            f"port {port} on {address} cannot be used: {error.strerror}", hint="choose another with --port"
        ) from error
    return listener


def _first_token(control_plane: ControlPlane, folder: Path, url: str, env: Mapping[str, str]) -> None:
    """An admin token exists and is in the data folder (0600) afterwards; it is printed when it is made.

    The file decides, not a counter: a process that dies between making and writing it makes another next time.
    """
    tokens = control_plane.services.tokens
    path = folder / ADMIN_TOKEN
    try:
        secret = path.read_text("utf-8").strip()
        tokens.authenticate(secret)
    except (OSError, NotAuthenticated):
        _, secret = tokens.issue(DEFAULT_TENANT, Role.ADMIN, "admin", "bootstrap")
        write_private(path, secret + "\n")
        if not env.get(DETACHED):  # then the error output is a log, and no secret belongs there
            note(f"admin token, shown this once: {secret}")
    profile = profile_path(env)
    if not profile.exists() or url in profile.read_text("utf-8", "replace"):
        save_profile(env, Profile(url, secret))
        note(f"the CLI's profile: {profile}")
    else:
        note(f"the CLI's profile {profile} is for another control plane and is left alone;")
        note(f"to use this one: export PHOENIX_URL={url} PHOENIX_TOKEN=$(cat {path})")


def _run(control_plane: ControlPlane, listener: socket.socket, options: Options, url: str) -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s", stream=sys.stderr)
    logging.getLogger("botocore").setLevel(logging.WARNING)
    gateway = Gateway(app.create(control_plane))
    config = uvicorn.Config(
        gateway, loop="asyncio", log_level="warning", access_log=False, timeout_graceful_shutdown=5, lifespan="on"
    )
    server = uvicorn.Server(config)
    clocks = (
        LocalClock("clock", control_plane.tick, control_plane.sweep),
        # A slow receiver holds up other deliveries, and never an experiment.
        LocalClock("deliveries", control_plane.deliver),
    )
    store = options.store
    threading.Thread(target=_announce_when_ready, args=(server, options.data_dir, url, store), daemon=True).start()
    # What is loaded now stays: without this, each full collection looks at all of it, and requests wait meanwhile.
    gc.collect()
    gc.freeze()
    for clock in clocks:
        clock.start()
    try:
        server.run(sockets=[listener])
    finally:
        for clock in clocks:
            clock.stop()


def _announce_when_ready(server: uvicorn.Server, folder: Path, url: str, store: str) -> None:
    while not server.started:
        if server.should_exit:
            return
        time.sleep(0.02)
    announce(folder, Instance(pid=os.getpid(), url=url, store=store, started_at=time.time()))
    note(f"serving at {url}")
