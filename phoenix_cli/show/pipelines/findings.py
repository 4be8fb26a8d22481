"""A validation report as people read it: one block a finding, with place, rule, reason and fix; and one sentence."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.domain.validation.findings import Finding, Kept, Report, Severity
from phoenix_cli.show.figures import plural, sentence


def block(finding: Finding, file: str) -> str:
    """Field, what is wrong, file and line; then the rule and why it matters; then the fix."""
    field = sentence(finding.pointer.strip("/").replace("~1", "\0").replace("/", ".").replace("\0", "/"), 300)
    place = f"   ({file}:{finding.line})" if finding.line else f"   ({file})"
    what = sentence(finding.message)
    first = f"{finding.severity}: {field}: {what}{place}" if field else f"{finding.severity}: {what}{place}"
    return f"{first}\n  {finding.rule}: {sentence(finding.why)}\n  fix: {sentence(finding.fix)}"


def blocks(findings: Sequence[Finding], file: str) -> str:
    """All of them, one below the other."""
    return "\n".join(block(finding, file) for finding in findings)


def summary(report: Report, file: str) -> str:
    """What was asked and found, in two lines."""
    errors = sum(one.severity is Severity.ERROR for one in report.findings)
    warnings = len(report.findings) - errors
    found = f"{plural(errors, 'error')}, {plural(warnings, 'warning')}" if report.findings else "nothing found"
    collector = {
        "accepted": "the collector accepts it",
        "refused": "the collector refuses it",
        "not asked": "the collector was not asked",
    }[report.collector]
    kept = {Kept.KEPT: "are kept", Kept.DROPPED: "CAN BE DROPPED", Kept.NOT_CHECKED: "not checked"}
    critical = f"critical processes {kept[report.retention.state]}: {sentence(report.retention.explanation)}"
    return f"{file}: {collector}; {found}\n{file}: {critical}"
