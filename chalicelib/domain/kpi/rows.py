"""The table of KPIs: how each one stands, for everybody who shows it. Values; made by `evaluation.verdict.table`."""

from __future__ import annotations

from typing import Literal

from chalicelib.domain.kpi.registry import Severity, Unit
from chalicelib.domain.model import Value

RowState = Literal["ok", "touching", "broken", "unmeasured", "unlimited"]
"""unmeasured: with the reason; unlimited: it is shown, and nobody set a limit."""


class KpiRow(Value):
    """One KPI: a success criterion, a guardrail, or shown only."""

    kpi: str
    """ "scrapeDuration", "seriesReduction"."""
    title: str
    unit: Unit
    currency: str = ""
    role: Literal["success", "guardrail", "shown"]
    of: str
    """Whose number it is: of the candidate, of both arms."""
    host: str = ""
    """The host that stands worst; "" for all together."""
    hosts: tuple[str, ...] = ()
    """Hosts on which it is broken, up to ten."""
    value: float | None = None
    low: float | None = None
    high: float | None = None
    direction: Literal["atMost", "atLeast"]
    limit: float | None = None
    severity: Severity | None = None
    """What breaking it does; None for a success criterion and for what is shown only."""
    state: RowState
    why: str = ""
    """Why it is not measured."""
