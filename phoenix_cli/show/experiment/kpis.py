"""The table of KPIs: value, interval, limit, state; the same cells for terminal, sentences and report.

Nothing is judged here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich import box
from rich.table import Table
from rich.text import Text

from chalicelib.domain.evaluation.result.result import Evaluation
from chalicelib.domain.kpi.registry import Unit
from chalicelib.domain.kpi.rows import KpiRow
from chalicelib.domain.kpi.words import interval, limited, shown
from phoenix_cli.show.figures import clean, sentence

HEADINGS = ("KPI", "value", "interval", "limit", "state")
_UNITS = {
    Unit.SERIES: "a scrape",
    Unit.POINTS: "a minute",
    Unit.BYTES: "a minute",
    Unit.MONEY: "a month",
    Unit.CORES: "of a core",
}
_STYLES = {"ok": "green", "broken": "bold red", "touching": "yellow", "unmeasured": "yellow", "unlimited": "dim"}


def kpi_cells(rows: Iterable[KpiRow]) -> Iterator[tuple[str, str, str, str, str]]:
    """One tuple of cells for each KPI."""
    for row in rows:
        title = row.title if row.role == "success" else f"{row.title} ({_whose(row)})"
        value = "not measured" if row.value is None else _value(row)
        exact = row.low == row.high
        yield title, value, "" if exact else interval(row), limited(row), state(row)


def state(row: KpiRow) -> str:
    """ "ok", "broken: rollback (node-02)", "not measured: 3 of 16 samples"."""
    if row.state == "unlimited":
        return "no limit"
    if row.state == "unmeasured":
        return f"not measured: {sentence(row.why, 200)}"
    where = f" ({', '.join(clean(host) for host in row.hosts[:3])})" if row.state == "broken" and row.hosts else ""
    does = f": {row.severity}" if row.state == "broken" and row.severity else ""
    return f"{row.state}{does}{where}"


def kpi_table(evaluation: Evaluation) -> Table:
    """For a terminal."""
    out = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for number, heading in enumerate(HEADINGS):
        out.add_column(heading, justify="right" if number in (1, 2, 3) else "left", overflow="fold")
    for row, cells in zip(evaluation.kpis, kpi_cells(evaluation.kpis), strict=True):
        out.add_row(*(Text(cell) for cell in cells[:4]), Text(cells[4], style=_STYLES[row.state]))
    return out


def kpi_lines(evaluation: Evaluation) -> list[str]:
    """Plain lines of what was asked for and of what a limit is on."""
    asked = [row for row in evaluation.kpis if row.role != "shown"]
    cells = list(kpi_cells(asked))
    widths = [max((len(row[i]) for row in cells), default=0) for i in range(4)]
    return ["  ".join([*(row[i].ljust(widths[i]) for i in range(4)), row[4]]) for row in cells]


def kpi_sentences(evaluation: Evaluation) -> Iterator[str]:
    """One sentence for each KPI that has a limit or a target, or that cannot be measured."""
    for row, (title, value, between, limit, stands) in zip(evaluation.kpis, kpi_cells(evaluation.kpis), strict=True):
        if row.role != "shown":
            amount = " ".join(filter(None, (value, between)))
            yield f"{title[:1].upper()}{title[1:]}: {amount}, limit {limit}: {stands}."
        elif row.state == "unmeasured":
            yield f"{title[:1].upper()}{title[1:]}: {stands}."


def _value(row: KpiRow) -> str:
    return " ".join(filter(None, (shown(row.value, row.unit, row.currency), _UNITS.get(row.unit, ""))))


def _whose(row: KpiRow) -> str:
    of = row.of.partition(":")[0]
    return f"{clean(row.host)}, {of}" if row.host else of
