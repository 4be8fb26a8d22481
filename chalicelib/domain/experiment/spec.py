"""The experiment as its user writes it. Validation that needs no look outside happens here; whether pipelines and
hosts exist, and whether the collector takes the result, is checked by the service that creates it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from chalicelib.domain.canary.rules import CANARY_RULES, CLAIM_OF_A_CANARY, SOURCE_OF_A_CANARY, with_defaults
from chalicelib.domain.canary.spec import CanarySpec, Layout
from chalicelib.domain.critical import MAX_PATTERNS, CriticalPattern
from chalicelib.domain.experiment.guardrails import Guardrails, Success, unmeasurable
from chalicelib.domain.experiment.rollout import Rollout
from chalicelib.domain.experiment.source import Source
from chalicelib.domain.load import LoadSpec
from chalicelib.domain.model import Value
from chalicelib.domain.pipeline.metadata import VERSION
from chalicelib.domain.units import Seconds

NAME = r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"
"""Names of things, everywhere: DNS labels (they become Kubernetes names and URL path segments)."""

API_VERSION = "phoenix.io/v1alpha1"

Claim = Literal["these-hosts", "hosts-like-these"]
"""What a verdict is about: the measured hosts in the window, or also hosts that were not measured."""
Mode = Literal["shared", "dedicated"]
"""One collector for both arms, or one for each."""
MIN_FLEET = 3
"""Hosts that a claim about hosts like these needs."""


def _text(value: Any) -> Any:
    """In YAML, version 3 is a number."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


class PipelineRef(Value):
    """A pipeline and its parameters."""

    pipeline: str = Field(pattern=NAME)
    """Name in the catalog, or of one of your own; `phoenix pipeline list` shows them."""
    parameters: dict[str, bool | int | float | str | list[str]] = Field(default_factory=dict)
    """Values for the pipeline's parameters; what is left out has its default."""
    version: Annotated[str, Field(pattern=VERSION), BeforeValidator(_text)] | None = None
    """Version of the pipeline; without one the newest. A pipeline of your own is pinned to it at creation: a later
    update changes nothing that exists."""

    @property
    def is_own(self) -> bool:
        """Whether it is pinned to a version of the tenant's own pipeline; the catalog's versions have dots."""
        return self.version is not None and "." not in self.version

    def label(self) -> str:
        """How people call it: "process-topk-v1 k=20", "lean version 3"."""
        version = f" version {self.version}" if self.version else ""
        return " ".join([self.pipeline + version, *(f"{k}={v}" for k, v in sorted(self.parameters.items()))])


class Backend(Value):
    """Where an arm's output goes: an OTLP/HTTP endpoint, a Prometheus by remote write, or nowhere."""

    otlp: str | None = Field(default=None, pattern=r"^https?://[^\s\"'${}]+$", max_length=300)
    """OTLP/HTTP metrics URL of your backend. Credentials do not belong in it."""
    remote_write: str | None = Field(default=None, pattern=r"^https?://[^\s\"'${}]+$", max_length=300)
    """Prometheus remote write URL, such as http://prometheus:9090/api/v1/write, in place of otlp."""
    headers: dict[str, Annotated[str, Field(pattern=r"^\$\{env:[A-Za-z_][A-Za-z0-9_]*\}$")]] = Field(
        default_factory=dict
    )
    """Header name to an environment reference such as ${env:BACKEND_TOKEN}; literal values are refused."""

    @model_validator(mode="after")
    def _one(self) -> Backend:
        if (self.otlp is None) == (self.remote_write is None):
            raise ValueError("give one address: otlp, or remoteWrite")
        return self


class Arm(PipelineRef):
    """One side of the comparison: a pipeline and where its output goes (nowhere when `backend` is left out)."""

    backend: Backend | None = None


class Targets(Value):
    """The hosts under test: by name, or by labels (resolved once, at creation)."""

    hosts: tuple[Annotated[str, Field(pattern=NAME)], ...] = ()
    """Names of hosts."""
    selector: dict[Literal["matchLabels"], dict[str, str]] | None = None
    """Labels that a host must have, all of them, in place of names."""

    @model_validator(mode="after")
    def _some(self) -> Targets:
        if bool(self.hosts) == bool(self.selector and self.selector.get("matchLabels")):
            raise ValueError("name at least one host in hosts, or labels in selector.matchLabels, and not both")
        if len(set(self.hosts)) != len(self.hosts):
            raise ValueError("a host is named twice")
        return self


