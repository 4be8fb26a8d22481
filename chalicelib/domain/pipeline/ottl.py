"""Literals of the collector's transformation language (OTTL), written so that no value can leave its literal.

Two readers see each literal: the collector's `${...}` expansion first, then OTTL's own string syntax (Go's). Nothing
about statements or pipelines belongs here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal

_NOTHING = r"[^\x00-\x{10FFFF}]"
"""RE2 pattern that matches no text at all: what an empty list of patterns means."""


def text(value: str) -> str:
    """An OTTL string literal, quotes included.

    `${` is written with the escape for its dollar sign, not as `$${`: the collector of 0.155 was seen to expand
    `$${env:X}` when the same scalar also held an unescaped `${env:X}`. Any other `$` is doubled, which expansion
    undoes. ValueError for text that has no UTF-8 form.
    """
    out: list[str] = []
    for index, char in enumerate(value):
        if char == "$":
            out.append("\\u0024" if value[index + 1 : index + 2] == "{" else "$$")
        elif char in '"\\':
            out.append("\\" + char)
        elif "\ud800" <= char <= "\udfff":
            raise ValueError("the text has a lone surrogate, which no encoding can carry")
        elif char.isprintable():
            out.append(char)
        else:
            out.append(f"\\u{ord(char):04x}" if ord(char) <= 0xFFFF else f"\\U{ord(char):08x}")
    return '"' + "".join(out) + '"'


def number(value: int | float) -> str:
    """A number literal: integers as they are, others in plain decimal notation with a point. No exponent, no NaN."""
    if isinstance(value, bool) or not math.isfinite(value):
        raise ValueError(f"{value!r} is not a finite number")
    if isinstance(value, int):
        return str(value)
    plain = format(Decimal(repr(value)), "f")
    return plain if "." in plain else plain + ".0"


def any_of(patterns: Sequence[str]) -> str:
    """A string literal of one RE2 pattern that matches what any of the patterns matches; none of them: nothing."""
    return text("|".join(f"(?:{pattern})" for pattern in patterns) if patterns else _NOTHING)


def literal(value: bool | int | float | str | Sequence[str]) -> str:
    """The literal of a parameter value inside an OTTL statement."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return number(value)
    return text(value) if isinstance(value, str) else any_of(value)


def plain(value: str) -> str:
    """Text for a whole scalar of the configuration outside OTTL: only the collector's expansion is undone."""
    return value.replace("$", "$$")
