"""What a benchmark says, as a value: tables with typed columns, the conditions they hold under, notes. Rendered as text
for people and as JSON for machines. No measuring here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Cell = str | int | float | None
ABSENT = "–"
"""Shown for what was not measured; null in JSON, never zero."""


@dataclass(frozen=True)
class Column:
    """key: name in JSON, with the unit. title: heading of the table. form: format specification of the numbers."""

    key: str
    title: str
    form: str = ""


@dataclass(frozen=True)
class Table:
    """Rows of as many cells as there are columns; anything else is refused."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(f"{self.title}: a row of {len(row)} cells for {len(self.columns)} columns")

    def text(self) -> str:
        """The title and aligned columns: words to the left, numbers to the right."""
        heads = [column.title for column in self.columns]
        body = [[_shown(cell, c.form) for cell, c in zip(row, self.columns, strict=True)] for row in self.rows]
        widths = [max(len(line[i]) for line in [heads, *body]) for i in range(len(heads))]
        sides = ["<" if all(isinstance(row[i], str) for row in self.rows) else ">" for i in range(len(heads))]
        lines = [
            "  ".join(f"{cell:{side}{width}}" for cell, side, width in zip(line, sides, widths, strict=True)).rstrip()
            for line in [heads, *body]
        ]
        return "\n".join([self.title, *lines])

    def document(self) -> dict[str, Any]:
        """Rows as objects by column key."""
        keys = [column.key for column in self.columns]
        return {"title": self.title, "rows": [dict(zip(keys, row, strict=True)) for row in self.rows]}


@dataclass(frozen=True)
class Report:
    """One benchmark's result. conditions: what the numbers hold under, in order; notes: whole sentences."""

    name: str
    conditions: Mapping[str, Any]
    tables: tuple[Table, ...]
    notes: Sequence[str] = field(default=())

    def text(self) -> str:
        """Tables, conditions and notes for people."""
        said = ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in self.conditions.items())
        tail = "\n".join([f"conditions: {said}", *self.notes])
        return "\n\n".join([f"== {self.name}", *(table.text() for table in self.tables), tail])

    def document(self) -> dict[str, Any]:
        """All of it, as JSON holds it."""
        return {
            "benchmark": self.name,
            "conditions": dict(self.conditions),
            "tables": [table.document() for table in self.tables],
            "notes": list(self.notes),
        }

    def write(self, folder: Path) -> Path:
        """Write <folder>/<name>.json and return its path."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{self.name}.json"
        path.write_text(json.dumps(self.document(), indent=2, ensure_ascii=False, allow_nan=False) + "\n", "utf-8")
        return path


def _shown(cell: Cell, form: str) -> str:
    if cell is None:
        return ABSENT
    return cell if isinstance(cell, str) else format(cell, form)
