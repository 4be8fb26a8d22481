"""A deployment: one pipeline on a set of hosts, with every version it ever had. A roll back is a new version that
repeats an old one, so that history only grows."""

from __future__ import annotations

from typing import Any

from pydantic import Field, model_validator

from chalicelib.domain.critical import MAX_PATTERNS, CriticalPattern
from chalicelib.domain.errors import Conflict
from chalicelib.domain.experiment.spec import NAME, Backend, PipelineRef
from chalicelib.domain.model import Value
from chalicelib.domain.units import Seconds

MAX_VERSIONS = 100


class DeploymentPlan(Value):
    """What runs: a catalog pipeline with its parameters, or a collector configuration of the user's own."""

    pipeline: PipelineRef | None = None
    config: dict[str, Any] | None = None
    """A whole collector configuration; only Phoenix's own telemetry is added to it."""
    critical: tuple[CriticalPattern, ...] = Field(default=(), max_length=MAX_PATTERNS)
    interval: Seconds = Field(default=15, ge=1, le=3600)
    backend: Backend | None = None

    @model_validator(mode="after")
    def _one_source(self) -> DeploymentPlan:
        if (self.pipeline is None) == (self.config is None):
            raise ValueError("give either pipeline or config")
        if self.config is not None and (self.critical or self.backend):
            raise ValueError("critical and backend belong to catalog pipelines; a config of your own says it itself")
        return self

    def label(self) -> str:
        """How people call it: "process-topk-v1 k=20", or "own configuration"."""
        if self.pipeline is None:
            return "own configuration"
        return self.pipeline.label()


class DeploymentVersion(Value):
    """One version. configs: host to content hash of what was rendered for it."""

    number: int
    plan: DeploymentPlan
    configs: dict[str, str] = Field(default_factory=dict)
    created_at: float
    created_by: str
    note: str = ""
    experiment_uid: str = ""
    """Experiment whose promotion made this version, if one did."""


class Deployment(Value):
    """The record. current: number of the version that its hosts are to run (0: none yet)."""

    name: str = Field(pattern=NAME)
    hosts: tuple[str, ...]
    versions: tuple[DeploymentVersion, ...] = ()
    current: int = 0
    settled: bool = True
    """Whether every host has confirmed or refused what it was last given; until then the clock steps it."""
    deleting: bool = False

    def version(self, number: int) -> DeploymentVersion | None:
        """A version by its number, or None."""
        return next((v for v in self.versions if v.number == number), None)

    def add(self, version: DeploymentVersion) -> Deployment:
        """The deployment with one more version, not yet current. The oldest ones beyond the limit are forgotten."""
        return self.model_copy(update={"versions": (*self.versions, version)[-MAX_VERSIONS:]})

    def next_number(self) -> int:
        """Number of the next version."""
        return max((v.number for v in self.versions), default=0) + 1

    def before(self, number: int) -> DeploymentVersion:
        """The version to go back to from `number`: the newest older one with a different plan. Raises Conflict."""
        here = self.version(number)
        older = [v for v in self.versions if v.number < number and (here is None or v.plan != here.plan)]
        if not older:
            raise Conflict(
                f"deployment {self.name!r} has no earlier version to go back to",
                hint=f"see its versions: phoenix pipeline status {self.name}",
            )
        return older[-1]


def scope(name: str, number: int) -> str:
    """The measurement scope of a version: what its collectors stamp on the counts they send."""
    return f"deployment.{name}.{number}"
