"""`phoenix pipeline validate`: everything that is wrong with a collector configuration, for people, scripts and CI."""

from __future__ import annotations

import json
import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from chalicelib.domain.errors import Rejected
from chalicelib.domain.validation.findings import Report, Severity
from phoenix_cli.client import connect
from phoenix_cli.documents import read_text
from phoenix_cli.output import note
from phoenix_cli.problems import EXIT_ERROR
from phoenix_cli.show.findings import blocks, summary
from phoenix_cli.show.sarif import sarif

PATH = "/api/v1/validations"


class Form(StrEnum):
    """Form of the report."""

    TABLE = "table"
    JSON = "json"
    YAML = "yaml"
    SARIF = "sarif"


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


def failed(report: Report, *, strict: bool) -> bool:
    """Whether the report makes the command fail."""
    return not report.accepted or (strict and bool(report.findings))


def show(reports: dict[str, Report], output: Form) -> None:
    """Print reports by file: for people as notes on the error output, for programs as the result."""
    if output is Form.TABLE:
        for name, report in reports.items():
            _table(name, report)
        return
    values = {name: report.model_dump(mode="json", by_alias=True) for name, report in reports.items()}
    value: Any = next(iter(values.values())) if len(values) == 1 else values
    if output is Form.YAML:
        sys.stdout.write(yaml.safe_dump(value, sort_keys=False, allow_unicode=True))
    else:
        sys.stdout.write(json.dumps(sarif(reports) if output is Form.SARIF else value, indent=2) + "\n")
    for name, report in reports.items():
        note(summary(report, name))


def _table(name: str, report: Report) -> None:
    """Warnings first, so that what made the command fail stands last."""
    for severity in (Severity.WARNING, Severity.ERROR):
        if found := [one for one in report.findings if one.severity is severity]:
            note(blocks(found, name))
    note(summary(report, name))
    if not report.accepted:
        note(f"  code {Rejected.code}")


def _report(text: str, critical: list[dict[str, str]], *, local: bool) -> Report:
    if local:
        from phoenix_cli.local.validating import local_validation

        return local_validation(os.environ)(text, critical)
    return Report.model_validate(connect().post(PATH, {"text": text, "critical": critical}))
