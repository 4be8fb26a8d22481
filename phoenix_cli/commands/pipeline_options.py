"""What the commands about pipelines share: paths, options, and what users write in them as the API takes it."""

from __future__ import annotations

from typing import Annotated, Any

import typer
import yaml

from chalicelib.domain.errors import InvalidInput

PATH, DEPLOYMENTS = "/api/v1/pipelines", "/api/v1/deployments"
Name = Annotated[str, typer.Argument(help="Name in the catalog, or of one of your own.")]
Version = Annotated[str | None, typer.Option(help="Version of the pipeline; default: the newest.")]
Param = Annotated[list[str] | None, typer.Option("--param", help="key=value; may be given more than once.")]
CriticalName = Annotated[list[str] | None, typer.Option("--critical", help="Name pattern that is never dropped.")]
Interval = Annotated[str, typer.Option(help="Time between two scrapes.")]


def parameters(given: list[str] | None) -> dict[str, Any]:
    """key=value pairs; values read as YAML scalars, so that 20 is a number and true a truth."""
    found: dict[str, Any] = {}
    for text in given or []:
        key, separator, value = text.partition("=")
        if not key or not separator:
            raise InvalidInput(f"--param {text!r} is not key=value")
        try:
            found[key] = yaml.safe_load(value)
        except yaml.YAMLError:
            found[key] = value
    return found


def criticals(names: list[str] | None) -> list[dict[str, str]]:
    """Name patterns as the API takes them."""
    return [{"name": name} for name in names or []]
