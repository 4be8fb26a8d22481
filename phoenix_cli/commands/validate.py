"""`phoenix pipeline validate`: everything that is wrong with a collector configuration, for people, scripts and CI."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from chalicelib.domain.validation.findings import Report
from phoenix_cli.client import connect
from phoenix_cli.documents import read_text
from phoenix_cli.problems import EXIT_ERROR
from phoenix_cli.show.pipelines.validation import Form, failed, show

PATH = "/api/v1/validations"


def validate(
    file: Annotated[Path, typer.Argument(help="Collector configuration; - reads standard input.")],
    critical: Annotated[
        list[str] | None,
        typer.Option("--critical", help="Name pattern of a process that must be kept; default: those the file marks."),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Warnings fail as well.")] = False,
    local: Annotated[bool, typer.Option("--local", help="Ask no control plane; run the collector here (CI).")] = False,
    output: Annotated[Form, typer.Option("--output", "-o", help="Form of the report.")] = Form.TABLE,
) -> None:
    """Say everything that is wrong with a configuration: line, rule, reason, fix. Exits 1 on errors."""
    name, text = read_text(file)
    report = _report(text, [{"name": pattern} for pattern in critical or []], local=local)
    show({name: report}, output)
    raise typer.Exit(EXIT_ERROR if failed(report, strict=strict) else 0)


def _report(text: str, critical: list[dict[str, str]], *, local: bool) -> Report:
    if local:
        from phoenix_cli.local.validating import local_validation

        return local_validation(os.environ)(text, critical)
    return Report.model_validate(connect().post(PATH, {"text": text, "critical": critical}))
