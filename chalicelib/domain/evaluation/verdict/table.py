"""The table of KPIs from what was measured: criteria first, then every built-in KPI with its limit, or shown only."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.domain.cost import SeriesCost
from chalicelib.domain.evaluation.interval import MIN_SCRAPES
from chalicelib.domain.evaluation.result.result import Guardrail, HostOverhead, Measured
from chalicelib.domain.evaluation.verdict.criteria import Criterion, criteria
from chalicelib.domain.kpi.registry import KPIS, Form, Kpi, KpiName, Unit
from chalicelib.domain.kpi.rows import KpiRow, RowState
from chalicelib.domain.measurement import Variant

_STATES: dict[str, RowState] = {
    "within": "ok",
    "beyond": "broken",
    "near": "touching",
    "unmeasured": "unmeasured",
}
_WORST = ("beyond", "unmeasured", "near", "within")
_ON_COLLECTOR = frozenset(
    {KpiName.COLLECTOR_CPU, KpiName.COLLECTOR_MEMORY, KpiName.DROPPED_POINTS, KpiName.SCRAPE_DURATION}
)
MAX_HOSTS = 10


def kpi_rows(measured: Measured, cost: SeriesCost | None) -> tuple[KpiRow, ...]:
    """How each KPI stands. cost: of the evaluation, None without a price book or a complete scrape."""
    limits = (*measured.overhead.guardrails, *measured.judged)
    rows = [_success(one) for one in criteria(measured)]
    for kpi in KPIS.values():
        found = [one for one in limits if one.kind is kpi.name]
        if kpi.form is Form.INVARIANT:
            rows.append(_invariant(kpi, measured))
        elif found:
            rows.append(_limited(kpi, found, measured, cost))
        else:
            rows.append(_shown(kpi, measured, cost))
    return tuple(rows)


def _success(one: Criterion) -> KpiRow:
    return KpiRow(
        kpi=one.name,
        title=f"{KPIS[one.kpi].title} reduction",
        unit=Unit.SHARE,
        role="success",
        of="the candidate against the baseline",
        value=one.value,
        low=one.low,
        high=one.high,
        direction="atLeast",
        limit=one.target,
        state=one.state,
        why=one.why,
    )


def _of(kpi: Kpi, measured: Measured) -> str:
    return measured.overhead.covers if kpi.name in _ON_COLLECTOR else kpi.of


def _invariant(kpi: Kpi, measured: Measured) -> KpiRow:
    report = measured.critical
    raw, kept = sum(row.candidate_due for row in report.patterns), sum(row.candidate for row in report.patterns)
    state: RowState = "ok" if raw and kept == raw else "touching" if raw else "unmeasured"
    return KpiRow(
        kpi=kpi.name.value,
        title=kpi.title,
        unit=kpi.unit,
        role="guardrail",
        of=kpi.of,
        host=report.breaches[0].host if report.breaches else "",
        hosts=tuple(sorted({miss.host for miss in report.breaches}))[:MAX_HOSTS],
        value=kept / raw if raw else None,
        direction="atLeast",
        limit=1.0,
        severity="rollback",
        state="broken" if report.breaches else state,
        why="" if raw else "no process matched a critical pattern in a complete scrape",
    )


def _limited(kpi: Kpi, found: Sequence[Guardrail], measured: Measured, cost: SeriesCost | None) -> KpiRow:
    """One row for all hosts: that of the one that stands worst."""
    worst = min(found, key=lambda one: (_WORST.index(one.state), _distance(kpi, one)))
    return KpiRow(
        kpi=kpi.name.value,
        title=kpi.title,
        unit=kpi.unit,
        currency=_currency(kpi, measured, cost),
        role="guardrail",
        of=_of(kpi, measured),
        host=worst.host,
        hosts=tuple(sorted(one.host for one in found if one.state == "beyond" and one.host))[:MAX_HOSTS],
        value=worst.value,
        low=worst.low,
        high=worst.high,
        direction="atMost" if kpi.better == "lower" else "atLeast",
        limit=worst.limit,
        severity=measured.evidence.limits.severity(kpi.name),
        state=_STATES[worst.state],
        why=(worst.why or _few(worst)) if worst.state == "unmeasured" else "",
    )


def _distance(kpi: Kpi, one: Guardrail) -> float:
    """Smaller is worse."""
    value = one.value if one.value is not None else 0.0
    return -value if kpi.better == "lower" else value


def _few(one: Guardrail) -> str:
    return f"{one.samples} of {MIN_SCRAPES} samples"


def _currency(kpi: Kpi, measured: Measured, cost: SeriesCost | None) -> str:
    book = measured.evidence.price_book or (cost.price_book if cost else None)
    return book.currency if book and kpi.unit is Unit.MONEY else ""


def _shown(kpi: Kpi, measured: Measured, cost: SeriesCost | None) -> KpiRow:
    value, host, why = _value(kpi.name, measured, cost)
    return KpiRow(
        kpi=kpi.name.value,
        title=kpi.title,
        unit=kpi.unit,
        currency=_currency(kpi, measured, cost),
        role="shown",
        of=_of(kpi, measured),
        host=host,
        value=value,
        direction="atMost" if kpi.better == "lower" else "atLeast",
        state="unlimited" if value is not None else "unmeasured",
        why=why if value is None else "",
    )


def _value(name: KpiName, measured: Measured, cost: SeriesCost | None) -> tuple[float | None, str, str]:
    """(value, host that stands worst, why there is none)."""
    mean, sent = measured.series.mean, measured.overhead.bytes_sent
    if name is KpiName.SERIES:
        return mean.candidate if mean else None, "", "no complete scrape yet"
    if name is KpiName.POINTS:
        a_minute = 60 / measured.evidence.limits.interval_s
        return mean.candidate * a_minute if mean else None, "", "no complete scrape yet"
    if name is KpiName.BYTES:
        known = sent is not None and sent.minutes > 0
        total = sum(b for _, b in sent.hosts) / sent.minutes if sent and known else None
        return total, "", "not measurable here: an arm without a backend sends nothing, or none was reported yet"
    if name is KpiName.COST:
        return cost.candidate_per_month if cost else None, "", "no complete scrape, or no price book, yet"
    if name is KpiName.COVERAGE:
        shares = [(host.share, host.host) for host in measured.coverage if host.share is not None]
        return (*min(shares), "") if shares else (None, "", "no scrape is due yet")
    if name is KpiName.SCRAPE_DURATION:
        each = [(host.scrape_seconds, host.host) for host in measured.evidence.hosts if host.scrape_seconds is not None]
        return (*max(each), "") if each else (None, "", "no complete scrape yet")
    # Where each arm has a collector of its own, the candidate's is meant.
    hosts = [host for host in measured.overhead.hosts if host.arm is not Variant.BASELINE]
    found = [(value, host.host) for host in hosts if (value := _collector(name, host)) is not None]
    return (*max(found), "") if found else (None, "", "the collectors did not report it yet")


def _collector(name: KpiName, host: HostOverhead) -> float | None:
    if name is KpiName.COLLECTOR_CPU:
        return host.cpu_share
    if name is KpiName.COLLECTOR_MEMORY:
        return host.rss_mean_bytes
    if name is KpiName.DROPPED_POINTS:
        if host.accepted_points is None or host.refused_points is None:
            return None
        of = host.accepted_points + host.refused_points
        return host.refused_points / of if of else None
    arms = [x for exporter, x in host.exporters.items() if exporter.rpartition("/")[2] == Variant.CANDIDATE.value]
    tried = sum((x.sent_points or 0) + (x.failed_points or 0) for x in arms)
    return sum(x.failed_points or 0 for x in arms) / tried if tried else None
