"""Texts that a pattern should match, made from the pattern itself. Whether they really match is for the collector's own
engine (RE2) to say in the trial run; Python's engine is never run over a stranger's pattern.
"""

from __future__ import annotations

from collections.abc import Iterator
from re import _constants as op  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

MAX_TEXTS = 4
"""Texts for one pattern: its first alternatives."""
MAX_LENGTH = 200
_CANDIDATES = "ax0-_./ :=@A~\t"


class _TooHard(Exception):
    """The pattern asks for something that this does not make."""


def stand_ins(pattern: str) -> tuple[str, ...]:
    """At most four different texts for a pattern, its alternatives first; none when the pattern is beyond this."""
    try:
        parsed = parser.parse(pattern)
    except (ValueError, OverflowError, RecursionError, parser.error):
        return ()
    found: list[str] = []
    for choice in range(MAX_TEXTS):
        try:
            text = "".join(_texts(parsed, choice, [MAX_LENGTH]))
        except (_TooHard, RecursionError):
            continue
        if text not in found:
            found.append(text)
    return tuple(found)


def _texts(items: Any, choice: int, budget: list[int]) -> Iterator[str]:
    for kind, value in items:
        if kind is op.LITERAL:
            yield _one(chr(value), budget)
        elif kind is op.NOT_LITERAL:
            yield _one("a" if value != ord("a") else "b", budget)
        elif kind is op.ANY:
            yield _one("x", budget)
        elif kind is op.IN:
            yield _one(_member(value), budget)
        elif kind is op.AT:
            continue
        else:
            yield from _group(kind, value, choice, budget)


def _group(kind: Any, value: Any, choice: int, budget: list[int]) -> Iterator[str]:
    if kind is op.SUBPATTERN:
        yield from _texts(value[-1], choice, budget)
    elif kind is op.BRANCH:
        alternatives = value[1]
        yield from _texts(alternatives[min(choice, len(alternatives) - 1)], choice, budget)
    elif kind in (op.MAX_REPEAT, op.MIN_REPEAT):
        least, _, inner = value
        for _ in range(least):
            _one("", budget, cost=1)  # an empty repetition costs as well, so that no count runs for long
            yield from _texts(inner, choice, budget)
    else:
        raise _TooHard(str(kind))


def _one(char: str, budget: list[int], cost: int | None = None) -> str:
    budget[0] -= len(char) if cost is None else cost
    if budget[0] < 0 or "\ud800" <= char <= "\udfff":
        raise _TooHard("too long, or no text")
    return char


def _member(items: Any) -> str:
    """A character of a class."""
    negated = items[0][0] is op.NEGATE
    wanted = items[1:] if negated else items
    first = wanted[0]
    if not negated and first[0] is op.LITERAL:
        return chr(first[1])
    if not negated and first[0] is op.RANGE:
        return chr(first[1][0])
    for char in _CANDIDATES:
        if any(_holds(item, char) for item in wanted) != negated:
            return char
    raise _TooHard("a class without a common character")


def _holds(item: Any, char: str) -> bool:
    kind, value = item
    if kind is op.LITERAL:
        return bool(ord(char) == value)
    if kind is op.RANGE:
        return bool(value[0] <= ord(char) <= value[1])
    if kind is op.CATEGORY:
        tests = {
            op.CATEGORY_DIGIT: char.isdigit(),
            op.CATEGORY_SPACE: char.isspace(),
            op.CATEGORY_WORD: char.isalnum() or char == "_",
            op.CATEGORY_NOT_DIGIT: not char.isdigit(),
            op.CATEGORY_NOT_SPACE: not char.isspace(),
            op.CATEGORY_NOT_WORD: not (char.isalnum() or char == "_"),
        }
        return tests.get(value, False)
    return False
