"""`phoenix experiment agreement`: does the Prometheus that it names have what the edge counted?"""

from __future__ import annotations

from typing import Annotated

import typer

from phoenix_cli.client import connect
from phoenix_cli.output import Output, OutputOption, emit
from phoenix_cli.show.experiment.agreement import agreement_text

EXIT_NOTHING = 5
"""Nothing could be compared."""


def agreement(
    name: Annotated[str, typer.Argument(help="Name of the experiment.")],
    window: Annotated[str, typer.Option(help="How far back from now, or from its end, such as 10m or 6h.")] = "1h",
    output: OutputOption = Output.TABLE,
) -> None:
    """Compare what the edge counted with what the Prometheus of spec.source has. Exit code 5: nothing to compare."""
    found = connect().get(f"/api/v1/experiments/{name}/agreement", window=window)
    emit(found, output, agreement_text)
    if not found["compared"]:
        raise typer.Exit(EXIT_NOTHING)
