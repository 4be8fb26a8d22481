"""What is known of one host's supervisor and wanted from it: one frozen value a host, stored as JSON. No decisions."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from chalicelib.domain.fleet.report import Description, Health, Line, Marker, Message, RemoteStatus
from chalicelib.domain.model import Value

MAX_QUARANTINE = 16
MAX_PREVIOUS = 8
"""Like MAX_ATTRIBUTES chosen so that the largest state a hostile host can cause fits one stored item (400 kB)."""


class Purpose(StrEnum):
    """Why a configuration is wanted."""

    DEPLOY = "deploy"
    EXPERIMENT = "experiment"
    ROLLBACK = "rollback"
    """A confirmed configuration again, after another one failed."""
    IDLE = "idle"
    """Nothing is left that is known to work, or nothing is wanted."""


class Assignment(Value):
    """One configuration wanted on one host. A new assignment always has a higher revision, hence another marker."""

    scope: str = Field(max_length=128)
    """Uid of the experiment or deployment that wants it."""
    content_hash: str = Field(max_length=128)
    """Hash of the configuration before it is stamped; its body is stored under it."""
    revision: int = Field(ge=1)
    marker: Marker
    purpose: Purpose
    assigned_at: float
    """Unix seconds; so are all times here."""
    offered_at: float | None = None
    deadline: float | None = None
    """When an offered configuration must be confirmed."""
    confirmed_at: float | None = None
    failed_at: float | None = None
    """Set when it failed and nothing replaces it; it is offered no more."""
    attempt: int = Field(default=1, ge=1)
    """Which try of the same content in one roll back."""
    replaces: str = ""
    """Scope whose failure led to this roll back."""
    start_before_ns: int = 0
    """Start of the collector that ran when it was offered: the confirmation must come from another one."""
    crash: Message = ""
    """Latest crash reported while it was being applied."""
    crashes: int = 0
    collector_error: Message = ""
    """The collector's own words about this configuration, from the host agent."""

    @property
    def open(self) -> bool:
        """Neither confirmed nor given up."""
        return self.confirmed_at is None and self.failed_at is None


class Failure(Value):
    """A configuration that failed on this host. Its content is not offered again unless forced."""

    scope: str
    content_hash: str
    marker: Marker
    error: Message
    """The best text known: the collector's own rather than the supervisor's exit code."""
    at: float


class EffectiveRef(Value):
    """The configuration that the running collector reported last; its masked body is stored apart."""

    marker: Marker = ""
    unreadable: Line = ""
    at: float


class AgentState(Value):
    """Everything about one host's supervisor. `AgentState()` is a host that never connected."""

    instance_uid: str | None = None
    sequence: int | None = None
    digest: str = ""
    """Of the last message taken."""
    full_state_asks: int = 0
    """How often in a row a full state was asked for; 0: the state is complete."""
    capabilities: int = 0
    description: Description | None = None
    health: Health | None = None
    remote: RemoteStatus | None = None
    effective: EffectiveRef | None = None
    last_seen: float | None = None
    through: str = ""
    """The cluster that speaks for it: it was heard of whenever its cluster was. "" for one that speaks for itself."""
    connected: bool = False
    """False before the first message and after a good-bye."""
    revision: int = 0
    """Highest revision ever assigned."""
    desired: Assignment | None = None
    confirmed: Assignment | None = None
    """The last one proven by marker and health."""
    previous: tuple[Assignment, ...] = ()
    """Confirmed before that, newest first, one for each scope and content."""
    quarantine: tuple[Failure, ...] = ()
    """Newest last."""
    last_failure: Failure | None = None

    @property
    def version(self) -> str:
        """Version of the collector, "" when unknown."""
        return self.description.version if self.description else ""

    @property
    def healthy(self) -> bool:
        """Whether the collector was said to be well."""
        return bool(self.health and self.health.healthy)


class FleetPolicy(Value):
    """Times in seconds, and how stubborn to be."""

    idle_heartbeat: int = Field(default=30, ge=1)
    busy_heartbeat: int = Field(default=1, ge=1)
    """Poll interval while something is pending or an experiment runs; one second is the protocol's least."""
    confirm_within: float = 30.0
    """From offer to confirmation. Longer than the supervisor's config_apply_timeout (15 s), whose stop of the old
    collector alone can take 10 s."""
    probation: float = 30.0
    """After a confirmation, a failure reported for the same configuration still counts as its failure."""
    silence: float = 10.0
    """A host that was silent this long while something was pending gets its full time again."""
    away_after: float = 90.0
    rollback_attempts: int = Field(default=2, ge=1)
    """Tries of one confirmed content before the one before it is tried."""
    crash_loop: int = Field(default=2, ge=1)
    """Different crashes while applying that count as a failure when the supervisor does not say FAILED."""


class EventKind(StrEnum):
    CONNECTED = "connected"
    OFFERED = "offered"
    CONFIRMED = "confirmed"
    FAILED = "failed"
    ROLLED_BACK = "rolled_back"
    DRIFTED = "drifted"
    """The supervisor no longer has the confirmed configuration; it is offered again."""
    UNHEALTHY = "unhealthy"
    RECOVERED = "recovered"


class Event(Value):
    """Something worth recording that happened with one message."""

    kind: EventKind
    scope: str = ""
    """Experiment or deployment concerned; for ROLLED_BACK the one that failed."""
    marker: Marker = ""
    content_hash: str = ""
    text: Message = ""
