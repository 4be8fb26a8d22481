"""Verdicts and the rules that give them, by name. Stable: scripts and stored evidence have these words."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from chalicelib.domain.kpi.registry import KpiName


class Verdict(StrEnum):
    """How an experiment is decided. Only PROMOTE can promote."""

    PROMOTE = "promote"
    REJECT = "reject"
    INCONCLUSIVE = "inconclusive"
    INSUFFICIENT_DATA = "insufficient_data"
    ERROR = "error"


class Reason(StrEnum):
    """The rule that fired, or what an undecided evaluation waits for. Stable, for scripts."""

    CANNOT_MEASURE = "cannot_measure"
    COLLECTOR_PROBLEM = "collector_problem"
    CRITICAL_MISSING = "critical_missing"
    COLLECTOR_CPU = "collector_cpu"
    COLLECTOR_MEMORY = "collector_memory"
    EXPORT_FAILURES = "export_failures"
    DROPPED_POINTS = "dropped_points"
    SCRAPE_DURATION = "scrape_duration"
    COVERAGE_LIMIT = "coverage_limit"
    """A guardrail on coverage broke; `coverage` is what a verdict needs at least."""
    SERIES_LIMIT = "series_limit"
    POINTS_LIMIT = "points_limit"
    BYTES_LIMIT = "bytes_limit"
    COST_LIMIT = "cost_limit"
    GUARDRAIL_BROKEN = "guardrail_broken"
    """One that pauses the experiment; nothing is promoted while it is."""
    TOO_FEW_SCRAPES = "too_few_scrapes"
    MIN_DURATION = "min_duration"
    TOO_FEW_HOSTS = "too_few_hosts"
    COVERAGE = "coverage"
    NO_CRITICAL_SEEN = "no_critical_seen"
    GUARDRAIL_UNMEASURED = "guardrail_unmeasured"
    CRITERION_UNMEASURED = "criterion_unmeasured"
    GUARDRAIL_NEAR_LIMIT = "guardrail_near_limit"
    CRITICAL_UNCONFIRMED = "critical_unconfirmed"
    STREAM_SILENT = "stream_silent"
    TARGET_REACHED = "target_reached"
    NOT_WORTH_IT = "not_worth_it"
    UNDECIDED = "undecided"
    """The interval still contains the target; at the deadline: `deadline`."""
    DEADLINE = "deadline"


LIMIT_BROKEN: Mapping[KpiName, Reason] = {
    KpiName.COLLECTOR_CPU: Reason.COLLECTOR_CPU,
    KpiName.COLLECTOR_MEMORY: Reason.COLLECTOR_MEMORY,
    KpiName.EXPORT_FAILURES: Reason.EXPORT_FAILURES,
    KpiName.DROPPED_POINTS: Reason.DROPPED_POINTS,
    KpiName.SCRAPE_DURATION: Reason.SCRAPE_DURATION,
    KpiName.COVERAGE: Reason.COVERAGE_LIMIT,
    KpiName.SERIES: Reason.SERIES_LIMIT,
    KpiName.POINTS: Reason.POINTS_LIMIT,
    KpiName.BYTES: Reason.BYTES_LIMIT,
    KpiName.COST: Reason.COST_LIMIT,
}
"""Whose limit broke, in the order in which the first one names the verdict."""

BREACHES = frozenset({Reason.COLLECTOR_PROBLEM, Reason.CRITICAL_MISSING, *LIMIT_BROKEN.values()})
"""Reasons of a reject that is harm, not merely a candidate that is not worth it."""
