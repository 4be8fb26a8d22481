"""`phoenix pipeline export`: any pipeline as a file, for a stock collector or to make it again."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from chalicelib.domain.errors import InvalidInput
from chalicelib.domain.pipeline.document import to_yaml
from phoenix_cli.client import Client, connect
from phoenix_cli.commands.pipeline_options import (
    PATH,
    CriticalName,
    Interval,
    Name,
    Param,
    Version,
    criticals,
    parameters,
)
from phoenix_cli.output import note


class Format(StrEnum):
    """A configuration that the stock collector runs, or the document that `phoenix pipeline create` takes."""

    COLLECTOR = "collector"
    PHOENIX = "phoenix"


def export(
    name: Name,
    version: Version = None,
    format_: Annotated[Format, typer.Option("--format", help="For a collector, or for phoenix pipeline create.")] = (
        Format.COLLECTOR
    ),
    param: Param = None,
    critical: CriticalName = None,
    interval: Interval = "15s",
    backend: Annotated[str | None, typer.Option(help="OTLP/HTTP metrics URL; without: printed to the log.")] = None,
    output_file: Annotated[Path | None, typer.Option("--output-file", help="Default: standard output.")] = None,
) -> None:
    """Write a pipeline, of the catalog or your own, into a file."""
    client = connect()
    if format_ is Format.PHOENIX:
        if param or critical or backend:
            raise InvalidInput("a document holds the pipeline itself: --param, --critical and --backend fill one in")
        query = {"version": version} if version else {}
        text = client.get(f"{PATH}/{name}/document", **query)["text"]
    else:
        config = rendered(client, name, version, param, critical, interval, backend)
        title = f"{name}, version {version or 'of today'}, exported by phoenix pipeline export"
        text = to_yaml(config, header=(title,))
    if output_file is None:
        sys.stdout.write(text)
        return
    try:
        output_file.write_text(text, "utf-8")
    except OSError as error:
        raise InvalidInput(f"{output_file} cannot be written: {error.strerror or error}") from error
    note(f"{name} is written to {output_file}")


def rendered(
    client: Client,
    name: str,
    version: str | None,
    param: list[str] | None,
    critical: list[str] | None,
    interval: str,
    backend: str | None,
) -> Any:
    """A configuration that a stock collector runs as it is."""
    body: dict[str, Any] = {"parameters": parameters(param), "critical": criticals(critical), "interval": interval}
    body |= {"version": version} if version else {}
    body |= {"backend": {"otlp": backend}} if backend else {}
    return client.post(f"{PATH}/{name}/render", body)["config"]
