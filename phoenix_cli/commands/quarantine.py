"""`phoenix host quarantine` and `phoenix host attempts`: configurations that failed on a host, and their release."""

from __future__ import annotations

from typing import Annotated

import typer

from phoenix_cli.client import connect
from phoenix_cli.output import Output, OutputOption, emit, note, rows
from phoenix_cli.show.fleet.quarantine import attempts_table, quarantine_table

app = typer.Typer(no_args_is_help=True, help="Configurations that failed on hosts: list, release.")
PATH = "/api/v1/hosts"
HostArgument = Annotated[str, typer.Argument(help="Name of the host.")]


@app.command("list")
def listing(
    name: Annotated[str | None, typer.Argument(help="Only of this host.")] = None, output: OutputOption = Output.TABLE
) -> None:
    """List failed configurations that are not offered again, with the collector's own words."""
    client = connect()
    hosts = [client.get(f"{PATH}/{name}")] if name else client.items(PATH)
    found = [{"host": host["name"], **failure} for host in hosts for failure in host["quarantine"]]
    emit(found, output, rows(quarantine_table))


@app.command("release")
def release(
    name: HostArgument,
    content_hash: Annotated[str, typer.Argument(help="Its content hash, or at least eight digits of it.")],
) -> None:
    """Let a failed configuration be offered again, once the cause of its failure is gone."""
    freed = connect().post(f"{PATH}/{name}/quarantine/release", {"contentHash": content_hash.lower()})
    note(f"{freed['contentHash'][:12]} may be offered to {name} again; order its deployment or experiment once more")


def attempts(name: HostArgument, output: OutputOption = Output.TABLE) -> None:
    """List every configuration that was tried on a host, and what became of it."""
    emit(connect().items(f"{PATH}/{name}/attempts"), output, rows(attempts_table))
