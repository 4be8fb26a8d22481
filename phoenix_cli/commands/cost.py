"""`phoenix cost`: what telemetry costs by host and pipeline, what was saved, and what a fleet would cost."""

from __future__ import annotations

from typing import Annotated

import typer

from phoenix_cli.client import connect
from phoenix_cli.output import Output, OutputOption, emit
from phoenix_cli.show.cost import cost_text

PATH = "/api/v1/cost"


def cost(
    window: Annotated[str, typer.Option(help="How far back, such as 1h or 7d.")] = "24h",
    price_book: Annotated[str, typer.Option(help="Price book; see phoenix price-book list.")] = "example-2026",
    deployment: Annotated[str | None, typer.Option(help="Only this deployment.")] = None,
    pipeline: Annotated[str | None, typer.Option(help="Only deployments of this pipeline.")] = None,
    experiment: Annotated[str | None, typer.Option(help="Candidate against baseline of this experiment.")] = None,
    label: Annotated[list[str] | None, typer.Option(help="Only hosts with this label, key=value; may repeat.")] = None,
    fleet: Annotated[int | None, typer.Option(help="Project to so many hosts.")] = None,
    allotments: Annotated[
        str, typer.Option(help="Included amounts: applied, or used (up by what else the account sends).")
    ] = "applied",
    bytes_per_point: Annotated[
        float | None, typer.Option(help="Bytes a data point, where the exporter has not counted them.")
    ] = None,
    once: Annotated[float | None, typer.Option(help="What it costs to get there, for the payback.")] = None,
    monthly: Annotated[float | None, typer.Option(help="What it costs a month to run, for the payback.")] = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Show cost from what was measured, with price book, window and assumptions."""
    found = connect().get(
        PATH,
        window=window,
        priceBook=price_book,
        deployment=deployment,
        pipeline=pipeline,
        experiment=experiment,
        labels=",".join(label) if label else None,
        fleet=fleet,
        allotments=allotments,
        bytesPerPoint=bytes_per_point,
        once=once,
        perMonth=monthly,
    )
    emit(found, output, cost_text)
