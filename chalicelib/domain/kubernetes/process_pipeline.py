"""PhoenixProcessPipeline: one collector configuration on the nodes of a cluster, and how it stands there.

What is rendered of it, and how it is rolled out, is the business of `operators/`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from chalicelib.domain.critical import MAX_PATTERNS, CriticalPattern
from chalicelib.domain.experiment.spec import PipelineRef
from chalicelib.domain.kubernetes.resource import (
    Condition,
    KubeName,
    LabelKey,
    LabelValue,
    ResourceList,
    Resources,
    SecretKey,
    SecretRef,
    Toleration,
)
from chalicelib.domain.model import Value
from chalicelib.domain.units import Seconds

KIND = "PhoenixProcessPipeline"
PLURAL = "phoenixprocesspipelines"
SHORT_NAMES = ("ppp", "phxpipe")
MAX_NODES = 5000
"""Nodes of one resource."""
NODES_SHOWN = 1000
"""Nodes listed in a status, those that failed first and those that are ready last: an object holds 1.5 MB. The counts
are of all."""
MAX_QUARANTINE = 16
COLLECTOR_RESOURCES = Resources(
    requests=ResourceList(cpu="50m", memory="96Mi"), limits=ResourceList(cpu=None, memory="256Mi")
)


class SecretBackend(Value):
    """Where a variant's output goes: the address and everything secret about it are in Secrets."""

    protocol: Literal["otlp", "remoteWrite"] = "otlp"
    """OTLP over HTTP, or Prometheus remote write."""
    url: SecretKey
    """The key that holds the URL."""
    headers: dict[Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,64}$")], SecretKey] = Field(
        default_factory=dict, max_length=8
    )
    """Header name to the key that holds its value."""


class PipelineVariant(PipelineRef):
    """One pipeline of the catalog, and where its output goes (nowhere when `backend` is left out)."""

    name: Literal["deployed", "baseline", "candidate"] = "deployed"
    """deployed: alone. baseline and candidate: the two of a shared A/B."""
    backend: SecretBackend | None = None


class KpiTarget(Value):
    """Where the counts of the edge go: a Phoenix control plane."""

    secret_ref: SecretRef
    """Secret with the keys `endpoint` (URL of the control plane) and `token` (of this cluster)."""
    scope: str = Field(default="", max_length=128, pattern=r"^([A-Za-z0-9][A-Za-z0-9._:-]*)?$")
    """Whose measurements they are: uid of an experiment or scope of a deployment; "" is this resource's own."""


class RolloutPolicy(Value):
    """How a new configuration comes to the nodes. The old collector goes on until the new one is ready, always: a
    DaemonSet with maxUnavailable 0 and this maxSurge."""

    max_surge: Annotated[int, Field(ge=1, le=MAX_NODES)] | Annotated[str, Field(pattern=r"^(100|[1-9][0-9]?)%$")] = 1
    """Nodes that change at the same time: a number, or a share of all such as 10%."""
    min_ready_seconds: int = Field(default=10, ge=10, le=600)
    """How long a new collector must be ready before the old one goes; with less than ten a crash after the start is
    taken for success."""
    progress_deadline: Seconds = Field(default=300, ge=30, le=86_400)
    """Seconds ("5m" is understood) without progress after which the last good configuration is put back."""


class PhoenixProcessPipelineSpec(Value):
    """What shall run, and where. Exactly one of `variants` and `config` is given."""

    variants: tuple[PipelineVariant, ...] = Field(default=(), max_length=2)
    """One pipeline (deployed), or two for a shared A/B (baseline and candidate)."""
    config: dict[str, Any] | None = None
    """A whole collector configuration in place of variants. Secrets stay references such as ${env:BACKEND_TOKEN}."""
    interval: Seconds = Field(default=15, ge=1, le=3600)
    """Time between two scrapes ("15s" is understood). Not for `config`."""
    critical: tuple[CriticalPattern, ...] = Field(default=(), max_length=MAX_PATTERNS)
    """Processes that must be retained. Not for `config`."""
    kpi: KpiTarget | None = None
    """Where the counts go; without it nothing is counted."""
    environment: tuple[SecretRef, ...] = Field(default=(), max_length=8)
    """Secrets whose keys become environment variables of the collector."""
    node_selector: dict[LabelKey, LabelValue] = Field(default_factory=dict, max_length=32)
    """Labels that a node must have; empty: every node."""
    node_names: tuple[KubeName, ...] = Field(default=(), max_length=MAX_NODES)
    """Only these nodes (by their label kubernetes.io/hostname); empty: every node that nodeSelector takes."""
    tolerations: tuple[Toleration, ...] = Field(default=(), max_length=32)
    """Taints of nodes that keep the collector from none of them."""
    resources: Resources = COLLECTOR_RESOURCES
    """What each collector is given at least, and at most."""
    host_access: Literal["limited", "full"] = "limited"
    """limited: an unprivileged user with no capability, who sees every process with name, owner, command line, CPU and
    memory. full: root with SYS_PTRACE and DAC_READ_SEARCH, which executable paths and disk I/O of other users'
    processes need; such a collector can also read any process's environment."""
    image: str = Field(default="", max_length=512)
    """Collector image; "" is the operator's default."""
    rollout: RolloutPolicy = RolloutPolicy()
    revision: int = Field(default=0, ge=0)
    """A higher one lets a configuration that failed be tried once more."""

    @model_validator(mode="after")
    def _one_source(self) -> PhoenixProcessPipelineSpec:
        if bool(self.variants) == (self.config is not None):
            raise ValueError("give either variants or config")
        if self.config is not None and self.critical:
            raise ValueError("critical belongs to variants; a config of your own says it itself")
        names = [variant.name for variant in self.variants]
        if names and names != ["deployed"] and sorted(names) != ["baseline", "candidate"]:
            raise ValueError("variants: one named deployed, or two named baseline and candidate")
        ids = [pattern.id for pattern in self.critical]
        if len(set(ids)) != len(ids):
            raise ValueError("two critical patterns have the same id; give each its own id")
        return self


