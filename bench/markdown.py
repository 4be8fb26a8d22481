"""A benchmark's JSON as Markdown, and its place in a page between two markers. No numbers of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bench.report import ABSENT, Cell, Column


def table(title: str, columns: tuple[Column, ...], rows: list[dict[str, Cell]]) -> str:
    """One table under its title. rows: cells by column key."""
    lines = [
        "| " + " | ".join(column.title for column in columns) + " |",
        "|" + "---|" * len(columns),
        *("| " + " | ".join(_cell(row[c.key], c.form) for c in columns) + " |" for row in rows),
    ]
    return f"**{title}**\n\n" + "\n".join(lines)


def block(markers: tuple[str, str], tables: Sequence[str], said: Mapping[str, Any], notes: Sequence[str]) -> str:
    """What stands from one marker to the other: tables, then conditions and notes."""
    conditions = ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in said.items())
    listed = "\n".join(f"- {note}" for note in notes)
    return "\n\n".join([markers[0], *tables, f"Conditions: {conditions}.", listed, markers[1]])


def put(page: str, markers: tuple[str, str], text: str) -> str:
    """The page with everything from the first marker to the second replaced. Raises ValueError for one without them."""
    begin, end = markers
    before, found, rest = page.partition(begin)
    _, ended, after = rest.partition(end)
    if not found or not ended:
        raise ValueError(f"the page has no {begin} … {end}")
    return before + text + after


def _cell(cell: Cell, form: str) -> str:
    if cell is None:
        return ABSENT
    text = cell if isinstance(cell, str) else format(cell, form)
    return text.replace("*", "\\*")
