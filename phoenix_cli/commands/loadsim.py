"""`phoenix loadsim`: simulated process load on a host."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.table import Table

from chalicelib.domain.errors import InvalidInput, NotFound
from chalicelib.domain.load import DEFAULTS
from phoenix_cli.client import Client, connect
from phoenix_cli.output import Output, OutputOption, emit, note, rows
from phoenix_cli.show.tables import loadsims_table

app = typer.Typer(no_args_is_help=True, help="Simulated process load: real processes that always end.")
PATH = "/api/v1/loadsims"
Name = Annotated[str, typer.Argument(help="Name of the load.")]
HostOption = Annotated[str | None, typer.Option(help="Host; may be left out when only one has a load of that name.")]


@app.command("start")
def start(
    name: Name,
    host: Annotated[str, typer.Option(help="Host to run on.")],
    profile: Annotated[str, typer.Option(help="See phoenix loadsim list-profiles.")] = "high-cardinality",
    count: Annotated[int | None, typer.Option(help="Processes alive at any time.")] = None,
    busy: Annotated[int | None, typer.Option(help="How many of them use CPU.")] = None,
    critical: Annotated[int | None, typer.Option(help="How many are named as critical ones.")] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same population.")] = 1,
    duration: Annotated[str, typer.Option(help="Ends by itself after this, such as 30m.")] = "1h",
    output: OutputOption = Output.TABLE,
) -> None:
    """Start a load on a host."""
    spec: dict[str, Any] = {"profile": profile, "seed": seed, "durationS": duration}
    given = {"count": count, "busy": busy, "critical": critical}
    spec.update({key: value for key, value in given.items() if value is not None})
    made = connect().post(PATH, {"name": name, "host": host, "spec": spec})
    emit(made, output, rows(loadsims_table))


@app.command("stop")
def stop(name: Name, host: HostOption = None) -> None:
    """Stop a load."""
    client = connect()
    found = _one(client, name, host)
    client.post(f"/api/v1/hosts/{found['host']}/loadsims/{name}/stop")
    note(f"load {name} on {found['host']} is stopping")


@app.command("status")
def status(
    name: Annotated[str | None, typer.Argument(help="Name of the load; without: all.")] = None,
    host: HostOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Show loads: phase, processes, restarts."""
    client = connect()
    if name is None:
        emit(client.items(PATH), output, rows(loadsims_table))
    else:
        emit(_one(client, name, host), output, rows(loadsims_table))


@app.command("list-profiles")
def profiles(output: OutputOption = Output.TABLE) -> None:
    """List the profiles and their defaults."""
    items = [{"name": name, **defaults.model_dump(by_alias=True)} for name, defaults in DEFAULTS.items()]

    def table(rows: list[dict[str, Any]]) -> Table:
        shown = Table("profile", "count", "busy", "critical", "restarts/min", "what", box=None)
        for row in rows:
            shown.add_row(*(str(row[k]) for k in ("name", "count", "busy", "critical", "restartsPerMinute", "summary")))
        return shown

    emit(items, output, table)


def _one(client: Client, name: str, host: str | None) -> dict[str, Any]:
    found = [item for item in client.items(PATH) if item["name"] == name and host in (None, item["host"])]
    if not found:
        raise NotFound(f"no load named {name!r}", hint="see them: phoenix loadsim status")
    if len(found) > 1:
        raise InvalidInput(f"{name!r} runs on {', '.join(i['host'] for i in found)}: say which with --host")
    return found[0]
