"""`phoenix loadsim`: simulated process load on a host."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from chalicelib.domain.errors import InvalidInput, NotFound, PhoenixError, Problem
from chalicelib.domain.load import DEFAULTS, LoadSpec, stages_of
from phoenix_cli.client import Client, connect
from phoenix_cli.documents import Document, read_document
from phoenix_cli.output import Output, OutputOption, emit, note, rows
from phoenix_cli.show.loads import profiles_table, stages_table
from phoenix_cli.show.tables import loadsims_table

app = typer.Typer(no_args_is_help=True, help="Simulated process load: real processes that always end.")
PATH = "/api/v1/loadsims"
Name = Annotated[str, typer.Argument(help="Name of the load.")]
HostOption = Annotated[str | None, typer.Option(help="Host; may be left out when only one has a load of that name.")]


@app.command("start")
def start(
    name: Name,
    host: Annotated[str, typer.Option(help="Host to run on.")],
    file: Annotated[
        Path | None, typer.Option("--file", "-f", help="The load as YAML or JSON, as in an experiment; - reads stdin.")
    ] = None,
    profile: Annotated[str | None, typer.Option(help="See phoenix loadsim list-profiles.")] = None,
    count: Annotated[int | None, typer.Option(help="Processes alive at any time.")] = None,
    busy: Annotated[int | None, typer.Option(help="How many of them use CPU.")] = None,
    critical: Annotated[int | None, typer.Option(help="How many are named as critical ones.")] = None,
    restarts_per_minute: Annotated[float | None, typer.Option(help="Idle processes replaced each minute.")] = None,
    starts_per_second: Annotated[float | None, typer.Option(help="process-churn: jobs started each second.")] = None,
    seed: Annotated[int | None, typer.Option(help="The same seed gives the same population.")] = None,
    duration: Annotated[str | None, typer.Option(help="Ends by itself after this, such as 30m (default 1h).")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check it and show its stages; start nothing.")] = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """Start a load on a host. What an option says wins over the file."""
    given: dict[str, Any] = {"profile": profile, "count": count, "busy": busy, "critical": critical, "seed": seed}
    given |= {"restartsPerMinute": restarts_per_minute, "startsPerSecond": starts_per_second, "durationS": duration}
    document = read_document(file) if file else Document("the options", {})
    if not isinstance(document.value, Mapping):
        raise InvalidInput(f"{document.name} holds no load; write fields such as profile: process-churn")
    spec = {**document.value, **{key: value for key, value in given.items() if value is not None}}
    try:
        if dry_run:
            stages = [one.model_dump(mode="json", by_alias=True) for one in stages_of(_checked(spec))]
            emit(stages, output, stages_table)
        else:
            emit(connect().post(PATH, {"name": name, "host": host, "spec": spec}), output, rows(loadsims_table))
    except PhoenixError as error:
        error.lines = {f"/spec{pointer}": line for pointer, line in document.lines.items()}  # type: ignore[attr-defined]
        error.file = document.name  # type: ignore[attr-defined]
        raise


def _checked(spec: Mapping[str, Any]) -> LoadSpec:
    try:
        return LoadSpec.model_validate(spec)
    except ValidationError as error:
        problems = tuple(
            Problem("/spec" + "".join(f"/{part}" for part in e["loc"]), e["msg"].removeprefix("Value error, "))
            for e in error.errors(include_url=False)
        )
        raise InvalidInput(f"{len(problems)} problem(s) in the request", problems=problems) from error


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
    """Show loads: phase, stage of a scenario, processes and rates beside those asked."""
    client = connect()
    if name is None:
        emit(client.items(PATH), output, rows(loadsims_table))
    else:
        emit(_one(client, name, host), output, rows(loadsims_table))


@app.command("list-profiles")
def profiles(output: OutputOption = Output.TABLE) -> None:
    """List the profiles and scenarios and their defaults."""
    items = [{"name": name, **defaults.model_dump(by_alias=True)} for name, defaults in DEFAULTS.items()]
    emit(items, output, profiles_table)


def _one(client: Client, name: str, host: str | None) -> dict[str, Any]:
    found = [item for item in client.items(PATH) if item["name"] == name and host in (None, item["host"])]
    if not found:
        raise NotFound(f"no load named {name!r}", hint="see them: phoenix loadsim status")
    if len(found) > 1:
        raise InvalidInput(f"{name!r} runs on {', '.join(i['host'] for i in found)}: say which with --host")
    return found[0]
