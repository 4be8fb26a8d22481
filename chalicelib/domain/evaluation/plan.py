"""What an evaluation is held to: hosts, window, limits, configuration under test. No measurement, no decision."""

from __future__ import annotations

from pydantic import Field

from chalicelib.domain.canary.before import Canary
from chalicelib.domain.cost import PriceBook
from chalicelib.domain.experiment.guardrails import AtLeast, field_of, limit_of
from chalicelib.domain.experiment.source import Source
from chalicelib.domain.experiment.spec import Claim, ExperimentSpec, Mode, PipelineRef
from chalicelib.domain.kpi.registry import KpiName, Severity
from chalicelib.domain.measurement import STREAMS, Variant
from chalicelib.domain.model import Value
from chalicelib.domain.pricebooks import price_book

MIN_COVERAGE = 0.9
"""Every host must have delivered this share of its due scrapes."""


class ArmUnderTest(Value):
    """One side of the comparison, as the evidence names it."""

    pipeline: str
    parameters: dict[str, bool | int | float | str | list[str]] = Field(default_factory=dict)
    config_hash: str = ""
    """Hash of the arm's own rendered pipeline."""

    @property
    def title(self) -> str:
        """For sentences: "process-topk-v1 (k=20)"."""
        given = ", ".join(f"{key}={value}" for key, value in sorted(self.parameters.items()))
        return f"{self.pipeline} ({given})" if given else self.pipeline


class ConfigProof(Value):
    """The configuration that a host was given, and the proof that it runs: the marker read back from the collector."""

    host: str
    config_hash: str
    marker: str
    """Counts that carry another marker are not evidence."""
    read_back_ns: int | None = None
    """When the marker came back in the effective configuration, Unix nanoseconds; None: not confirmed."""
    arm: Variant | None = Field(default=None, exclude_if=lambda arm: arm is None)
    """Whose collector it is in dedicated mode; None: one collector runs both arms, or the host's only one."""


class Limits(Value):
    """The rules a verdict follows; kept with it."""

    interval_s: float = Field(gt=0)
    min_minutes: float = Field(ge=0)
    max_minutes: float = Field(gt=0)
    target: float | None = Field(ge=0, lt=1)
    """Series reduction of the candidate against the baseline that is worth a promotion; None: it was not asked for."""
    points_reduction: float | None = Field(default=None, ge=0, lt=1)
    bytes_reduction: float | None = Field(default=None, ge=0, lt=1)
    cost_reduction: float | None = Field(default=None, ge=0, lt=1)
    min_coverage: float = Field(default=MIN_COVERAGE, ge=0, le=1)
    claim: Claim = "these-hosts"
    collector_cpu: float | None = Field(default=None, gt=0)
    """Highest share of one core, per collector."""
    collector_memory: float | None = Field(default=None, gt=0)
    """Highest mean resident bytes, per collector."""
    series: float | None = Field(default=None, gt=0)
    points: float | None = Field(default=None, gt=0)
    bytes: float | None = Field(default=None, gt=0)
    cost: float | None = Field(default=None, gt=0)
    export_failures: float | None = Field(default=None, ge=0, lt=1)
    dropped_points: float | None = Field(default=None, ge=0, lt=1)
    coverage: float | None = Field(default=None, gt=0, le=1)
    """Lowest share of due scrapes, per host, as a guardrail; min_coverage is what a verdict needs."""
    scrape_duration: float | None = Field(default=None, gt=0)
    severities: dict[KpiName, Severity] = Field(default_factory=dict)
    """What breaking a limit does where that is not rollback."""

    def limit(self, kpi: KpiName) -> float | None:
        """The limit on a KPI, None where there is none. Critical retention is no number here: it is always on."""
        found: float | None = getattr(self, field_of(kpi), None)
        return found

    def severity(self, kpi: KpiName) -> Severity:
        """What breaking a KPI's limit does."""
        return self.severities.get(kpi, "rollback")

    def targets(self) -> dict[KpiName, float]:
        """The success criteria that are asked for: KPI to the reduction wanted."""
        wanted = {
            KpiName.SERIES: self.target,
            KpiName.POINTS: self.points_reduction,
            KpiName.BYTES: self.bytes_reduction,
            KpiName.COST: self.cost_reduction,
        }
        return {kpi: target for kpi, target in wanted.items() if target is not None}


