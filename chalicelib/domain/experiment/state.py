"""What an experiment is at a moment: the record that is stored, stepped and shown. A value; `transitions` says what may
happen to it and `decide` what happens next."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import Field

from chalicelib.domain.canary.assignment import Assignment
from chalicelib.domain.canary.before import Canary, PrePeriod
from chalicelib.domain.cost.price_book import PriceBook
from chalicelib.domain.evaluation.result.summary import Progress
from chalicelib.domain.experiment.rollout import Rollout
from chalicelib.domain.experiment.spec import ExperimentSpec
from chalicelib.domain.model import Value


class State(StrEnum):
    """Where an experiment stands. The table in `transitions` is the single source of what leads where."""

    DRAFT = "draft"
    PENDING = "pending"
    DEPLOYING = "deploying"
    WARMING_UP = "warming_up"
    RUNNING = "running"
    PAUSED = "paused"
    DECIDING = "deciding"
    AWAITING_PROMOTION = "awaiting_promotion"
    PROMOTING = "promoting"
    COMPLETED = "completed"
    STOPPING = "stopping"
    STOPPED = "stopped"
    ROLLING_BACK = "rolling_back"
    ROLLED_BACK = "rolled_back"
    FAILED = "failed"


END_STATES = frozenset({State.COMPLETED, State.STOPPED, State.ROLLED_BACK, State.FAILED})


class Event(Value):
    """One transition, as people read it. Bounded: the audit trail has all of them."""

    at: float
    state: State
    cause: str
    detail: str = ""


class Outcome(Value):
    """The verdict in short; the whole evaluation is stored beside the experiment."""

    verdict: str
    reason: str
    explanation: str
    at: float
    evidence: str = ""
    """Digest of the evaluation that gave it; "" where none did."""


class Proof(Value):
    """A configuration read back from a running collector."""

    host: str
    content_hash: str
    marker: str
    confirmed_at: float


class Alarm(Value):
    """A guardrail that is broken and pauses or warns: a fact that lasts until its limit holds again."""

    kpi: str
    severity: Literal["pause", "warn"]
    since: float
    detail: str
    """What was measured when it began, and the limit."""


class Experiment(Value):
    """The record. Times are Unix seconds by the control plane's clock."""

    uid: str
    name: str
    labels: dict[str, str] = Field(default_factory=dict)
    spec: ExperimentSpec
    spec_hash: str
    price_book: PriceBook | None = None
    """As it was at creation; the spec has its name."""
    hosts: tuple[str, ...]
    """Targets, resolved at creation."""
    state: State = State.DRAFT
    created_at: float
    created_by: str
    managed_by: str = ""
    """What made it and alone may stop it by itself, such as a resource of a cluster (`managing`); "": API and CLI."""
    entered_at: float
    """When the present state began."""
    deployed_at: float | None = None
    """When the A/B configuration was first offered."""
    window_start: float | None = None
    """When the warm-up ended: evidence counts from here."""
    paused_seconds: float = 0.0
    """Time spent paused since window_start; the experiment's clock stood still."""
    extended_seconds: float = 0.0
    """Added to the schedule's maxDuration by operators; the spec stays as it was asked for."""
    ended_at: float | None = None
    configs: dict[str, str] = Field(default_factory=dict)
    """Host to content hash of the A/B configuration under test."""
    assignment: Assignment | None = None
    """Which host runs which arm, in a canary; drawn at creation."""
    before_configs: dict[str, str] = Field(default_factory=dict)
    """Host to content hash of what a canary runs in the pre-period: the baseline, everywhere."""
    before_since: float | None = None
    """When the pre-period of a canary began."""
    before: PrePeriod | None = None
    """What it measured; None until it is over."""
    arm_hashes: tuple[str, str] = ("", "")
    """Content hash of the baseline's and the candidate's own processors, for the evidence."""
    winner_configs: dict[str, str] = Field(default_factory=dict)
    """Host to content hash of what a promotion rolls out."""
    previous: dict[str, str] = Field(default_factory=dict)
    """Host to "scope content_hash" of what was assigned before; a host without one goes back to an idle collector."""
    deployment: str = ""
    """Name of the deployment that a promotion made."""
    rollout: Rollout | None = None
    """Stages that an operator chose when promoting; None: those of the spec."""
    stage: int = 0
    """Stage of the promotion, from 0."""
    stage_since: float | None = None
    """When the stage began; None: with the promotion."""
    stage_confirmed_at: float | None = None
    """When every host of the stage had proven the winner."""
    outcome: Outcome | None = None
    evaluated_at: float | None = None
    progress: Progress | None = None
    """The latest evaluation before the verdict, and that of the verdict, in short."""
    message: str = ""
    """One sentence: what is happening or why it ended."""
    promoted_by: str = ""
    proofs: tuple[Proof, ...] = ()
    """Read-back of the configuration that the end state promises."""
    events: tuple[Event, ...] = ()
    alarms: tuple[Alarm, ...] = ()
    """Guardrails that are broken and do not roll back."""

    @property
    def active(self) -> bool:
        """Whether the clock must step it."""
        return self.state not in END_STATES and self.state is not State.DRAFT

    @property
    def before_phase(self) -> bool:
        """Whether it is a canary whose hosts all run, or are to run, the baseline still."""
        return self.assignment is not None and self.before is None

    @property
    def configs_now(self) -> dict[str, str]:
        """Host to content hash of what it is to run while the experiment is deployed."""
        return self.before_configs if self.before_phase else self.configs

    @property
    def canary(self) -> Canary | None:
        """What the evaluation of a canary needs; None in the paired layout, and before the pre-period is over."""
        if self.assignment is None or self.before is None:
            return None
        return Canary(assignment=self.assignment, before=self.before)

    @property
    def rollout_plan(self) -> Rollout:
        """The stages that hold."""
        return self.rollout or self.spec.rollout

    @property
    def promoted_hosts(self) -> tuple[str, ...]:
        """Hosts that have the winner, or are to have it in this stage."""
        return self.rollout_plan.hosts(self.stage, self.hosts)

    @property
    def max_duration(self) -> float:
        """Seconds of its own clock after which the last evaluation is made."""
        return self.spec.schedule.max_duration + self.extended_seconds

    def elapsed(self, now: float) -> float:
        """Seconds of the experiment's own clock since the warm-up ended."""
        if self.window_start is None:
            return 0.0
        standing = now - self.entered_at if self.state is State.PAUSED else 0.0
        return max(0.0, now - self.window_start - self.paused_seconds - standing)
