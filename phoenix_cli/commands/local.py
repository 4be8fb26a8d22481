"""`phoenix up`, `down` and `status`: the control plane on this machine."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from chalicelib.domain.errors import Unavailable
from phoenix_cli.local.instance import ADMIN_TOKEN, DETACHED, Instance, running, stop
from phoenix_cli.output import Output, OutputOption, emit, note
from phoenix_cli.profile import data_home

START_SECONDS = 60.0
DataDir = Annotated[Path | None, typer.Option("--data-dir", envvar="PHOENIX_DATA_DIR", help="Folder of the data.")]


class Store(StrEnum):
    """Engine of the item store."""

    SQLITE = "sqlite"
    DYNAMODB = "dynamodb"


def register(app: typer.Typer) -> None:
    """Add the three commands to the root."""
    app.command("up")(up)
    app.command("down")(down)
    app.command("status")(status)


def up(
    port: Annotated[int, typer.Option(help="Port to listen on.", min=1, max=65535)] = 8700,
    address: Annotated[str, typer.Option(help="IPv4 address to listen on; plain HTTP.")] = "127.0.0.1",
    public_url: Annotated[
        str, typer.Option("--public-url", help="Where hosts and clusters reach it; default: where it listens.")
    ] = "",
    data_dir: DataDir = None,
    store: Annotated[Store, typer.Option(help="Engine of the item store.")] = Store.SQLITE,
    endpoint: Annotated[str | None, typer.Option(help="DynamoDB-compatible endpoint, with --store dynamodb.")] = None,
    catalog: Annotated[
        list[Path] | None, typer.Option("--catalog", help="Folder with pipelines of your own; may be repeated.")
    ] = None,
    detach: Annotated[bool, typer.Option("--detach", "-d", help="Return once it serves.")] = False,
) -> None:
    """Serve the control plane on this machine until interrupted. The first start makes an admin token."""
    from phoenix_cli.local.server import Options, serve

    folder = (data_dir or data_home(os.environ)).absolute()
    if detach:
        _detach(folder)
        return
    catalogs = tuple(one.absolute() for one in catalog or [])
    serve(Options(port, folder, store.value, endpoint, catalogs, address, public_url), os.environ)


def down(data_dir: DataDir = None) -> None:
    """Stop the control plane of this machine. Hosts go on with what they have."""
    folder = (data_dir or data_home(os.environ)).absolute()
    found = stop(folder)
    note(f"stopped (process {found.pid})" if found else f"nothing runs on {folder}")


def status(data_dir: DataDir = None, output: OutputOption = Output.TABLE) -> None:
    """Say whether the control plane of this machine runs. Exit code 1 when it does not."""
    folder = (data_dir or data_home(os.environ)).absolute()
    found = running(folder)
    emit(_status(folder, found), output, _text)
    if found is None:
        raise typer.Exit(1)


def _status(folder: Path, found: Instance | None) -> dict[str, Any]:
    if found is None:
        return {"running": False, "dataDir": str(folder)}
    return {
        "running": True,
        "url": found.url,
        "pid": found.pid,
        "store": found.store,
        "seconds": round(time.time() - found.started_at),
        "dataDir": str(folder),
    }


def _text(value: dict[str, Any]) -> str:
    if not value["running"]:
        return f"not running (data folder {value['dataDir']}); start it: phoenix up"
    up_for = value["seconds"]
    return f"running at {value['url']} for {up_for} s, process {value['pid']}, {value['store']} in {value['dataDir']}"


def _detach(folder: Path) -> None:
    """Start this very command again without --detach, in its own session, and wait until it serves."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    log = folder / "control-plane.log"
    token = folder / ADMIN_TOKEN
    before = token.read_text("utf-8") if token.exists() else ""
    words = [word for word in sys.argv[1:] if word not in ("--detach", "-d")]
    with log.open("ab") as stream:
        start = stream.tell()
        child = subprocess.Popen(
            [sys.executable, "-m", "phoenix_cli", *words],
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
            env={**os.environ, DETACHED: "1"},
            start_new_session=True,
        )
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        found = running(folder)
        if found and found.pid == child.pid:
            note(_text(_status(folder, found)))
            if (made := token.read_text("utf-8")) != before:
                note(f"admin token, shown this once: {made.strip()}")
            note(f"log: {log}; stop it: phoenix down")
            return
        if child.poll() is not None:
            sys.stderr.write(log.read_bytes()[start:].decode("utf-8", "replace"))
            raise typer.Exit(child.returncode or 1)
        time.sleep(0.1)
    child.terminate()
    raise Unavailable(f"it did not serve within {START_SECONDS:g} s; see {log}")
