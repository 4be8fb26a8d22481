"""Errors as `application/problem+json` (RFC 9457), with a stable code and a pointer to each field (RFC 6901)."""

from __future__ import annotations

from typing import Any

from pydantic import Field, ValidationError

from chalicelib.api.furniture.route import Model
from chalicelib.domain.errors import InvalidInput, PhoenixError
from chalicelib.domain.errors import Problem as FieldProblem

CONTENT_TYPE = "application/problem+json"
DOCS = "https://phoenix.io/docs/troubleshooting#"


class FieldError(Model):
    """One field that is wrong."""

    pointer: str
    rule: str
    fix: str = ""


class ProblemDocument(Model):
    """The body of every error answer."""

    type: str = Field(description="link to the section of docs/troubleshooting.md")
    title: str
    status: int
    detail: str
    code: str
    hint: str = ""
    errors: list[FieldError] = Field(default_factory=list)


def document(error: PhoenixError) -> dict[str, Any]:
    """The problem document of an error."""
    return ProblemDocument(
        type=DOCS + error.code.lower(),
        title=error.title,
        status=error.status,
        detail=error.detail,
        code=error.code,
        hint=error.hint,
        errors=[FieldError(pointer=p.pointer, rule=p.rule, fix=p.fix) for p in error.problems],
    ).model_dump(by_alias=True)


def pointer(loc: tuple[int | str, ...]) -> str:
    """JSON pointer of a pydantic location; union member names and root markers are not part of the input's path."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in loc)


_FIXES = {
    "extra_forbidden": "remove it, or correct its spelling; unknown fields are refused",
    "missing": "add it",
}


def invalid(error: ValidationError, where: str) -> InvalidInput:
    """A pydantic error as ours: every wrong field with its pointer, the rule and the fix (that of the error's context,
    where a model gives one)."""
    problems = []
    for found in error.errors(include_url=False):
        rule = found["msg"].removeprefix("Value error, ")
        if found["type"] == "extra_forbidden":
            rule = f"unknown field {str(found['loc'][-1])!r}"
        elif found["type"] == "missing":
            rule = "required, but missing"
        fix = found.get("ctx", {}).get("fix") or _FIXES.get(found["type"], "")
        problems.append(FieldProblem(pointer(found["loc"]), rule, str(fix)))
    first = problems[0]
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return InvalidInput(f"{where}{first.pointer}: {first.rule}{more}", problems=tuple(problems))
