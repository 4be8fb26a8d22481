"""Tables and JSON of a benchmark: what was not measured is never shown as zero."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.report import Column, Report, Table

COLUMNS = (Column("pipeline", "pipeline"), Column("cpu_ms", "CPU ms", ",.1f"), Column("scrapes", "n", "d"))
TABLE = Table("Cost", COLUMNS, (("topk", 1234.56, 6), ("baseline", None, 12)))
REPORT = Report("cost", {"cpus": 2, "interval_s": 2.0}, (TABLE,), ("A note.",))


def test_words_stand_left_and_numbers_right() -> None:
    assert TABLE.text().splitlines() == [
        "Cost",
        "pipeline   CPU ms   n",
        "topk      1,234.6   6",
        "baseline        –  12",
    ]


def test_the_text_ends_with_conditions_and_notes() -> None:
    assert REPORT.text().splitlines()[-2:] == ["conditions: cpus 2, interval s 2.0", "A note."]


def test_json_keeps_full_numbers_under_the_columns_keys(tmp_path: Path) -> None:
    path = REPORT.write(tmp_path / "results")
    assert path.name == "cost.json"
    assert json.loads(path.read_text("utf-8")) == {
        "benchmark": "cost",
        "conditions": {"cpus": 2, "interval_s": 2.0},
        "tables": [
            {
                "title": "Cost",
                "rows": [
                    {"pipeline": "topk", "cpu_ms": 1234.56, "scrapes": 6},
                    {"pipeline": "baseline", "cpu_ms": None, "scrapes": 12},
                ],
            }
        ],
        "notes": ["A note."],
    }


def test_a_row_of_another_width_is_refused() -> None:
    with pytest.raises(ValueError, match="2 cells for 3 columns"):
        Table("Cost", COLUMNS, (("topk", 1.0),))


def test_a_number_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON"):
        Report("cost", {}, (Table("Cost", COLUMNS, (("topk", float("nan"), 1),)),)).write(tmp_path)
