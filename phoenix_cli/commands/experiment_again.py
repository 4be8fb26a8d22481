"""`phoenix experiment extend|clone`: more time for one, or the same once more."""

from __future__ import annotations

from typing import Annotated

import typer

from phoenix_cli.client import connect
from phoenix_cli.output import Output, OutputOption, emit, note, rows
from phoenix_cli.show.tables import experiments_table

PATH = "/api/v1/experiments"
Name = Annotated[str, typer.Argument(help="Name of the experiment.")]


def extend(
    name: Name,
    by: Annotated[str, typer.Option("--by", help="How much longer it may run, such as 30m or 2h.")],
) -> None:
    """Give it more time, while it has no verdict."""
    note(connect().post(f"{PATH}/{name}/extend", {"by": by})["message"])


def clone(
    name: Name,
    copy: Annotated[str, typer.Argument(help="Name of the new experiment.")],
    host: Annotated[list[str] | None, typer.Option("--host", help="Run it there; may be given more than once.")] = None,
    start: Annotated[bool, typer.Option("--start", help="Start it at once.")] = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """Create an experiment that asks for the same as another."""
    body = {"name": copy, "hosts": host or []}
    made = connect().post(f"{PATH}/{name}/clone", body, start="true" if start else "false")
    for warning in made["warnings"]:
        note(f"warning: {warning}")
    emit(made["experiment"], output, rows(experiments_table))
