"""What an assembly is asked for, as values: arms, critical patterns, where to report. `assembly` builds."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from chalicelib.domain.critical import MAX_PATTERNS, CriticalPattern
from chalicelib.domain.experiment.spec import Backend
from chalicelib.domain.measurement import Variant
from chalicelib.domain.model import Value
from chalicelib.domain.pipeline.rendering import Fragment

TOKEN_VARIABLE = "PHOENIX_TOKEN"
"""Environment variable of the host that holds its token; it reaches Phoenix and nobody else."""
DEFAULT_MEMORY_LIMIT_MIB = 400
"""Both arms ran at up to 240 MiB with 3 000 processes (collector.md, section 4)."""


class Kpi(Value):
    """Where the edge sends its counts and its collector's own telemetry, and whose they are."""

    endpoint: str = Field(pattern=r"^https?://[^\s\"'${}\\?#]+$", max_length=300)
    """Base URL of the control plane; measurements go to <endpoint>/v1/metrics."""
    scope: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$")
    """Uid of the experiment or deployment."""
    host: str = Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")
    """Name of the host in Phoenix."""

    @property
    def url(self) -> str:
        """Full URL of the measurement intake."""
        return self.endpoint.rstrip("/") + "/v1/metrics"


class AssemblyArm(Value):
    """One variant: its own processors, and where its output goes (nowhere without a backend)."""

    variant: Variant
    fragment: Fragment
    backend: Backend | None = None


class AssemblyRequest(Value):
    """A whole collector configuration for one host: one scrape, one or two arms.

    raw_backend: send the untouched stream (with any helper metric the arms asked for) there too. raw: under which name
    the untouched stream is counted. collectors: how many the host is to run while it runs this (telemetry.py).
    """

    interval_s: float = Field(ge=0.5, le=3600)
    critical: tuple[CriticalPattern, ...] = Field(default=(), max_length=MAX_PATTERNS)
    arms: tuple[AssemblyArm, ...] = Field(min_length=1, max_length=2)
    kpi: Kpi | None = None
    memory_limit_mib: int = Field(default=DEFAULT_MEMORY_LIMIT_MIB, ge=50, le=65536)
    raw_backend: Backend | None = None
    raw: Literal[Variant.RAW, Variant.CANDIDATE_RAW] = Variant.RAW
    collectors: Literal[1, 2] = 1

    @model_validator(mode="after")
    def _distinct(self) -> AssemblyRequest:
        variants = [arm.variant for arm in self.arms]
        if {Variant.RAW, Variant.CANDIDATE_RAW} & set(variants):
            raise ValueError("raw is the untouched stream, not an arm")
        if len(set(variants)) != len(variants):
            raise ValueError("two arms are the same variant")
        ids = [pattern.id for pattern in self.critical]
        if len(set(ids)) != len(ids):
            raise ValueError("two critical patterns have the same id")
        return self

    @property
    def scraper_metrics(self) -> tuple[str, ...]:
        """Optional scraper metrics that any arm needs, sorted."""
        return tuple(sorted({metric for arm in self.arms for metric in arm.fragment.scraper_metrics}))
