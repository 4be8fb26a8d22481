"""`phoenix price-book`: what backends charge, from public lists and from your own contract."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from chalicelib.domain.errors import PhoenixError
from phoenix_cli.client import connect
from phoenix_cli.documents import read_document
from phoenix_cli.output import Output, OutputOption, emit, note
from phoenix_cli.show.cost.cost import price_book_text, price_books_table

app = typer.Typer(no_args_is_help=True, help="Price books: what a backend charges, with source and date.")
PATH = "/api/v1/price-books"
NameArgument = Annotated[str, typer.Argument(help="Name of the price book.")]


@app.command("list")
def listing(output: OutputOption = Output.TABLE) -> None:
    """List price books, with the date at which each was read."""
    emit(connect().items(PATH), output, price_books_table)


@app.command("show")
def show(name: NameArgument, output: OutputOption = Output.TABLE) -> None:
    """Show every charge of a price book, its source and what it leaves out."""
    emit(connect().get(f"{PATH}/{name}"), output, price_book_text)


@app.command("create")
def create(
    file: Annotated[Path, typer.Option("--file", "-f", help="YAML or JSON; - reads standard input.")],
    output: OutputOption = Output.TABLE,
) -> None:
    """Make a price book of your own; phoenix price-book show NAME --output yaml has the form under `book`."""
    document = read_document(file)
    try:
        made = connect().post(PATH, sendable(document.value))
    except PhoenixError as error:
        error.lines, error.file = document.lines, document.name  # type: ignore[attr-defined]
        raise
    emit(made, output, price_book_text)


def sendable(value: Any) -> Any:
    """A YAML value as JSON has it: YAML reads 2026-11-01 as a date, and JSON knows none."""
    return json.loads(json.dumps(value, default=str))


@app.command("delete")
def delete(name: NameArgument) -> None:
    """Delete a price book of your own."""
    connect().delete(f"{PATH}/{name}")
    note(f"price book {name} is deleted")
