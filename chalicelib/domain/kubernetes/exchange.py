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
MAX_EXCHANGE = 4 * 1024 * 1024
"""Bytes of either body of an exchange: a request of the control plane's API has no more, an answer on Lambda 6 MB."""
MAX_PROBLEMS, MAX_PROBLEM = 20, 500
USED_LABELS, MAX_LABEL_KEY = 32, 128
"""Labels of a node that a host can have, and the longest of their names."""
HOSTNAME_LABEL = "kubernetes.io/hostname"
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


class ClusterWords(Value):
    """What a cluster says at one moment, but for its nodes."""

    operator_version: str = Field(default="", max_length=64)
    kubernetes_version: str = Field(default="", max_length=64)
    collector_image: str = Field(default="", max_length=512)
    pipelines: tuple[PipelineSeen, ...] = Field(default=(), max_length=MAX_RESOURCES)
    loads: tuple[LoadSeen, ...] = Field(default=(), max_length=MAX_RESOURCES)
    problems: tuple[Annotated[str, Field(max_length=MAX_PROBLEM)], ...] = Field(default=(), max_length=MAX_PROBLEMS)
    """What it could not read, and therefore does not say."""
    incomplete: str = Field(default="", max_length=MAX_PROBLEM)
    """Why it could not say all there is; then nothing of it counts."""


class ClusterSeen(ClusterWords):
    """All that a cluster says at one moment."""

    nodes: tuple[NodeSeen, ...] = Field(default=(), max_length=MAX_NODES)


def used_labels(labels: Mapping[str, str]) -> dict[str, str]:
    """Those of a node's labels that its host may come to have, and the one that scheduling goes by."""
    used = sorted(key for key in labels if len(key) <= MAX_LABEL_KEY)[:USED_LABELS]
    return {key: labels[key] for key in (*used, HOSTNAME_LABEL) if key in labels}


def over_limits(nodes: int, pipelines: int, loads: int) -> str:
    """What a cluster has more of than one exchange takes, in a sentence; "" for nothing."""
    for count, most, what in (
        (nodes, MAX_NODES, "nodes"),
        (pipelines, MAX_RESOURCES, "PhoenixProcessPipelines of the control plane"),
        (loads, MAX_RESOURCES, "LoadSimulationJobs of the control plane"),
    ):
        if count > most:
            fix = "split it" if what == "nodes" else "run fewer experiments, deployments and loads there at once"
            return f"the cluster has {count} {what}, more than the {most} that Phoenix takes of one cluster: {fix}"
    return ""


def over_size(size: int, whose: str) -> str:
    """What is wrong with a body of `size` bytes, in a sentence; "" where it fits. whose: such as "its orders take"."""
    if size <= MAX_EXCHANGE:
        return ""
    return (
        f"{whose} {size} bytes, more than the {MAX_EXCHANGE} of one exchange: run fewer different configurations "
        "there at once, or register the cluster in push mode, which has no such limit"
    )


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
