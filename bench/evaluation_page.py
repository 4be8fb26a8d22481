"""`python -m bench.evaluation_page`: writes the tables of bench/results/evaluation.json into the guide.

They stand between markers. The guide never says a number that the file does not hold; a test compares both. Nothing is
simulated here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.evaluation import TABLES
from bench.registry import RESULTS
from bench.report import ABSENT, Cell, Column

PAGE = Path(__file__).resolve().parents[1] / "docs" / "guides" / "how-it-decides.md"
BEGIN, END = "<!-- begin: python -m bench.evaluation_page -->", "<!-- end -->"
STATED = ("runs", "monte_carlo_95_at_5_per_cent", "target", "noise_sd", "seed", "seconds", "cpus", "cpu", "python")


def block(result: Mapping[str, Any]) -> str:
    """The tables, their conditions and notes as Markdown. result: the JSON of the benchmark."""
    parts = [_table(table["title"], TABLES[table["title"]], table["rows"]) for table in result["tables"]]
    said = ", ".join(f"{key.replace('_', ' ')} {result['conditions'][key]}" for key in STATED)
    notes = "\n".join(f"- {note}" for note in result["notes"])
    return "\n\n".join([BEGIN, *parts, f"Conditions: {said}.", notes, END])


def put(page: str, text: str) -> str:
    """The page with the part between the markers replaced. Raises ValueError for a page without them."""
    before, found, rest = page.partition(BEGIN)
    _, ended, after = rest.partition(END)
    if not found or not ended:
        raise ValueError(f"the page has no {BEGIN} … {END}")
    return before + text + after


def _table(title: str, columns: tuple[Column, ...], rows: list[dict[str, Cell]]) -> str:
    lines = [
        "| " + " | ".join(column.title for column in columns) + " |",
        "|" + "---|" * len(columns),
        *("| " + " | ".join(_cell(row[c.key], c.form) for c in columns) + " |" for row in rows),
    ]
    return f"**{title}**\n\n" + "\n".join(lines)


def _cell(cell: Cell, form: str) -> str:
    if cell is None:
        return ABSENT
    text = cell if isinstance(cell, str) else format(cell, form)
    return text.replace("*", "\\*")


def main() -> None:
    """Write the page."""
    result = json.loads((RESULTS / "evaluation.json").read_text("utf-8"))
    PAGE.write_text(put(PAGE.read_text("utf-8"), block(result)), "utf-8")


if __name__ == "__main__":
    main()
