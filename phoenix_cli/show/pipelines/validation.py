"""Validation reports as people, scripts and CI read them."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from typing import Any

import yaml

from chalicelib.domain.errors import Rejected
from chalicelib.domain.validation.findings import Report, Severity
from phoenix_cli.output import note
from phoenix_cli.show.pipelines.findings import blocks, summary
from phoenix_cli.show.pipelines.sarif import sarif


class Form(StrEnum):
    """Form of the report."""

    TABLE = "table"
    JSON = "json"
    YAML = "yaml"
    SARIF = "sarif"


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
