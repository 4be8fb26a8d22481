"""One limit and how it stands: the sums, the interval, the state; and the same again from the sums alone.

A limit with a margin goes by the interval of Σ measured / Σ limit (domain/evaluation/interval.py): the whole interval
must lie on one side. Two are exact, because they are counted and not estimated: coverage, and a limit of nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from chalicelib.domain.evaluation.interval import FLOOR, MIN_SCRAPES, Batch, M, Ratio, ratio_of
from chalicelib.domain.kpi.registry import KPIS, Form, KpiName
from chalicelib.domain.model import Value

State = Literal["within", "beyond", "near", "unmeasured"]
Price = Callable[[float], float]
"""Series per scrape to money a month."""
_OFTEN_NOTHING = frozenset({KpiName.EXPORT_FAILURES, KpiName.DROPPED_POINTS, KpiName.SCRAPE_DURATION})


class Guardrail(Value):
    """A limit on one host, or on all of them together. What it does when broken stands in the evidence's limits."""

    kind: KpiName
    host: str
    """ "" for all hosts together."""
    limit: float
    """In the KPI's own unit (domain/kpi/registry.py)."""
    value: float | None = None
    low: float | None = None
    high: float | None = None
    state: State
    samples: int
    minutes: float
    batches: tuple[Batch, ...] = ()
    """a: what the limit allows (cost: scrapes), b: measured. One batch alone: counted, without an interval."""
    why: str = ""
    """Why it is not measured, where that is not for want of samples."""


def judged(
    kind: KpiName,
    host: str,
    limit: float,
    batches: Sequence[Batch],
    *,
    samples: int,
    minutes: float,
    mean: float | None,
    price: Price | None = None,
    why: str = "",
) -> Guardrail:
    """The limit with its state. mean: the value to show while there is no interval. price: for cost alone."""
    found = Guardrail(
        kind=kind,
        host=host,
        limit=limit,
        value=mean,
        state="unmeasured",
        samples=samples,
        minutes=minutes,
        batches=tuple(batches),
        why=why,
    )
    return again(found, price)


def again(stated: Guardrail, price: Price | None = None) -> Guardrail:
    """The limit with everything computed again from its sums."""
    if is_exact(stated.kind, stated.limit):
        return _counted(stated)
    ratio = _ratio(stated)
    if ratio is None or (stated.kind is KpiName.COST and price is None):
        return stated.model_copy(update={"low": None, "high": None, "state": "unmeasured"})
    if stated.kind is KpiName.COST and price is not None:
        low, value, high = (price(series) for series in (ratio.low, ratio.value, ratio.high))
        state = _side(low, high, stated.limit)
    else:
        low, value, high = (share * stated.limit for share in (ratio.low, ratio.value, ratio.high))
        state = _side(ratio.low, ratio.high, 1.0)
    return stated.model_copy(update={"value": value, "low": low, "high": high, "state": state})


def is_exact(kind: KpiName, limit: float) -> bool:
    """Whether it is counted, and judged without an interval."""
    return KPIS[kind].form is Form.EXACT or limit == 0


def _ratio(stated: Guardrail) -> Ratio | None:
    """Σ measured / Σ allowed with its interval; None with fewer than 16 samples."""
    if stated.minutes <= 0:
        return None
    batches = stated.batches
    nothing = len(batches) == M and sum(x.b for x in batches) == 0 < sum(x.a for x in batches)
    if nothing and stated.kind in _OFTEN_NOTHING:
        return Ratio(0.0, 0.0, FLOOR, 0.0, 0.0)
    return ratio_of(batches, stated.minutes)


def _side(low: float, high: float, limit: float) -> State:
    if low > limit:
        return "beyond"
    return "within" if high <= limit else "near"


def _counted(stated: Guardrail) -> Guardrail:
    """One event too many is seen at the first; that there are none, and what is covered, after 16."""
    whole = stated.batches[0] if stated.batches else None
    if whole is None or whole.a <= 0:
        return stated.model_copy(update={"value": None, "low": None, "high": None, "state": "unmeasured"})
    value = whole.b / whole.a
    lower = KPIS[stated.kind].better == "lower"
    broken = value > stated.limit if lower else value < stated.limit
    enough = whole.scrapes >= MIN_SCRAPES
    state: State = "beyond" if broken and (enough or lower) else "within" if enough else "unmeasured"
    return stated.model_copy(update={"value": value, "low": value, "high": value, "state": state})
