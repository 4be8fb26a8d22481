"""Every built-in KPI: its unit, what it is computed from, which way is good, and how it is judged. Data, no code.

Single source: manifest, decision, tables and the guide name KPIs as they stand here. A KPI without an entry does not
exist, and one that cannot be measured somewhere says so with a reason; it is never zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

Severity = Literal["rollback", "pause", "warn"]
"""What a broken guardrail does: restore what ran before, let the experiment's clock stand still, or tell."""


class KpiName(StrEnum):
    """Names as manifests, evidence and tables have them."""

    SERIES = "series"
    POINTS = "points"
    BYTES = "bytes"
    COST = "cost"
    CRITICAL_RETENTION = "criticalRetention"
    COLLECTOR_CPU = "collectorCpu"
    COLLECTOR_MEMORY = "collectorMemory"
    EXPORT_FAILURES = "exportFailures"
    DROPPED_POINTS = "droppedPoints"
    COVERAGE = "coverage"
    SCRAPE_DURATION = "scrapeDuration"


class Unit(StrEnum):
    """What a value counts."""

    SERIES = "series per scrape"
    POINTS = "points per minute"
    BYTES = "bytes per minute"
    MONEY = "money a month"
    SHARE = "share"
    CORES = "share of one core"
    MEMORY = "bytes of memory"
    SECONDS = "seconds"


class Form(StrEnum):
    """How a limit on it is judged.

    INVARIANT: one confirmed miss breaks it, whatever the average. LEVEL: the interval of the mean against the limit.
    EXACT: the number itself against the limit, it is counted and not estimated.
    """

    INVARIANT = "invariant"
    LEVEL = "level"
    EXACT = "exact"


@dataclass(frozen=True)
class Kpi:
    """One KPI. of: whose number it is in shared mode, where one collector runs both arms.

    reduction: name of the success criterion on the ratio candidate / baseline with its interval; "" for none.
    """

    name: KpiName
    title: str
    unit: Unit
    source: str
    better: Literal["lower", "higher"]
    form: Form
    of: str
    reduction: str = ""


_CANDIDATE = "the candidate"
_BOTH = "both arms together: in shared mode one collector runs them"

KPIS: Mapping[KpiName, Kpi] = {
    kpi.name: kpi
    for kpi in (
        Kpi(
            KpiName.SERIES,
            "series",
            Unit.SERIES,
            "counts at the edge: data points of one complete scrape, all hosts together",
            "lower",
            Form.LEVEL,
            _CANDIDATE,
            "seriesReduction",
        ),
        Kpi(
            KpiName.POINTS,
            "points",
            Unit.POINTS,
            "the same counts at the edge, times the scrapes of a minute",
            "lower",
            Form.LEVEL,
            _CANDIDATE,
            "pointsReduction",
        ),
        Kpi(
            KpiName.BYTES,
            "bytes",
            Unit.BYTES,
            "the arm's own exporter: OTLP bytes before compression; an arm without a backend sends none",
            "lower",
            Form.LEVEL,
            _CANDIDATE,
            "bytesReduction",
        ),
        Kpi(
            KpiName.COST,
            "cost",
            Unit.MONEY,
            "series under the experiment's price book, kept up for a month",
            "lower",
            Form.LEVEL,
            _CANDIDATE,
            "costReduction",
        ),
        Kpi(
            KpiName.CRITICAL_RETENTION,
            "critical retention",
            Unit.SHARE,
            "critical processes of an arm against those of the untouched stream, scrape by scrape",
            "higher",
            Form.INVARIANT,
            _CANDIDATE,
        ),
        Kpi(
            KpiName.COLLECTOR_CPU,
            "collector CPU",
            Unit.CORES,
            "the collector's own counter of CPU seconds",
            "lower",
            Form.LEVEL,
            _BOTH,
        ),
        Kpi(
            KpiName.COLLECTOR_MEMORY,
            "collector memory",
            Unit.MEMORY,
            "the collector's own resident memory, on average",
            "lower",
            Form.LEVEL,
            _BOTH,
        ),
        Kpi(
            KpiName.EXPORT_FAILURES,
            "export failures",
            Unit.SHARE,
            "the candidate's own exporter: points given up or not queued, of all points it had to send",
            "lower",
            Form.LEVEL,
            _CANDIDATE,
        ),
        Kpi(
            KpiName.DROPPED_POINTS,
            "dropped points",
            Unit.SHARE,
            # Measured with collector 0.155: what the memory limiter refuses, and what a full sending queue refuses,
            # comes back to the receiver and is counted there again, point for point. A sum would count it twice.
            "the receiver's refused points (the memory limiter's and a full queue's are among them), of all it scraped",
            "lower",
            Form.LEVEL,
            _BOTH,
        ),
        Kpi(
            KpiName.COVERAGE,
            "coverage",
            Unit.SHARE,
            "complete scrapes received of scrapes due",
            "higher",
            Form.EXACT,
            _BOTH,
        ),
        Kpi(
            KpiName.SCRAPE_DURATION,
            "scrape duration",
            Unit.SECONDS,
            # Collector 0.155 has no histogram of it. Listing processes comes before the first point: of a scrape of
            # 159 ms (105 processes, by the scraper's own trace) points spanned 44 ms; starved of CPU, 0.5 of 4.2 s.
            "from the oldest to the newest point of the untouched stream's scrape: at least so long it took",
            "lower",
            Form.LEVEL,
            _BOTH,
        ),
    )
}