class Schedule(Value):
    """When things happen. All in seconds after parsing."""

    warm_up: Seconds = Field(default=60, ge=0, le=3600)
    """How long collectors run before anything counts."""
    min_duration: Seconds = Field(default=300, ge=10, le=30 * 86400)
    """How long it is measured at least, before a verdict."""
    max_duration: Seconds = Field(default=3600, ge=20, le=90 * 86400)
    """How long it is measured at most: what is not shown by then is inconclusive."""
    evaluate_every: Seconds = Field(default=60, ge=1, le=3600)
    """Time between two evaluations."""

    @model_validator(mode="after")
    def _ordered(self) -> Schedule:
        if self.max_duration < self.min_duration:
            raise ValueError("maxDuration is shorter than minDuration")
        return self


class ExperimentSpec(Value):
    """What is compared, where, for how long, and what decides."""

    baseline: Arm
    candidate: Arm
    targets: Targets
    critical: tuple[CriticalPattern, ...] = Field(min_length=1, max_length=MAX_PATTERNS)
    """Processes that must be retained."""
    mode: Mode = "shared"
    """shared: one collector, one scrape, both arms. dedicated: a collector for each arm on every host, so that each
    arm's own CPU and memory are measured."""
    interval: Seconds = Field(default=15, ge=1, le=3600)
    """Time between two scrapes."""
    layout: Layout = "paired"
    """paired: every host runs both arms. canary: every host runs one arm, by lot, and hosts are what is compared."""
    canary: Annotated[CanarySpec | None, CANARY_RULES] = None
    """How a canary divides the hosts; only with layout: canary, where it has defaults."""
    schedule: Schedule = Schedule()
    success: Success = Success()
    claim: Annotated[Claim, CLAIM_OF_A_CANARY] = "these-hosts"
    """What the verdict is about: the hosts under test, or hosts like these (three at least, and a wider interval). A
    canary is always about hosts like these."""
    guardrails: Guardrails = Guardrails()
    promotion: Literal["manual", "automatic"] = "manual"
    """manual: a winner waits for somebody's word. automatic: it is rolled out at once."""
    rollout: Rollout = Rollout()
    """Stages of the promotion, each proven and watched before the next; without: all hosts at once."""
    source: Annotated[Source, SOURCE_OF_A_CANARY] = Source()
    """Where the arms' figures are read from: measurements (the edge's counts), or a Prometheus that both send to."""
    dry_run: bool = False
    """Evaluate everything and act on nothing: no roll back on a breach, no promotion; what ran is restored at last."""
    load: LoadSpec | None = None
    """Simulated processes that run on every target while the experiment does."""
    price_book: str = Field(default="example-2026", pattern=NAME)
    """What is counted as cost; `phoenix price-book list` shows them."""

    @model_validator(mode="before")
    @classmethod
    def _layout_defaults(cls, data: Any) -> Any:
        return with_defaults(data)

    @model_validator(mode="after")
    def _consistent(self) -> ExperimentSpec:
        ids = [pattern.id for pattern in self.critical]
        if len(set(ids)) != len(ids):
            raise ValueError("two critical patterns have the same id; give each its own id")
        if self.source.prometheus and not (self.baseline.backend and self.candidate.backend):
            raise ValueError("a source other than measurements needs both arms to send there: give each a backend")
        if self.mode == "dedicated" and self.layout == "canary":
            raise ValueError("mode dedicated runs both arms on every host, and layout canary one: keep one of the two")
        if self.source.decides and self.mode != "shared":
            raise ValueError("a verdict from a Prometheus needs mode shared; with another, write source.use: check")
        if self.schedule.min_duration < self.interval:
            raise ValueError("schedule.minDuration is shorter than one interval")
        sends = (self.baseline.backend is not None, self.candidate.backend is not None)
        if refused := unmeasurable(self.success, self.guardrails, sends, one_arm_a_host=self.layout == "canary"):
            raise refused
        if self.claim == "hosts-like-these" and 0 < len(self.targets.hosts) < MIN_FLEET:
            raise ValueError(
                f"the claim hosts-like-these needs {MIN_FLEET} hosts at least: name more in targets.hosts, "
                "or claim these-hosts"
            )
        return self


class Metadata(Value):
    """Name and labels of the experiment."""

    name: str = Field(pattern=NAME)
    labels: dict[str, Annotated[str, Field(max_length=128)]] = Field(default_factory=dict, max_length=32)


class ExperimentManifest(Value):
    """The whole file."""

    api_version: Literal["phoenix.io/v1alpha1"]
    kind: Literal["Experiment"]
    metadata: Metadata
    spec: ExperimentSpec
