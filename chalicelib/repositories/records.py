"""Every kind of record that services keep, in one place: its partition, its key, its index and its end."""

from __future__ import annotations

import zlib
from typing import Any

from pydantic import Field

from chalicelib.domain.access import Token
from chalicelib.domain.cluster.cluster import Cluster, ClusterMode, ClusterView
from chalicelib.domain.cost.budget import Budget
from chalicelib.domain.cost.stored import OwnPriceBook
from chalicelib.domain.deployment import Deployment
from chalicelib.domain.evaluation.evaluation import Evaluation
from chalicelib.domain.experiment.state import Experiment
from chalicelib.domain.fleet.state import AgentState
from chalicelib.domain.host import Enrolment, Host
from chalicelib.domain.loadsim import LoadSim
from chalicelib.domain.model import Value
from chalicelib.domain.notification.delivery import KEPT_S, Delivery
from chalicelib.domain.notification.event import Notification
from chalicelib.domain.notification.facts import Fact
from chalicelib.domain.notification.gate import Asked
from chalicelib.domain.notification.webhook import Webhook
from chalicelib.domain.pipeline.own import OwnContent, OwnPipeline, OwnVersion, version_key
from chalicelib.domain.prediction.prediction import Predictions
from chalicelib.ports.items import ItemStore
from chalicelib.repositories.audit import AuditTrail
from chalicelib.repositories.documents import Documents
from chalicelib.repositories.measurements import Measurements
from chalicelib.repositories.packed_documents import PackedDocuments
from chalicelib.repositories.parted_documents import EACH, PartedDocuments
from chalicelib.repositories.usage import UsageHours

SHARDS = 16
LOADSIM_REMEMBERED = 7 * 86400
"""Seconds after its own end for which a load is still listed."""
LONG_IN_EXPERIMENT = (
    ("hosts",),
    ("spec", "targets", "hosts"),
    ("configs",),
    ("winnerConfigs",),
    ("previous",),
    ("proofs",),
    ("assignment", "hosts"),
    ("beforeConfigs",),
    ("before", "hosts"),
)
"""What grows with the hosts of an experiment."""
EVERYWHERE = "-"
"""Tenant of what must be found before a tenant is known: token digests, agent instances."""


class AgentRecord(Value):
    """One host's supervisor."""

    host: str
    state: AgentState = AgentState()


class AgentBinding(Value):
    """Which host an OpAMP instance uid belongs to: the first token that used it."""

    instance_uid: str
    tenant: str
    host: str


class ConfigBody(Value):
    """A rendered collector configuration, unstamped, under its content hash."""

    content_hash: str
    config: dict[str, Any]


class EffectiveConfig(Value):
    """What a host's collector said it runs, secrets masked."""

    host: str
    marker: str
    config: dict[str, Any]
    omitted: str = ""
    """Why `config` is not kept, "" when it is."""
    at: float


class Claim(Value):
    """A host held by an experiment, or belonging to a deployment."""

    host: str
    holder: str
    """Name of the experiment or deployment."""
    uid: str = ""
    """Uid of the experiment (a deployment has none: its name is enough)."""
    since: float


class KeptKey(Value):
    """A random key of the control plane's own, where the settings give none."""

    name: str = "webhooks"
    key: str


class CostWatch(Value):
    """That a tenant's hours are to be added up, and when next."""

    name: str = "hours"
    next_at: float = 0.0


class StoredEvaluation(Value):
    """The latest evaluation of an experiment."""

    uid: str
    at: float
    evaluation: Evaluation = Field()