class NodeState(StrEnum):
    """How the wanted configuration stands on one node."""

    PENDING = "Pending"
    """No collector with it was seen yet."""
    UPDATING = "Updating"
    """Its collector is there and not yet ready for long enough."""
    READY = "Ready"
    """Its collector is ready and gave the configuration's hash back."""
    FAILED = "Failed"
    """Its collector failed, or cannot be started; `message` has why."""


class NodeStatus(Value):
    """One node. Text is from the node: data, bounded, never trusted."""

    node: str = Field(max_length=253)
    """Name of the node."""
    pod: str = Field(default="", max_length=253)
    """Its collector's pod; "" while there is none."""
    state: NodeState
    config_hash: str = Field(default="", max_length=64)
    """Of the configuration that the node's collector confirmed last; "" when none did."""
    started_at: float | None = None
    """Unix seconds at which that collector started."""
    message: str = Field(default="", max_length=2048)
    """The collector's own words, or what Kubernetes says about its pod."""


class QuarantinedConfig(Value):
    """A configuration that failed here and is not applied again before the spec or its revision changes."""

    config_hash: str = Field(max_length=64)
    """Of the configuration that failed."""
    error: str = Field(max_length=2048)
    """Why, in the collector's own words where it had any."""
    at: float
    """Unix seconds."""
    revision: int = Field(default=0, ge=0)
    """spec.revision at that time: a higher one tries it again."""
    form_hash: str = Field(default="", max_length=64)
    """Of configuration and pod together: the same configuration in another image, say, is another try."""


class PhoenixProcessPipelineStatus(Value):
    """How it stands. Conditions: Ready, Progressing, Degraded, ConfigValid."""

    observed_generation: int = Field(default=0, ge=0)
    """metadata.generation that this status is about."""
    conditions: tuple[Condition, ...] = Field(default=(), max_length=16)
    """Ready, Progressing, Degraded, ConfigValid."""
    pipeline: str = Field(default="", max_length=300)
    """How people call what the spec asks for: "process-topk-v1 k=20", or "own configuration"."""
    config_hash: str = Field(default="", max_length=64)
    """Of what the spec asks for (`exchange.config_hash`)."""
    applied_config_hash: str = Field(default="", max_length=64)
    """Of what is being rolled out, or is: differs from configHash after a roll back and while the spec is not valid."""
    active_config_hash: str = Field(default="", max_length=64)
    """Of what the collectors of all nodes gave back; "" while they differ, or some node did not."""
    last_good_config_hash: str = Field(default="", max_length=64)
    """Of the last one that was ready on all nodes: what a roll back goes to."""
    last_good_config_map: str = Field(default="", max_length=253)
    """The ConfigMap that holds it, and the form of the pods in which it was ready."""
    rollout_started_at: float | None = None
    """Unix seconds of the last progress of the rollout under way; None when none is."""
    desired_nodes: int = Field(default=0, ge=0)
    """Nodes that shall have it."""
    updated_nodes: int = Field(default=0, ge=0)
    """Nodes whose collector was started with what is applied."""
    ready_nodes: int = Field(default=0, ge=0)
    """Nodes whose collector is ready and confirmed it."""
    failed_nodes: int = Field(default=0, ge=0)
    """Nodes whose collector failed, or cannot be started."""
    nodes: tuple[NodeStatus, ...] = Field(default=(), max_length=NODES_SHOWN)
    """How it stands on each node, those that failed first; at most 1 000 are listed, the counts are of all."""
    quarantine: tuple[QuarantinedConfig, ...] = Field(default=(), max_length=MAX_QUARANTINE)
    """Newest last."""
