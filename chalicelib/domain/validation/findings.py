"""Findings and the report: what was found where, what was asked and what was not. How it is found is elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from chalicelib.domain.model import Value

Position = tuple[int, int]
"""1-based line and column."""


class Severity(StrEnum):
    """An error makes a configuration unfit; a warning is a risk that its owner may accept."""

    ERROR = "error"
    WARNING = "warning"


class Finding(Value):
    """One thing that is wrong."""

    rule: str
    """Stable id, such as PHX-V120; docs/reference/validation-rules.md has them all."""
    severity: Severity
    pointer: str
    """JSON pointer (RFC 6901) into the configuration; empty for the whole of it."""
    message: str
    """What is wrong here."""
    why: str
    """What it leads to."""
    fix: str
    """What would be right."""
    line: int | None = None
    """1-based line of the text that was validated; null when a tree without a text was given."""
    column: int | None = None


class Answer(StrEnum):
    """What the collector itself said."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    NOT_ASKED = "not asked"


class Kept(StrEnum):
    """What the trial run says about critical processes. NOT_CHECKED is never a pass."""

    KEPT = "kept"
    DROPPED = "dropped"
    NOT_CHECKED = "not checked"


class Retention(Value):
    """Whether critical processes survive the pipelines, decided by running them on a synthetic scrape."""

    state: Kept
    explanation: str
    """In words: what was run and seen, or why nothing was checked."""
    patterns: tuple[str, ...] = ()
    """Ids of the critical patterns that were tried."""
    processes: int = 0
    """Synthetic processes in the larger of the scrapes; 0 when nothing was run."""


class Report(Value):
    """Everything about one configuration."""

    accepted: bool
    """No finding is an error."""
    findings: tuple[Finding, ...]
    collector: Answer
    retention: Retention


@dataclass(frozen=True)
class Fault:
    """Text that is not the YAML of a configuration."""

    rule: str
    message: str
    position: Position


@dataclass(frozen=True)
class Source:
    """A configuration as it was read. positions: JSON pointer to where it stands; empty for a tree without a text."""

    value: Any
    positions: Mapping[str, Position] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()


def located(findings: Iterable[Finding], positions: Mapping[str, Position]) -> tuple[Finding, ...]:
    """The findings with line and column, in order of place; what is missing is blamed on its parent."""
    placed = [_placed(finding, positions) for finding in findings]
    return tuple(sorted(placed, key=lambda one: (one.line or 0, one.column or 0, one.rule, one.pointer, one.message)))


def _placed(finding: Finding, positions: Mapping[str, Position]) -> Finding:
    if finding.line is not None:
        return finding
    pointer = finding.pointer
    while pointer and pointer not in positions:
        pointer = pointer.rpartition("/")[0]
    if pointer not in positions:
        return finding
    line, column = positions[pointer]
    return finding.model_copy(update={"line": line, "column": column})
