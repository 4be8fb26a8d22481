"""`python -m bench.catalog.page`: writes the result of `bench catalog` into catalog/README.md and the `effect` of every
pipeline's metadata.yaml. The page never says a number that the result does not hold; a test compares them. Nothing is
measured here.
"""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.catalog.columns import COLUMNS, NAMES, NAMES_TITLE, PROMISES, PROMISES_TITLE, TARGETS, TARGETS_TITLE
from bench.markdown import block as markdown_block
from bench.markdown import put, table
from bench.registry import RESULTS

CATALOG = Path(__file__).resolve().parents[2] / "catalog"
MARKERS = ("<!-- begin: make bench-catalog -->", "<!-- end -->")
OTHERS = {NAMES_TITLE: NAMES, TARGETS_TITLE: TARGETS, PROMISES_TITLE: PROMISES}
SHOWN = 1000
"""The size whose figures stand in a pipeline's metadata; the largest that was measured where it is missing."""
IN_TURNS = ("process-basic-v1", "process-dynamic-v1")
"""They send most processes now and then: over some scrapes nearly all series come by."""
_EFFECT = re.compile(r"^effect:\n(?:[ -].*\n)*", re.MULTILINE)
Result = Mapping[str, Any]


def write(result: Result, catalog: Path = CATALOG) -> None:
    """Write the pages. result: the JSON of the benchmark."""
    page = catalog / "README.md"
    page.write_text(put(page.read_text("utf-8"), MARKERS, block(result)), "utf-8")
    for name, text in effects(result).items():
        path = catalog / name / "metadata.yaml"
        before, after = _EFFECT.split(path.read_text("utf-8"), maxsplit=1)
        path.write_text(before + text + after, "utf-8")


def block(result: Result) -> str:
    """What stands between the markers: the targets first, then each size, conditions and notes."""
    tables = sorted(result["tables"], key=lambda table: table["title"] != TARGETS_TITLE)
    parts = [table(one["title"], OTHERS.get(one["title"], COLUMNS), one["rows"]) for one in tables]
    return markdown_block(MARKERS, parts, result["conditions"], result["notes"])


def effects(result: Result) -> dict[str, str]:
    """The `effect` of each pipeline's metadata, as YAML, by name of the pipeline."""
    sized = [table for table in result["tables"] if table["title"] not in OTHERS]
    rows = next((t for t in sized if f"{SHOWN:,d}" in t["title"]), sized[-1])["rows"]
    shared = {row["name"]: row for t in result["tables"] if t["title"] == NAMES_TITLE for row in t["rows"]}
    base = next(row for row in rows if row["name"] == "process-baseline-v1")
    stated = result["conditions"]
    out = {}
    for row in rows:
        name = row["name"]
        if not name.startswith("process-"):
            continue
        if row is base:
            figures = [f"CPU {row['cpu_ms_per_scrape']:.0f} ms a scrape; {row['rss_mib']:.0f} MiB RSS"]
        else:
            figures = [_sent(row), _cost(row, base)]
        if name in shared and row is not base:
            figures.insert(1, f"with shared names {_fewer(name, shared[name]['series_fewer_shared'])}")
        spell = f"load {stated['load_before']} to {stated['load_after']}"
        where = (
            f"{row['live_processes']:,d} live processes with names of their own (shared: loadsim realistic), defaults, "
            f"{row['scrapes']} scrapes and {row['cpu_scrapes']} for CPU, {stated['collector']}, {stated['cpus']} "
            f"shared cores, {spell}, {stated['command']}, {stated['date']}"
        )
        lines = [f"  - figure: {_folded(one)}\n    conditions: {_folded(where)}" for one in figures]
        out[name] = "\n".join(["effect:", *lines]) + "\n"
    return out


def _folded(text: str) -> str:
    """A YAML block that reads as one line."""
    return "\n      ".join([">-", *textwrap.wrap(text, 110, break_long_words=False, break_on_hyphens=False)])


def _sent(row: Mapping[str, Any]) -> str:
    return (
        f"{_fewer(row['name'], row['series_fewer'])} and {row['wire_fewer']:.1%} fewer bytes than the baseline; "
        f"{row['critical_kept']:.0%} of criticals kept; {row['mismatches_per_scrape']:.4g} mismatches a scrape"
    )


def _fewer(name: str, share: float) -> str:
    return f"{share:.1%} fewer {'points a scrape' if name in IN_TURNS else 'series'}"


def _cost(row: Mapping[str, Any], base: Mapping[str, Any]) -> str:
    return (
        f"CPU a scrape {row['cpu_ratio']:.2f} times the baseline's ({row['cpu_ratio_spread']}); "
        f"{row['rss_mib']:.0f} MiB RSS against {base['rss_mib']:.0f}"
    )


def main() -> None:
    """Write the pages from the last complete run."""
    write(json.loads((RESULTS / "catalog.json").read_text("utf-8")))


if __name__ == "__main__":
    main()
