"""The table of acceptance tests as values and lines: id, what was done on which real components, figure, result."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from dataclasses import dataclass

_WHAT, _FIGURE = 62, 50
MARKER, FIGURE = "acceptance", "figure"
"""Names of the properties by which a test's report carries its row from the process that ran it."""


@dataclass(frozen=True)
class Row:
    """One acceptance test. passed: of all its phases so far."""

    id: str
    what: str
    figures: tuple[str, ...] = ()
    passed: bool = True


def row_of(before: Row | None, properties: Iterable[tuple[str, object]], passed: bool) -> Row | None:
    """The row after one more phase (set-up, test, tear-down) of the test; None for one without the marker.

    properties: those of the phase's report.
    """
    found = list(properties)
    marker = next((value for name, value in found if name == MARKER), None)
    if not isinstance(marker, list | tuple):
        return None
    figures = tuple(str(value) for name, value in found if name == FIGURE)
    return Row(str(marker[0]), str(marker[1]), figures, passed and (before is None or before.passed))


def lines(rows: Iterable[Row]) -> list[str]:
    """The table, wrapped to about 130 columns; sorted by id, the ones of product.md first."""
    found = sorted(rows, key=lambda row: (not row.id.startswith("AT-"), row.id))
    width = max(len(row.id) for row in found)
    out = [_line("id", "what was done on which real components", "figure", "result", width)]
    for row in found:
        cells = (textwrap.wrap(row.what, _WHAT) or [""], textwrap.wrap("; ".join(row.figures), _FIGURE) or [""])
        for i in range(max(map(len, cells))):
            what, figure = (cell[i] if i < len(cell) else "" for cell in cells)
            first = i == 0
            out.append(_line(row.id if first else "", what, figure, _result(row) if first else "", width))
    return out


def _result(row: Row) -> str:
    return "pass" if row.passed else "FAIL"


def _line(name: str, what: str, figure: str, result: str, width: int) -> str:
    return f"{name:<{width}}  {what:<{_WHAT}}  {figure:<{_FIGURE}}  {result}".rstrip()
