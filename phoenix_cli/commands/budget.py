"""`phoenix budget`: what telemetry may cost a month, and who hears of it."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from phoenix_cli.client import connect
from phoenix_cli.output import Output, OutputOption, emit, note, rows
from phoenix_cli.show.cost.budget import budget_text, budgets_table

app = typer.Typer(no_args_is_help=True, help="Budgets: warn and breach are told to webhooks, each once.")
PATH = "/api/v1/budgets"
NameArgument = Annotated[str, typer.Argument(help="Name of the budget.")]


@app.command("create")
def create(
    name: NameArgument,
    limit: Annotated[float, typer.Option(help="Money a month, in the price book's currency.")],
    warn_at: Annotated[str, typer.Option(help="Share of the limit from which on it warns.")] = "80%",
    price_book: Annotated[str, typer.Option(help="Price book; see phoenix price-book list.")] = "example-2026",
    deployment: Annotated[str | None, typer.Option(help="Only this deployment.")] = None,
    pipeline: Annotated[str | None, typer.Option(help="Only deployments of this pipeline.")] = None,
    label: Annotated[list[str] | None, typer.Option(help="Only hosts with this label, key=value; may repeat.")] = None,
    window: Annotated[str, typer.Option(help="How far back the rate is measured.")] = "1h",
    allotments: Annotated[
        str, typer.Option(help="Included amounts: applied, or used (up by what else the account sends).")
    ] = "applied",
    bytes_per_point: Annotated[
        float | None, typer.Option(help="Bytes a data point, where the exporter has not counted them.")
    ] = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Make a budget. It is looked at twenty times in its window."""
    body: dict[str, Any] = {
        "name": name,
        "limit": limit,
        "warnAt": warn_at,
        "priceBook": price_book,
        "deployment": deployment,
        "pipeline": pipeline,
        "labels": ",".join(label) if label else None,
        "window": window,
        "allotments": allotments,
        "bytesPerPoint": bytes_per_point,
    }
    made = connect().post(PATH, {key: value for key, value in body.items() if value is not None})
    emit(made, output, budget_text)


@app.command("list")
def listing(output: OutputOption = Output.TABLE) -> None:
    """List budgets and where they stand."""
    emit(connect().items(PATH), output, rows(budgets_table))


@app.command("show")
def show(name: NameArgument, output: OutputOption = Output.TABLE) -> None:
    """Show a budget and what was found last."""
    emit(connect().get(f"{PATH}/{name}"), output, budget_text)


@app.command("delete")
def delete(name: NameArgument) -> None:
    """Delete a budget."""
    connect().delete(f"{PATH}/{name}")
    note(f"budget {name} is deleted")
