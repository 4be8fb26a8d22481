"""`phoenix host`: let hosts in, run this one, show and remove them."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from pathlib import Path
from typing import Annotated

import typer

from chalicelib.domain.errors import InvalidInput, NotFound
from phoenix_cli.binaries.progress import progress_report
from phoenix_cli.binaries.resolve import resolve_collector, resolve_supervisor
from phoenix_cli.client import connect
from phoenix_cli.commands import quarantine
from phoenix_cli.commands.record import record_host, show_recording
from phoenix_cli.host_runtime.config import HostConfig
from phoenix_cli.host_runtime.credentials import (
    HostCredentials,
    enrol,
    load_credentials,
    save_credentials,
)
from phoenix_cli.host_runtime.runtime import LOAD_AGENT, run_host
from phoenix_cli.output import Output, OutputOption, emit, note, rows
from phoenix_cli.profile import data_home, load_profile
from phoenix_cli.show.tables import hosts_table

app = typer.Typer(no_args_is_help=True, help="Hosts: enrol, run, show, remove.")
PATH = "/api/v1/hosts"
HostArgument = Annotated[str, typer.Argument(help="Name of the host.")]
DataDir = Annotated[Path | None, typer.Option("--data-dir", help="Folder of this host's own files.")]


@app.command("enrol")
def invite(
    name: Annotated[str | None, typer.Argument(help="Only a host of this name may use the token.")] = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Make a one-time enrolment token; give it to `phoenix host run --enrolment` on the host."""
    made = connect().post("/api/v1/enrolments", {"host": name})
    emit(made, output, lambda value: value["token"])
    url = load_profile(os.environ).url
    note(f"on the host, within the hour: phoenix host run --endpoint {url} --enrolment <token>")


@app.command("run")
def run(
    name: Annotated[str | None, typer.Option(help="Name of this host; default: its hostname.")] = None,
    endpoint: Annotated[str | None, typer.Option(help="URL of the control plane.")] = None,
    enrolment: Annotated[
        str | None, typer.Option(envvar="PHOENIX_ENROLMENT", help="One-time token; needed the first time only.")
    ] = None,
    label: Annotated[list[str] | None, typer.Option(help="key=value; may be given more than once.")] = None,
    data_dir: DataDir = None,
) -> None:
    """Run this machine's collector under the OpAMP supervisor, and its load agent. No root needed."""
    folder = (data_dir or data_home(os.environ) / "host").absolute()
    credentials = _credentials(folder, name, endpoint, enrolment, label or [])
    with progress_report(os.environ, sys.stderr) as report:
        collector = resolve_collector(os.environ, report)
        supervisor = resolve_supervisor(os.environ, report)
    config = HostConfig(
        endpoint=credentials.endpoint,
        host=credentials.host,
        token=credentials.token,
        data_dir=folder,
        collector=collector,
        supervisor=supervisor,
        load_agent=LOAD_AGENT,
        environment={k: v for k, v in os.environ.items() if k not in ("PHOENIX_ENROLMENT", "PHOENIX_TOKEN")},
        labels=dict(credentials.labels),
    )
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    code = run_host(config, on_ready=lambda: note(f"host {config.host} runs"), stop_event=stop)
    raise typer.Exit(code)


def _credentials(
    folder: Path, name: str | None, endpoint: str | None, enrolment: str | None, labels: list[str]
) -> HostCredentials:
    try:
        return load_credentials(folder)
    except NotFound:
        if not enrolment:
            raise
    made = enrol(endpoint or load_profile(os.environ).url, enrolment, name or _hostname(), _labels(labels))
    save_credentials(folder, made)
    note(f"enrolled as {made.host}")
    return made


def _hostname() -> str:
    """This machine's name as a DNS label."""
    raw = socket.gethostname().split(".")[0].lower()
    return "".join(c if c.isalnum() and c.isascii() else "-" for c in raw).strip("-")[:63] or "host"


def _labels(given: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in given:
        key, separator, value = text.partition("=")
        if not key or not separator:
            raise InvalidInput(f"--label {text!r} is not key=value")
        found[key] = value
    return found


@app.command("list")
def listing(output: OutputOption = Output.TABLE) -> None:
    """List hosts and how their collectors are."""
    emit(connect().items(PATH), output, rows(hosts_table))


@app.command("show")
def show(name: HostArgument, output: OutputOption = Output.YAML) -> None:
    """Show one host: collector, configuration in force, failures remembered."""
    emit(connect().get(f"{PATH}/{name}"), output, rows(hosts_table))


@app.command("remove")
def remove(name: HostArgument) -> None:
    """Revoke a host's token and forget it."""
    connect().delete(f"{PATH}/{name}")
    note(f"host {name} is removed")


app.add_typer(quarantine.app, name="quarantine")
app.command("attempts")(quarantine.attempts)
app.command("record")(record_host)
app.command("recording")(show_recording)
