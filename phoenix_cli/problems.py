"""Errors for people: problem+json of the control plane as errors of our tree, and our errors as text and exit code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib.domain.errors import (
    Conflict,
    InvalidInput,
    NotAllowed,
    NotAuthenticated,
    NotFound,
    PhoenixError,
    Problem,
    Rejected,
    TooLarge,
    Unavailable,
)

EXIT_ERROR, EXIT_USAGE, EXIT_NOT_ALLOWED, EXIT_NOT_FOUND, EXIT_INTERRUPTED = 1, 2, 7, 8, 130
"""Exit codes; those of verdicts are in `commands.experiment` (docs/reference/exit-codes.md)."""

_BY_STATUS: dict[int, type[PhoenixError]] = {
    kind.status: kind
    for kind in (
        InvalidInput,
        NotAuthenticated,
        NotAllowed,
        NotFound,
        Conflict,
        TooLarge,
        Rejected,
        Unavailable,
    )
}
_MAX_TEXT = 4000


def refusal(endpoint: str, status: int, document: Mapping[str, Any]) -> PhoenixError:
    """The control plane's problem document as an error of its kind; its stable code is kept, its text bounded."""
    kind = _BY_STATUS.get(status, PhoenixError)
    detail = str(document.get("detail") or document.get("title") or f"{endpoint} answers {status}")[:_MAX_TEXT]
    error = kind(detail, problems=_problems(document.get("errors")), hint=str(document.get("hint") or "")[:_MAX_TEXT])
    if isinstance(document.get("code"), str):
        error.code = document["code"][:64]
    return error


def _problems(entries: object) -> tuple[Problem, ...]:
    if not isinstance(entries, list):
        return ()
    return tuple(
        Problem(str(e.get("pointer", ""))[:300], str(e.get("rule", ""))[:_MAX_TEXT], str(e.get("fix", ""))[:1000])
        for e in entries[:50]
        if isinstance(e, dict)
    )


def exit_code(error: PhoenixError) -> int:
    """The exit code of an error that ends a command."""
    if isinstance(error, NotAuthenticated | NotAllowed):
        return EXIT_NOT_ALLOWED
    return EXIT_NOT_FOUND if isinstance(error, NotFound) else EXIT_ERROR


def text(error: PhoenixError, lines: Mapping[str, int] | None = None, file: str = "") -> str:
    """The error as people read it: one block per problem, with the field, the rule, the line and the fix.

    lines: JSON pointer to line of `file`, when the input came from one.
    """
    blocks = [_block(problem, lines or {}, file) for problem in error.problems] or [f"error: {error.detail}"]
    known = " ".join(blocks)
    if error.hint and error.hint not in known:
        blocks.append(f"  {error.hint}")
    return "\n".join([*blocks, f"  code {error.code}"])


def _block(problem: Problem, lines: Mapping[str, int], file: str) -> str:
    steps = problem.pointer.strip("/").split("/")
    field = ".".join(step.replace("~1", "/").replace("~0", "~") for step in steps)
    line = _line(problem.pointer, lines)
    place = f"   ({file}:{line})" if file and line else ""
    first = f"error: {field}: {problem.rule}{place}" if field else f"error: {problem.rule}{place}"
    return f"{first}\n  {problem.fix}" if problem.fix else first


def _line(pointer: str, lines: Mapping[str, int]) -> int | None:
    """The line of the deepest part of the pointer that the file has: a missing field is blamed on its parent."""
    while pointer and pointer not in lines:
        pointer = pointer.rpartition("/")[0]
    return lines.get(pointer)
