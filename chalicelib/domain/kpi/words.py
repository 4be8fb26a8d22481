"""How a KPI's number is written in a sentence or a table. No number is computed here but by its unit."""

from __future__ import annotations

from chalicelib.domain.kpi.registry import Unit
from chalicelib.domain.kpi.rows import KpiRow

_SIZES = (("GiB", 1024**3), ("MiB", 1024**2), ("KiB", 1024))


def shown(value: float | None, unit: Unit, currency: str = "") -> str:
    """ "91.9 %", "81 MiB", "1.25 s", "25.1 ms", "7,412 series"; "?" for what is not measured."""
    if value is None:
        return "?"
    if unit in (Unit.SHARE, Unit.CORES):
        return _share(value)
    if unit in (Unit.MEMORY, Unit.BYTES):
        return _size(value)
    if unit is Unit.SECONDS:
        return _time(value)
    if unit is Unit.MONEY:
        return f"{value:,.2f} {currency}".strip()
    return f"{value:,.0f}"


def measured(row: KpiRow) -> str:
    """ "1.9 % [1.7, 2.2]": the value with its interval, as far as there is one."""
    if row.value is None:
        return "not measured"
    text = shown(row.value, row.unit, row.currency)
    exact = row.low == row.high == row.value
    return text if row.low is None or row.high is None or exact else f"{text} {interval(row)}"


def interval(row: KpiRow) -> str:
    """ "[1.7 %, 2.2 %]", "" while there is none."""
    if row.low is None or row.high is None:
        return ""
    return f"[{shown(row.low, row.unit, row.currency)}, {shown(row.high, row.unit, row.currency)}]"


def limited(row: KpiRow) -> str:
    """ "≤ 5.0 %", "≥ 50.0 %"; "" where nobody set a limit."""
    if row.limit is None:
        return ""
    return f"{'≤' if row.direction == 'atMost' else '≥'} {shown(row.limit, row.unit, row.currency)}"


def _share(value: float) -> str:
    if value < -10:
        return "under -1,000 %"
    small = 0 < abs(value) < 0.01
    return f"{value * 100:,.{3 if small else 1}f} %"


def _time(seconds: float) -> str:
    if 0 < seconds < 0.1:
        return f"{seconds * 1000:.3g} ms"
    return f"{seconds:.3g} s" if seconds < 100 else f"{seconds:,.0f} s"


def _size(value: float) -> str:
    for unit, factor in _SIZES:
        if value >= factor:
            return f"{value / factor:,.1f} {unit}" if value < 10 * factor else f"{value / factor:,.0f} {unit}"
    return f"{value:,.0f} B"