class Records:
    """The repositories, on one store."""

    def __init__(self, store: ItemStore) -> None:
        self.store = store
        self.audit = AuditTrail(store)
        self.measurements = Measurements(store)
        self.tokens = Documents(store, "TOKEN", Token, lambda v: v.id)
        self.token_digests = Documents(store, "TOKENDIGEST", Token, lambda v: v.digest)
        self.enrolments = Documents(
            store, "ENROLMENT", Enrolment, lambda v: v.digest, expires=lambda v: int(v.expires_at)
        )
        self.hosts = Documents(store, "HOST", Host, lambda v: v.name)
        self.clusters = Documents(
            store,
            "CLUSTER",
            Cluster,
            lambda v: v.name,
            active=_shard_of(lambda v: v.name, lambda v: v.mode is ClusterMode.PUSH),
        )
        self.cluster_views = PackedDocuments(store, "CLUSTERVIEW", ClusterView, lambda v: v.cluster)
        self.agents = Documents(store, "AGENT", AgentRecord, lambda v: v.host)
        self.agent_bindings = Documents(store, "AGENTBINDING", AgentBinding, lambda v: v.instance_uid)
        self.effective_configs = Documents(store, "EFFECTIVE", EffectiveConfig, lambda v: v.host)
        self.configs = Documents(store, "CONFIG", ConfigBody, lambda v: v.content_hash)
        self.experiment_claims = Documents(store, "CLAIM#EXPERIMENT", Claim, lambda v: v.host)
        self.deployment_claims = Documents(store, "CLAIM#DEPLOYMENT", Claim, lambda v: v.host)
        self.experiments = PartedDocuments(
            store,
            "EXPERIMENT",
            Experiment,
            lambda v: v.name,
            long=LONG_IN_EXPERIMENT,
            active=_shard_of(lambda v: v.name, lambda v: v.active),
        )
        self.evaluations = PackedDocuments(store, "EVALUATION", StoredEvaluation, lambda v: v.uid)
        self.deployments = PartedDocuments(
            store,
            "DEPLOYMENT",
            Deployment,
            lambda v: v.name,
            long=(("hosts",), ("versions", EACH, "configs")),
            active=_shard_of(lambda v: v.name, lambda v: not v.settled),
        )
        self.pipelines = Documents(store, "PIPELINE", OwnPipeline, lambda v: v.name)
        self.pipeline_versions = Documents(
            store, "PIPELINEVERSION", OwnVersion, lambda v: version_key(v.pipeline, v.number)
        )
        self.pipeline_contents = Documents(
            store, "PIPELINECONTENT", OwnContent, lambda v: version_key(v.pipeline, v.number)
        )
        self.price_books = Documents(store, "PRICE-BOOK", OwnPriceBook, lambda v: v.book.name)
        self.usage = UsageHours(store)
        self.budgets = Documents(
            store, "BUDGET", Budget, lambda v: v.spec.name, active=_shard_of(lambda v: v.spec.name, lambda v: True)
        )
        self.cost_watches = Documents(
            store, "COSTWATCH", CostWatch, lambda v: v.name, active=_shard_of(lambda v: v.name, lambda v: True)
        )
        self.keys = Documents(store, "KEY", KeptKey, lambda v: v.name)
        self.facts = Documents(store, "FACT", Fact, lambda v: v.subject)
        self.webhooks = Documents(
            store,
            "WEBHOOK",
            Webhook,
            lambda v: v.spec.name,
            active=_shard_of(lambda v: v.spec.name, lambda v: v.watches_hosts),
        )
        self.notifications = Documents(
            store,
            "NOTIFICATION",
            Notification,
            lambda v: v.id,
            active=_shard_of(lambda v: v.id, lambda v: not v.spread),
            expires=lambda v: int(v.at) + KEPT_S,
        )
        self.gates = Documents(store, "GATE", Asked, lambda v: v.key, expires=lambda v: int(v.asked_at) + 2 * KEPT_S)
        self.deliveries = Documents(
            store,
            "DELIVERY",
            Delivery,
            lambda v: f"{v.webhook}#{v.id}",
            active=_shard_of(lambda v: v.id, lambda v: v.pending),
            expires=lambda v: int(v.created_at) + 2 * KEPT_S,
        )
        self.predictions = Documents(
            store, "PREDICTION", Predictions, lambda v: v.pair, expires=lambda v: int(v.expires_at)
        )
        self.loadsims = Documents(
            store,
            "LOADSIM",
            LoadSim,
            lambda v: f"{v.host}#{v.name}",
            expires=lambda v: int(v.created_at + v.spec.duration_s) + LOADSIM_REMEMBERED,
        )


def shards() -> list[str]:
    """The shards of the stepping index."""
    return [f"A#{number}" for number in range(SHARDS)]


def _shard_of(name: Any, active: Any) -> Any:
    def shard(tenant: str, value: Any) -> str | None:
        number = zlib.crc32(f"{tenant}#{name(value)}".encode()) % SHARDS
        return f"A#{number}" if active(value) else None

    return shard
