"""The whole answer to a question about cost: report, savings so far, payback. No arithmetic."""

from __future__ import annotations

from chalicelib.domain.cost.payback import Payback
from chalicelib.domain.cost.realised import Realised
from chalicelib.domain.cost.report import CostReport
from chalicelib.domain.model import Value


class CostAnswer(Value):
    """realised, payback: None when nothing was measured, or not asked for."""

    report: CostReport
    realised: Realised | None = None
    payback: Payback | None = None
    pending_hours: int = 0
    """Hours of hosts that were measured and are not added up yet: the clock does, and the figures become firmer."""
