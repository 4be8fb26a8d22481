"""`phoenix cost`: what telemetry costs by host and pipeline, what was saved, and what a fleet would cost."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from chalicelib.domain.cost.bill import Allotments
from chalicelib.domain.cost.by_name import by_name
from chalicelib.domain.errors import InvalidInput
from chalicelib.domain.pricebooks import PRICE_BOOKS
from phoenix_cli.client import connect
from phoenix_cli.output import Output, OutputOption, emit
from phoenix_cli.recording.cost import recorded
from phoenix_cli.replay.sources import book_of
from phoenix_cli.show.cost.cost import cost_text
from phoenix_cli.show.cost.cost_names import names_text

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
    recording: Annotated[
        list[Path] | None,
        typer.Option(help="By process name, from a recording of a host (phoenix host record); may repeat."),
    ] = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Show cost from what was measured, with price book, window and assumptions."""
    if recording:
        if deployment or pipeline or experiment or label or fleet or once or monthly:
            raise InvalidInput("--recording goes with --price-book, --allotments and --bytes-per-point alone")
        client = None if price_book in PRICE_BOOKS else connect()
        with_names = by_name(
            [recorded(path) for path in recording],
            book_of(price_book, client),
            _allotments(allotments),
            bytes_per_point,
        )
        emit(with_names.model_dump(mode="json", by_alias=True), output, names_text)
        return
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


def _allotments(text: str) -> Allotments:
    if text == "applied":
        return "applied"
    if text == "used":
        return "used"
    raise InvalidInput(f"--allotments {text!r}: it is applied or used")
