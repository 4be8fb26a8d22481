"""A validation report as SARIF 2.1.0 (OASIS), which code hosts show beside the lines of a change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePath
from typing import Any

from chalicelib.domain.validation.findings import Finding, Report
from chalicelib.domain.validation.rules import RULES, Rule

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
DOCS = "https://phoenix.io/docs/reference/validation-rules#"


def sarif(reports: Mapping[str, Report]) -> dict[str, Any]:
    """One run over these files. reports: by the file's name as the user gave it."""
    rules = list(RULES.values())
    places = {rule.id: index for index, rule in enumerate(rules)}
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": "phoenix", "rules": [_rule(rule) for rule in rules]}},
                "columnKind": "unicodeCodePoints",
                "results": [
                    _result(finding, file, places[finding.rule])
                    for file, report in reports.items()
                    for finding in report.findings
                ],
                "invocations": [{"executionSuccessful": True, "toolExecutionNotifications": _notes(reports)}],
            }
        ],
    }


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "name": "".join(part.capitalize() for part in rule.name.split("-")),
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.why},
        "help": {"text": rule.fix},
        "helpUri": DOCS + rule.id.lower(),
        "defaultConfiguration": {"level": str(rule.severity)},
    }


def _result(finding: Finding, file: str, place: int) -> dict[str, Any]:
    physical: dict[str, Any] = {"artifactLocation": {"uri": _uri(file)}}
    if finding.line is not None:
        physical["region"] = {"startLine": finding.line, "startColumn": finding.column or 1}
    location: dict[str, Any] = {"physicalLocation": physical}
    if finding.pointer:
        location["logicalLocations"] = [{"fullyQualifiedName": finding.pointer}]
    return {
        "ruleId": finding.rule,
        "ruleIndex": place,
        "level": str(finding.severity),
        "message": {"text": f"{finding.message}. {finding.why} {finding.fix}"},
        "locations": [location],
    }


def _notes(reports: Mapping[str, Report]) -> Sequence[dict[str, Any]]:
    """What was run, and what was not: a file without results is no proof by itself."""
    return [
        {"level": "note", "message": {"text": f"{file}: {words}"}}
        for file, report in reports.items()
        for words in _said(report)
    ]


def _said(report: Report) -> Iterable[str]:
    yield f"collector: {report.collector}"
    yield f"critical processes: {report.retention.state}; {report.retention.explanation}"


def _uri(file: str) -> str:
    """A relative URI for a relative path, as SARIF wants it; standard input has a name of its own."""
    if file == "standard input":
        return "stdin"
    path = PurePath(file)
    return path.as_uri() if path.is_absolute() else path.as_posix().replace("%", "%25").replace(" ", "%20")
