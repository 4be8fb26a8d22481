"""`phoenix experiment adopt`: hand an experiment to another manager, or back to people."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from chalicelib.domain.errors import InvalidInput, PhoenixError
from chalicelib.domain.experiment.managing import managed
from chalicelib.domain.experiment.state import Experiment
from phoenix_cli.client import connect
from phoenix_cli.documents import Document, read_document
from phoenix_cli.output import note

PATH = "/api/v1/experiments"


def adopt(
    name: Annotated[str, typer.Argument(help="Name of the experiment.")],
    old: Annotated[
        str, typer.Option("--from", help="Who manages it now, as `experiment show` says; '' is the API and the CLI.")
    ],
    new: Annotated[
        str,
        typer.Option("--to", help="Its new manager: kubernetes:CLUSTER/NAMESPACE/NAME/UID, or '': the CLI."),
    ] = "",
    file: Annotated[
        Path | None, typer.Option("--file", "-f", help="Refuse unless the experiment does what this file says.")
    ] = None,
) -> None:
    """Hand it to another manager: a resource of a cluster, or people. Nothing else about it changes."""
    body: dict[str, object] = {"managedBy": new, "expected": old}
    document = read_document(file) if file is not None else None
    if document is not None:
        body["spec"] = _spec(document)
    try:
        experiment = Experiment.model_validate(connect().post(f"{PATH}/{name}/adopt", body))
    except PhoenixError as error:
        if document is not None:
            error.lines, error.file = document.lines, document.name  # type: ignore[attr-defined]
        raise
    note(f"experiment {name} is {managed(experiment)}")


def _spec(document: Document) -> object:
    if isinstance(document.value, dict) and isinstance(document.value.get("spec"), dict):
        return document.value["spec"]
    raise InvalidInput(f"{document.name} has no spec: give the file that `phoenix experiment create -f` takes")
