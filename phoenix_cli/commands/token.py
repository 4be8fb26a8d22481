"""`phoenix token`: tokens for people and automation."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from phoenix_cli.client import connect
from phoenix_cli.output import Output, OutputOption, emit, note

app = typer.Typer(no_args_is_help=True, help="Tokens for people and automation (hosts get theirs by enrolment).")
PATH = "/api/v1/tokens"


@app.command("create")
def create(
    name: Annotated[str, typer.Argument(help="What it is for.")],
    role: Annotated[str, typer.Option(help="viewer, operator or admin.")] = "viewer",
    lifetime: Annotated[str | None, typer.Option(help="Such as 30d; without: until revoked.")] = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Issue a token. Its secret is shown this once."""
    made = connect().post(PATH, {"name": name, "role": role, "lifetime": lifetime})
    emit(made, output, lambda value: value["secret"])
    note("this is the only time it is shown")


@app.command("list")
def listing(output: OutputOption = Output.TABLE) -> None:
    """List tokens, without their secrets."""

    def table(items: list[dict[str, object]]) -> Table:
        shown = Table("id", "name", "role", "revoked", box=None)
        for item in items:
            shown.add_row(str(item["id"]), str(item["name"]), str(item["role"]), "yes" if item["revokedAt"] else "")
        return shown

    emit(connect().items(PATH), output, table)


@app.command("revoke")
def revoke(token: Annotated[str, typer.Argument(help="Id, from phoenix token list.")]) -> None:
    """Refuse a token from now on."""
    connect().delete(f"{PATH}/{token}")
    note(f"token {token} is revoked")
