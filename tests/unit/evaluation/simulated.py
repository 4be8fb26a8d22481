"""Measurements for the evaluation's tests, made by arithmetic: plans, scrapes, collector samples. No test here."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from chalicelib.domain.evaluation.plan import ArmUnderTest, ConfigProof, EvaluationPlan, Limits
from chalicelib.domain.measurement import CollectorSample, Count, CriticalProcess, ExporterCounters, Variant
from chalicelib.domain.pricebooks import price_book

S = 1_000_000_000
OPENED = 1_790_000_000 * S
DEPLOYED = OPENED - 60 * S
MARKER = "marker-1"
STREAMS = (Variant.RAW, Variant.BASELINE, Variant.CANDIDATE)
NGINX = CriticalProcess(pattern="nginx", name="nginx", pid=101)
WORKER = CriticalProcess(pattern="payments", name="payments-worker", pid=4312)
TEN = (*(CriticalProcess(pattern="nginx", name="nginx", pid=100 + i) for i in range(9)), WORKER)


def plan_of(hosts: tuple[str, ...] = ("node-01",), **changes: Any) -> EvaluationPlan:
    """A plan for these hosts: 15 s, 5 to 60 minutes, target 50 %. changes: fields of Limits or of the plan."""
    limits: dict[str, Any] = {"interval_s": 15, "min_minutes": 5, "max_minutes": 60, "target": 0.5}
    fields: dict[str, Any] = {}
    for key, value in changes.items():
        (limits if key in Limits.model_fields else fields)[key] = value
    return EvaluationPlan(
        **{
            "scope": "exp-1",
            "name": "web-topk",
            "hosts": hosts,
            "window_start_ns": OPENED,
            "deployed_ns": DEPLOYED,
            "limits": Limits(**limits),
            "critical": ("nginx", "payments"),
            "baseline": ArmUnderTest(pipeline="process-baseline-v1"),
            "candidate": ArmUnderTest(pipeline="process-topk-v1", parameters={"k": 20}),
            "configs": tuple(
                ConfigProof(host=h, config_hash="c0ffee", marker=MARKER, read_back_ns=DEPLOYED) for h in hosts
            ),
            "spec_hash": "5bec",
            "price_book": price_book("example-2026"),
            **fields,
        }
    )


def at(second: float) -> int:
    """Unix nanoseconds, so many seconds after the window opened."""
    return OPENED + round(second * S)


def scrape(
    second: float,
    *,
    host: str = "node-01",
    series: tuple[int, int, int] = (7000, 7000, 700),
    critical: Iterable[CriticalProcess] = TEN,
    lost: Iterable[CriticalProcess] = (),
    baseline_lost: Iterable[CriticalProcess] = (),
    absent: Iterable[Variant] = (),
    marker: str = MARKER,
) -> list[Count]:
    """One scrape: raw, baseline, candidate. lost: what the candidate drops. absent: streams that do not report."""
    alive = tuple(critical)
    gone = {Variant.RAW: (), Variant.BASELINE: tuple(baseline_lost), Variant.CANDIDATE: tuple(lost)}
    return [
        Count(
            scope="exp-1",
            host=host,
            variant=variant,
            start_ns=at(second - 0.2),
            end_ns=at(second - 0.02 * i),  # a variant's newest process may be older than raw's newest
            series=amount,
            critical=tuple(process for process in alive if process not in gone[variant]),
            marker=marker,
        )
        for i, (variant, amount) in enumerate(zip(STREAMS, series, strict=True))
        if variant not in set(absent)
    ]


def scrapes(
    first: int, end: int, *, interval: float = 15, phase: float = 3, shift: float = 0, **details: Any
) -> list[Count]:
    """Scrapes number first to end - 1. shift: how far the host's clock is ahead. A callable detail gets the number."""
    found: list[Count] = []
    for i in range(first, end):
        own = {key: value(i) if isinstance(value, Callable) else value for key, value in details.items()}  # type: ignore[arg-type]
        found += scrape(i * interval + phase + shift, **own)
    return found


def sample(
    second: float,
    cpu: float,
    *,
    host: str = "node-01",
    started: float = -60,
    rss: int = 80 * 1024**2,
    exporters: dict[str, ExporterCounters] | None = None,
) -> CollectorSample:
    """The collector's own counters; `started` seconds from the opening of the window."""
    return CollectorSample(
        scope="exp-1",
        host=host,
        time_ns=at(second),
        start_ns=at(started),
        cpu_seconds=cpu,
        rss_bytes=rss,
        exporters=exporters or {},
        marker=MARKER,
    )
