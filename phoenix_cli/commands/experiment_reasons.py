"""`phoenix experiment explain|recompute`: why it was decided so, and whether the evidence gives the same again."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from chalicelib.domain.errors import InvalidInput, NotFound
from chalicelib.domain.evaluation.result.result import Evaluation
from chalicelib.domain.experiment.state import Experiment
from phoenix_cli.client import connect
from phoenix_cli.documents import read_text
from phoenix_cli.output import Output, OutputOption, emit
from phoenix_cli.show.experiment.explaining import explain_document, explain_lines
from phoenix_cli.show.experiment.verifying import MADE_BY, check, checked_document, checked_lines

PATH = "/api/v1/experiments"
EXIT_DIFFERENT = 1
MAX_BYTES = 64 * 1024 * 1024
"""An exported comparison of a thousand hosts is a few MB."""


def explain(
    name: Annotated[str, typer.Argument(help="Name of the experiment.")], output: OutputOption = Output.TABLE
) -> None:
    """Say in sentences why it was decided so, or what it waits for."""
    client = connect()
    experiment = Experiment.model_validate(client.get(f"{PATH}/{name}"))
    try:
        evaluation = Evaluation.model_validate(client.get(f"{PATH}/{name}/evaluation"))
    except NotFound:
        evaluation = None
    now = time.time()
    if output is Output.TABLE:
        print("\n".join(explain_lines(experiment, evaluation, now)))
        return
    emit(explain_document(experiment, evaluation, now), output, str)


def recompute(
    file: Annotated[Path, typer.Argument(help=f"What `{MADE_BY}` wrote; - reads standard input.")],
    output: OutputOption = Output.TABLE,
) -> None:
    """Compute a verdict again from its exported evidence, without a control plane. Exit code 1: it is not identical."""
    name, text = read_text(file, MAX_BYTES)
    checked = check(_json(text, name), name)
    if output is Output.TABLE:
        print("\n".join(checked_lines(checked)))
    else:
        emit(checked_document(checked), output, str)
    if not checked.identical:
        raise typer.Exit(EXIT_DIFFERENT)


def _json(text: str, name: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"{name} is not JSON: {error}", hint=f"make one: {MADE_BY}") from error
