"""Which processes a configuration itself calls critical: the patterns in statements that set phoenix.critical."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from typing import Any

from chalicelib.domain.critical import MAX_PATTERNS, CriticalPattern

_LITERAL = r'("(?:[^"\\]|\\.)*")'
_SETS = re.compile(r'^\s*set\(\s*(?:resource\.)?attributes\["phoenix\.critical"\]\s*,\s*' + _LITERAL)
_TESTS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (field, re.compile(expression))
    for field, expression in (
        ("name", r'IsMatch\(\s*(?:resource\.)?attributes\["process\.executable\.name"\]\s*,\s*' + _LITERAL),
        ("command_line", r'IsMatch\(\s*(?:resource\.)?attributes\["process\.command_line"\]\s*,\s*' + _LITERAL),
        ("owner", r'(?:resource\.)?attributes\["process\.owner"\]\s*==\s*' + _LITERAL),
    )
)


def marked_by(tree: Any) -> tuple[CriticalPattern, ...]:
    """The patterns of every statement of the form that Phoenix renders; at most fifty, without repetitions."""
    found: dict[tuple[str | None, str | None, str | None], CriticalPattern] = {}
    for statement in _texts(tree):
        if sets := _SETS.match(statement):
            for pattern in _patterns(statement, _unquoted(sets.group(1))):
                found.setdefault((pattern.name, pattern.command_line, pattern.owner), pattern)
    return tuple(found.values())[:MAX_PATTERNS]


def _patterns(statement: str, name: str | None) -> Iterator[CriticalPattern]:
    for field, test in _TESTS:
        for literal in test.findall(statement):
            try:
                yield CriticalPattern.model_validate({"id": name or "", field: _unquoted(literal)})
            except ValueError:
                continue  # not a pattern that could be rendered; the collector judges the statement itself


def _unquoted(literal: str) -> str | None:
    """The text of an OTTL literal inside a configuration: `$$` is the collector's escape, the rest is Go's syntax."""
    try:
        value = ast.literal_eval(literal.replace("$$", "$"))
    except (ValueError, SyntaxError):
        return None
    return value if isinstance(value, str) else None


def _texts(tree: Any) -> Iterator[str]:
    if isinstance(tree, Mapping):
        for value in tree.values():
            yield from _texts(value)
    elif isinstance(tree, (list, tuple)):
        for value in tree:
            yield from _texts(value)
    elif isinstance(tree, str):
        yield tree
