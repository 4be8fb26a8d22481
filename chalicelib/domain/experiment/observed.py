"""What a step sees of the world before it decides, and what it may ask for afterwards. Values only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from chalicelib.domain.canary.before import PrePeriod
from chalicelib.domain.evaluation.evaluation import Evaluation
from chalicelib.domain.experiment.gate import GateView
from chalicelib.domain.experiment.rollout import Watched
from chalicelib.domain.experiment.state import Proof
from chalicelib.domain.load import LoadStatus


@dataclass(frozen=True)
class HostView:
    """One host's collector as it reports itself.

    desired, active: content hash that is wanted, and that the running collector has proven ("" for none).
    errors: content hash to the collector's own error text, for configurations that failed here. away_since: Unix
    second of the last report, when that is too long ago. gone: its collector does not run, or it is away,
    or never came.
    """

    desired: str = ""
    active: str = ""
    marker: str = ""
    confirmed_at: float = 0.0
    errors: Mapping[str, str] = field(default_factory=dict)
    away_since: float | None = None
    gone: bool = False

    def proof(self, host: str) -> Proof:
        """The read-back as evidence."""
        return Proof(host=host, content_hash=self.active, marker=self.marker, confirmed_at=self.confirmed_at)


@dataclass(frozen=True)
class Observed:
    """hosts: by name, and second agents by theirs. load: by host, None where no load was asked for yet. evaluation:
    made for this step, if due. restored: by host, the content hash that "previous" means there. deployment_active:
    whether the promoted version is the current one of its deployment. watched: what hosts that already run the winner
    have shown, by name."""

    hosts: Mapping[str, HostView]
    load: Mapping[str, LoadStatus | None]
    restored: Mapping[str, str]
    evaluation: Evaluation | None = None
    watched: Mapping[str, Watched] = field(default_factory=dict)
    deployment_active: bool = False
    gate: GateView = field(default_factory=GateView)
    """What webhooks that hold promotions say."""
    before: PrePeriod | None = None
    """What a canary's pre-period has measured up to now, when it is due."""


@dataclass(frozen=True)
class Assign:
    """Offer the A/B configuration (`winner` False) or the promoted one to a host."""

    host: str
    content_hash: str
    winner: bool = False


@dataclass(frozen=True)
class Restore:
    """Offer a host what it had before the experiment, or an idle configuration."""

    host: str
    content_hash: str


@dataclass(frozen=True)
class Dismiss:
    """Want nothing more of a second collector: it ends with the configuration that asked for it."""

    agent: str


@dataclass(frozen=True)
class StartLoad:
    """Ask the experiment's load of a host."""

    host: str


@dataclass(frozen=True)
class StopLoad:
    """Stop the experiment's load on a host."""

    host: str


@dataclass(frozen=True)
class PreparePromotion:
    """Render the winner alone and record it as a version that is not current yet."""


@dataclass(frozen=True)
class ActivateDeployment:
    """Make the promoted version the current one of its deployment."""


Effect = Assign | Restore | Dismiss | StartLoad | StopLoad | PreparePromotion | ActivateDeployment
