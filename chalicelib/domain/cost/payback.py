"""Return on investment: when what is saved has paid for what was spent. Arithmetic on figures made elsewhere."""

from __future__ import annotations

from pydantic import Field

from chalicelib.domain.cost.projection import Total
from chalicelib.domain.model import Value


class Investment(Value):
    """What the user says it costs to get there. Money in the price book's currency."""

    once: float = Field(default=0, ge=0)
    """Work to evaluate and roll out."""
    per_month: float = Field(default=0, ge=0)
    """To run it."""


class Payback(Value):
    """Months until the investment is back; None with the reason when it never is. best, worst: by the interval."""

    investment: Investment
    saved_per_month: float
    net_per_month: float
    months: float | None = None
    best: float | None = None
    worst: float | None = None
    roi_first_year: float | None = None
    """(12 net months - once) / (once + 12 running months); None when nothing was invested."""
    reason: str = ""


def payback(saved: Total, investment: Investment) -> Payback:
    """From savings a month (with interval, if there is one) to months. Simple payback: no interest, no growth."""
    net = saved.estimate - investment.per_month
    spent = investment.once + 12 * investment.per_month
    made = Payback(
        investment=investment,
        saved_per_month=saved.estimate,
        net_per_month=net,
        months=_months(net, investment),
        best=_months(saved.high - investment.per_month, investment) if saved.high is not None else None,
        worst=_months(saved.low - investment.per_month, investment) if saved.low is not None else None,
        roi_first_year=(12 * saved.estimate - spent) / spent if spent else None,
    )
    if made.months is None:
        return made.model_copy(update={"reason": "it never pays back: running it costs at least what it saves"})
    if saved.low is not None and made.worst is None:
        return made.model_copy(update={"reason": "at the low end of the interval it never pays back"})
    return made


def _months(net: float, investment: Investment) -> float | None:
    if net <= 0:
        return None
    return investment.once / net
