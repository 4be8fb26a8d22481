"""`python -m bench.evaluation.page`: writes the tables of bench/results/evaluation.json into the guide.

They stand between markers. The guide never says a number that the file does not hold; a test compares both. Nothing is
simulated here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.evaluation.evaluation import TABLES
from bench.markdown import block as markdown_block
from bench.markdown import put, table
from bench.registry import RESULTS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "guides" / "how-it-decides.md"
MARKERS = ("<!-- begin: python -m bench.evaluation.page -->", "<!-- end -->")
STATED = ("runs", "monte_carlo_95_at_5_per_cent", "target", "noise_sd", "seed", "seconds", "cpus", "cpu", "python")


def block(result: Mapping[str, Any]) -> str:
    """The tables, their conditions and notes as Markdown. result: the JSON of the benchmark."""
    parts = [table(one["title"], TABLES[one["title"]], one["rows"]) for one in result["tables"]]
    said = {key: result["conditions"][key] for key in STATED}
    return markdown_block(MARKERS, parts, said, result["notes"])


def main() -> None:
    """Write the page."""
    result = json.loads((RESULTS / "evaluation.json").read_text("utf-8"))
    PAGE.write_text(put(PAGE.read_text("utf-8"), MARKERS, block(result)), "utf-8")


if __name__ == "__main__":
    main()
