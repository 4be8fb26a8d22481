"""What an edge measured, as values: per scrape and variant the series and critical processes, and the collector's
own counters. Made by the OTLP adapter, kept by the measurement store, read by the evaluation. Never an estimate.
"""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from chalicelib.domain.model import Value


class Variant(StrEnum):
    """Whose output was counted. RAW is the untouched stream; DEPLOYED the only arm of a plain deployment.

    In dedicated mode each arm has a collector of its own, and CANDIDATE_RAW is the untouched stream of the candidate's.
    """

    RAW = "raw"
    BASELINE = "baseline"
    CANDIDATE = "candidate"
    DEPLOYED = "deployed"
    CANDIDATE_RAW = "candidate_raw"


STREAMS = (Variant.RAW, Variant.BASELINE, Variant.CANDIDATE)
"""What a scrape of both arms in one collector consists of."""


class CriticalProcess(Value):
    """One critical process as a variant reported it in one scrape."""

    pattern: str = Field(max_length=64)
    """Id of the critical pattern that matched."""
    name: str = Field(max_length=256)
    """process.executable.name, as the host said it: data, never trusted."""
    pid: int = Field(ge=0)


class Count(Value):
    """One variant's output in (a part of) one scrape, counted at the edge.

    A variant that reports nothing has no Count at all: absent, not zero.
    """

    scope: str
    """Uid of the experiment or deployment whose configuration counted."""
    host: str
    variant: Variant
    start_ns: int
    """Time of the oldest data point counted, Unix nanoseconds by the host's clock."""
    end_ns: int
    """Time of the newest."""
    series: int = Field(ge=0)
    """Data points of the scrape = active series."""
    critical: tuple[CriticalProcess, ...] = ()
    marker: str = ""
    """`phoenix.config` marker of the configuration that counted."""


class ExporterCounters(Value):
    """Cumulative counters of one exporter since the collector started. None: the collector has not reported it."""

    sent_points: int | None = None
    sent_bytes: int | None = None
    """OTLP bytes before compression."""
    failed_points: int | None = None
    """Sending plus enqueue failures; absent until the first failure, so None means none was reported."""


class CollectorSample(Value):
    """The collector's own counters at one moment (its self-telemetry)."""

    scope: str
    host: str
    time_ns: int
    start_ns: int
    """Start of the counters: changes when the collector restarts."""
    cpu_seconds: float | None = None
    rss_bytes: int | None = None
    accepted_points: int | None = None
    refused_points: int | None = None
    exporters: dict[str, ExporterCounters] = Field(default_factory=dict)
    marker: str = ""
