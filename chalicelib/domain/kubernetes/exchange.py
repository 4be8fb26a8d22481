"""What passes between a cluster and the control plane, whoever carries it: the control plane itself (push), or the
operator in the cluster (pull). A cluster says all it sees and is told all it shall have; both are level-triggered.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from chalicelib.domain.experiment.spec import NAME
from chalicelib.domain.kubernetes.load_job import LoadSimulationJobSpec, LoadSimulationJobStatus
from chalicelib.domain.kubernetes.process_pipeline import (
    MAX_NODES,
    PhoenixProcessPipelineSpec,
    PhoenixProcessPipelineStatus,
)
from chalicelib.domain.kubernetes.resource import KubeName, LabelKey, LabelValue
from chalicelib.domain.model import Value

HOST_VARIABLE = "PHOENIX_HOST"
"""Environment variable of a node's collector that holds the node's name. A configuration for many nodes says it in
place of a host's name; the control plane knows the host by the cluster's token and the node (`host_of_node`)."""
MAX_RESOURCES = 1000
_LONGEST = 63
_DIGITS = 8


def config_hash(config: Mapping[str, Any]) -> str:
    """SHA-256 (hex) of a whole configuration as canonical JSON, stamps included: what one collector is started with."""
    canonical = json.dumps(config, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def host_of_node(cluster: str, node: str) -> str:
    """The host in the control plane that a node is: `<cluster>-<node>` where that is a DNS label, else its beginning
    and eight digits of a hash, so that different nodes are never one host."""
    plain = f"{cluster}-{node}"
    if len(plain) <= _LONGEST and re.fullmatch(NAME, plain):
        return plain
    digits = hashlib.sha256(f"{cluster}/{node}".encode()).hexdigest()[:_DIGITS]
    readable = re.sub(r"[^a-z0-9-]+", "-", plain.lower())[: _LONGEST - _DIGITS - 1].strip("-")
    return f"{readable}-{digits}"


class NodeSeen(Value):
    """A node of the cluster."""

    name: KubeName
    labels: dict[LabelKey, LabelValue] = Field(default_factory=dict)
    ready: bool = True
    cpu_count: int = Field(default=0, ge=0)
    memory_bytes: int = Field(default=0, ge=0)
    boot_id: str = Field(default="", max_length=64)


class PipelineSeen(Value):
    """A PhoenixProcessPipeline that the control plane made."""

    name: KubeName
    generation: int = Field(ge=0)
    spec: PhoenixProcessPipelineSpec
    status: PhoenixProcessPipelineStatus = PhoenixProcessPipelineStatus()
    deleting: bool = False


class LoadSeen(Value):
    """A LoadSimulationJob that the control plane made."""

    name: KubeName
    generation: int = Field(ge=0)
    spec: LoadSimulationJobSpec
    status: LoadSimulationJobStatus | None = None
    deleting: bool = False


class ClusterSeen(Value):
    """All that a cluster says at one moment."""

    operator_version: str = Field(default="", max_length=64)
    kubernetes_version: str = Field(default="", max_length=64)
    collector_image: str = Field(default="", max_length=512)
    nodes: tuple[NodeSeen, ...] = Field(default=(), max_length=MAX_NODES)
    pipelines: tuple[PipelineSeen, ...] = Field(default=(), max_length=MAX_RESOURCES)
    loads: tuple[LoadSeen, ...] = Field(default=(), max_length=MAX_RESOURCES)


class PipelineWanted(Value):
    """A PhoenixProcessPipeline that the cluster shall have."""

    name: Annotated[str, Field(pattern=NAME)]
    spec: PhoenixProcessPipelineSpec


class LoadWanted(Value):
    """A LoadSimulationJob that the cluster shall have."""

    name: Annotated[str, Field(pattern=NAME)]
    spec: LoadSimulationJobSpec


class ClusterOrders(Value):
    """All that a cluster shall have of the control plane: what is not named, and has its label, is to be deleted."""

    pipelines: tuple[PipelineWanted, ...] = ()
    loads: tuple[LoadWanted, ...] = ()
    again_seconds: int = Field(default=30, ge=1, le=3600)
    """When to come back: soon while something is pending."""