class EvaluationPlan(Value):
    """Everything `evaluate` is told that is not a measurement."""

    scope: str
    """Uid of the experiment; counts of another scope are not evidence."""
    name: str
    hosts: tuple[str, ...] = Field(min_length=1)
    window_start_ns: int
    """When the warm-up ended, by the control plane's clock (Unix nanoseconds)."""
    deployed_ns: int | None = None
    """When the configuration under test was first offered, by the control plane's clock. With it a host clock that
    runs behind is noticed (scrapes/); pass the counts of the warm-up too, then."""
    limits: Limits
    critical: tuple[str, ...]
    """Ids of the critical patterns."""
    baseline: ArmUnderTest
    candidate: ArmUnderTest
    configs: tuple[ConfigProof, ...]
    mode: Mode = "shared"
    spec_hash: str = ""
    price_book: PriceBook | None = None
    source: Source = Source()
    """Where the arms' figures come from."""
    source_problem: str = ""
    """Why that cannot be read now; "" when it can."""
    arms: dict[str, Variant] = Field(default_factory=dict)
    """Host to the only arm that it runs; empty: every host runs both."""
    canary: Canary | None = None
    """Assignment and pre-period of a canary; None in the paired layout."""

    def streams(self, host: str) -> tuple[Variant, ...]:
        """What a complete scrape of this host consists of."""
        if self.mode == "dedicated":
            return (*STREAMS, Variant.CANDIDATE_RAW)
        return (Variant.RAW, self.arms[host]) if host in self.arms else STREAMS

    def deployed(self, host: str) -> int | None:
        """When the configuration under test was first offered to a host; that of a canary's candidate came later."""
        if self.canary and self.arms.get(host) is Variant.CANDIDATE:
            return self.canary.before.end_ns
        return self.deployed_ns

    def earlier(self) -> frozenset[str]:
        """Markers of the pre-period of a canary: its counts are from before the window, and in order."""
        before = self.canary.before.hosts if self.canary else ()
        return frozenset(marker for host in before for marker in host.markers)

    def markers(self, host: str, arm: Variant | None = None) -> frozenset[str]:
        """Markers that counts of this host may carry; arm: those of this arm's collector, where each has its own."""
        return frozenset(
            proof.marker for proof in self.configs if proof.host == host and (arm is None or proof.arm in (None, arm))
        )


def plan_for(
    spec: ExperimentSpec,
    *,
    scope: str,
    name: str,
    hosts: tuple[str, ...],
    window_start_ns: int,
    deployed_ns: int | None,
    configs: tuple[ConfigProof, ...],
    spec_hash: str,
    arm_hashes: tuple[str, str] = ("", ""),
    extended_s: float = 0.0,
    book: PriceBook | None = None,
    canary: Canary | None = None,
) -> EvaluationPlan:
    """The plan of an experiment. hosts: the targets as resolved at creation; arm_hashes: baseline, candidate;
    extended_s: seconds by which its deadline was moved since; book: the price book that it was created with; canary:
    its assignment and pre-period, in that layout.

    Raises InvalidInput for a price book that does not exist.
    """

    def arm(ref: PipelineRef, config_hash: str) -> ArmUnderTest:
        return ArmUnderTest(pipeline=ref.pipeline, parameters=ref.parameters, config_hash=config_hash)

    given, success = spec.guardrails.given(), spec.success
    return EvaluationPlan(
        scope=scope,
        name=name,
        hosts=hosts,
        window_start_ns=window_start_ns,
        deployed_ns=deployed_ns,
        limits=Limits(
            interval_s=spec.interval,
            min_minutes=spec.schedule.min_duration / 60,
            max_minutes=(spec.schedule.max_duration + extended_s) / 60,
            target=_share(success.series_reduction),
            points_reduction=_share(success.points_reduction),
            bytes_reduction=_share(success.bytes_reduction),
            cost_reduction=_share(success.cost_reduction),
            claim=spec.claim,
            **{field_of(kpi): limit_of(limit) for kpi, limit in given.items()},
            severities={kpi: limit.severity for kpi, limit in given.items() if limit.severity != "rollback"},
        ),
        critical=tuple(pattern.id for pattern in spec.critical),
        baseline=arm(spec.baseline, arm_hashes[0]),
        candidate=arm(spec.candidate, arm_hashes[1]),
        configs=configs,
        mode=spec.mode,
        spec_hash=spec_hash,
        source=spec.source,
        price_book=book or price_book(spec.price_book),
        arms=canary.assignment.arms if canary else {},
        canary=canary,
    )


def _share(criterion: AtLeast | None) -> float | None:
    return criterion.at_least if criterion else None
