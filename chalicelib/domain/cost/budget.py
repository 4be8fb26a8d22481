"""A budget: what telemetry may cost a month, and where its cost stands against that. Pure.

Cost is the monthly rate of the window, not money spent: an alert comes when the course is wrong, not when it is late.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from chalicelib.domain.cost.ask import CostQuestion, Labels
from chalicelib.domain.cost.bill import Allotments
from chalicelib.domain.cost.price_book import LARGEST, NAME
from chalicelib.domain.cost.report import CostReport
from chalicelib.domain.model import Value
from chalicelib.domain.notification.event import EventType
from chalicelib.domain.notification.facts import FINE, Seen
from chalicelib.domain.units import Ratio, Seconds

WARN, BREACH = "warn", "breach"
_RANK = {FINE: 0, WARN: 1, BREACH: 2}
SLACK = 0.95
"""A level is left only below its threshold times this: cost that sways about a threshold is told once."""
LOOKS = 20
"""Times in its window that a budget is looked at, and not more often than every minute."""


class BudgetSpec(Value):
    """What may be spent on what. Without deployment, pipeline or labels: on everything that is deployed."""

    name: str = Field(pattern=NAME)
    limit: Annotated[float, Field(gt=0, le=LARGEST, allow_inf_nan=False)]
    """Money a month, in the price book's currency."""
    warn_at: Ratio = Field(default=0.8, gt=0, le=1)
    """Share of the limit from which on it warns."""
    price_book: str = Field(default="example-2026", pattern=NAME)
    deployment: str = Field(default="", max_length=63)
    pipeline: str = Field(default="", max_length=63)
    labels: Labels = Field(default_factory=dict)
    window: Seconds = Field(default=3600, ge=60, le=7 * 86400)
    """How far back the rate is measured."""
    allotments: Allotments = "applied"
    bytes_per_point: Annotated[float, Field(gt=0, le=100_000)] | None = None

    @property
    def every_s(self) -> float:
        """Seconds between two looks."""
        return max(60.0, self.window / LOOKS)

    def question(self) -> CostQuestion:
        """What it asks about cost."""
        return CostQuestion(
            window=self.window,
            price_book=self.price_book,
            deployment=self.deployment,
            pipeline=self.pipeline,
            labels=self.labels,
            allotments=self.allotments,
            bytes_per_point=self.bytes_per_point,
        )


class Budget(Value):
    """A budget and what was found last. per_month None: not measured, `reason` says why."""

    spec: BudgetSpec
    created_at: float
    created_by: str
    level: str = FINE
    per_month: float | None = None
    measured: int = 0
    """Hosts that the figure is of."""
    unmeasured: int = 0
    currency: str = ""
    reason: str = "not looked at yet"
    evaluated_at: float | None = None


def judged(budget: Budget, level: str, report: CostReport, now: float) -> Budget:
    """The budget after a look. level: that was told last. With hosts that were not measured the cost is a lower bound:
    it can break a limit, and cannot recover one. Nothing measured changes no level."""
    silent = sum(row.per_month is None for row in report.hosts)
    found = budget.model_copy(
        update={
            "level": level,
            "per_month": report.per_month,
            "measured": len(report.hosts) - silent,
            "unmeasured": silent,
            "currency": report.price_book.currency,
            "reason": report.reason,
            "evaluated_at": now,
        }
    )
    if report.per_month is None:
        return found
    reached = _level(budget.spec, level, report.per_month)
    if silent and _RANK[reached] < _RANK[level]:
        reason = f"{silent} hosts were not measured: it may not have recovered"
        return found.model_copy(update={"reason": reason})
    return found.model_copy(update={"level": reached})


def _level(spec: BudgetSpec, before: str, cost: float) -> str:
    for level, threshold in ((BREACH, spec.limit), (WARN, spec.limit * spec.warn_at)):
        held = _RANK[before] >= _RANK[level]
        if cost >= threshold * (SLACK if held else 1.0):
            return level
    return FINE


def seen(budget: Budget) -> Seen:
    """What a level tells."""
    spec, cost = budget.spec, budget.per_month or 0.0
    kind = {BREACH: EventType.BUDGET_BREACH, WARN: EventType.BUDGET_WARN, FINE: EventType.BUDGET_RECOVERED}[
        budget.level
    ]
    words = {BREACH: "is over its limit", WARN: "is near its limit", FINE: "has recovered"}[budget.level]
    title = (
        f"budget {spec.name} {words}: {cost:,.2f} of {spec.limit:,.2f} {budget.currency} a month "
        f"(price book {spec.price_book}, {budget.measured} hosts)"
    )
    data = {
        "budget": spec.name,
        "level": budget.level,
        "perMonth": budget.per_month,
        "limit": spec.limit,
        "warnAt": spec.warn_at,
        "currency": budget.currency,
        "priceBook": spec.price_book,
        "windowSeconds": spec.window,
        "measuredHosts": budget.measured,
        "unmeasuredHosts": budget.unmeasured,
    }
    return Seen(level=budget.level, type=kind, title=title, data=data)
