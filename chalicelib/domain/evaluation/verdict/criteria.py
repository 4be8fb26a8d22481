"""Success criteria: what was asked for, the ratio candidate / baseline with its interval, how it stands.

All must pass for a promotion. Computed from what is kept as evidence alone. What cannot be measured says why.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from chalicelib.domain.canary.estimate import canary_ratio, sums_in
from chalicelib.domain.cost.series import monthly
from chalicelib.domain.evaluation.interval import MIN_SCRAPES, Ratio, ratio_of
from chalicelib.domain.evaluation.measures.levels import billed_hosts
from chalicelib.domain.evaluation.result.result import BytesSent, Evidence, Measured
from chalicelib.domain.experiment.spec import MIN_FLEET
from chalicelib.domain.kpi.registry import KPIS, KpiName


@dataclass(frozen=True)
class Criterion:
    """One criterion. ratio: of the sums it goes by, None while too early; for cost that of the series.

    state: ok, or broken, when the whole interval lies on that side of the target.
    """

    kpi: KpiName
    target: float
    state: Literal["ok", "touching", "broken", "unmeasured"]
    value: float | None = None
    low: float | None = None
    high: float | None = None
    ratio: Ratio | None = None
    minutes: float = 0.0
    why: str = ""

    @property
    def name(self) -> str:
        """As manifests have it: "bytesReduction"."""
        return KPIS[self.kpi].reduction


def reduction_ratio(evidence: Evidence) -> Ratio | None:
    """Σ candidate / Σ baseline of the series with its interval, from the sums kept as evidence."""
    if evidence.canary:
        return canary_ratio(sums_in(evidence), evidence.batches, evidence.minutes)
    hosts = [(float(host.baseline), float(host.candidate)) for host in evidence.hosts if host.scrapes]
    return ratio_of(evidence.batches, evidence.minutes, _fleet(evidence, hosts))


def criteria(measured: Measured) -> tuple[Criterion, ...]:
    """Every criterion that is asked for, in the order of the registry."""
    return tuple(_criterion(measured, kpi, target) for kpi, target in measured.evidence.limits.targets().items())


def _criterion(measured: Measured, kpi: KpiName, target: float) -> Criterion:
    if kpi is KpiName.BYTES:
        return _bytes(measured.overhead.bytes_sent, measured.evidence, target)
    ratio, minutes = reduction_ratio(measured.evidence), measured.evidence.minutes
    if kpi is KpiName.COST:
        return _cost(measured, ratio, target)
    return _judged(kpi, target, ratio, minutes, measured.reduction.value)


def _judged(
    kpi: KpiName, target: float, ratio: Ratio | None, minutes: float, value: float | None, why: str = ""
) -> Criterion:
    if ratio is None:
        said = why or f"fewer than {MIN_SCRAPES} complete scrapes"
        return Criterion(kpi, target, "unmeasured", value, minutes=minutes, why=said)
    low, high = 1 - ratio.high, 1 - ratio.low
    return Criterion(kpi, target, _side(low, high, target), 1 - ratio.value, low, high, ratio, minutes)


def _side(low: float, high: float, target: float) -> Literal["ok", "touching", "broken"]:
    return "ok" if low >= target else "broken" if high < target else "touching"


def _bytes(sent: BytesSent | None, evidence: Evidence, target: float) -> Criterion:
    if sent is None:
        why = "the exporters of the arms reported no bytes yet"
        return Criterion(KpiName.BYTES, target, "unmeasured", why=why)
    a, b = sum(x for x, _ in sent.hosts), sum(y for _, y in sent.hosts)
    ratio = ratio_of(sent.batches, sent.minutes, _fleet(evidence, sent.hosts)) if sent.minutes > 0 else None
    why = f"{sent.samples} of {MIN_SCRAPES} collector samples"
    return _judged(KpiName.BYTES, target, ratio, sent.minutes, 1 - b / a if a else None, why)


def _cost(measured: Measured, ratio: Ratio | None, target: float) -> Criterion:
    """The price of the series at the bounds of their ratio: prices rise with series, so the bounds keep their order."""
    evidence, mean = measured.evidence, measured.series.mean
    if ratio is None or mean is None:
        return _judged(KpiName.COST, target, None, evidence.minutes, None)
    book, hosts = evidence.price_book, billed_hosts(evidence)
    whole = monthly(book, mean.baseline, hosts) if book else 0.0
    if book is None or whole <= 0:
        why = "the baseline costs nothing under the price book, so nothing of it can be saved"
        return Criterion(KpiName.COST, target, "unmeasured", minutes=evidence.minutes, why=why)
    high, value, low = (
        1 - monthly(book, mean.baseline * kept, hosts) / whole for kept in (ratio.low, ratio.value, ratio.high)
    )
    return Criterion(KpiName.COST, target, _side(low, high, target), value, low, high, ratio, evidence.minutes)


def _fleet(evidence: Evidence, hosts: Sequence[tuple[float, float]]) -> Sequence[tuple[float, float]]:
    return hosts if evidence.limits.claim == "hosts-like-these" and len(hosts) >= MIN_FLEET else ()
