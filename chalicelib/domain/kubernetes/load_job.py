"""LoadSimulationJob: simulated load on nodes of a cluster, and how it stands. The request itself is `domain.load`."""

from __future__ import annotations

from pydantic import Field

from chalicelib.domain.kubernetes.resource import (
    Condition,
    KubeName,
    LabelKey,
    LabelValue,
    ResourceList,
    Resources,
    Toleration,
)
from chalicelib.domain.load import LoadPhase, LoadSpec, LoadStatus
from chalicelib.domain.model import Value

KIND = "LoadSimulationJob"
PLURAL = "loadsimulationjobs"
SHORT_NAMES = ("lsj", "loadsim")
MAX_LOAD_NODES = 100
"""Nodes of one load: one pod on each."""
LOAD_RESOURCES = Resources(
    requests=ResourceList(cpu="100m", memory="128Mi"), limits=ResourceList(cpu="1", memory="1Gi")
)

LOAD_PORT = 8790
"""Port of a load's pod on which it says how it stands: GET /status (a LoadStatus), GET /healthz."""
LOAD_ENDS_S = 15.0
"""Seconds that a load's pod is given to end in order, once it was asked to."""
LOAD_STARTS_S = 120.0
"""Seconds beside the load's own duration after which Kubernetes ends it: to be scheduled, to start, to end."""
MAX_LAST_WORDS = 4096
"""Bytes of the last LoadStatus that a load's pod leaves in its termination message: the kubelet keeps no more."""


class LoadSimulationJobSpec(Value):
    """What shall be simulated, and on which nodes. It ends by itself after `load.durationS`, whatever happens."""

    load: LoadSpec
    """Profile, its parameters and the duration."""
    node_names: tuple[KubeName, ...] = Field(default=(), max_length=MAX_LOAD_NODES)
    """A pod on each of these nodes. Empty: one pod, on any node that nodeSelector takes."""
    node_selector: dict[LabelKey, LabelValue] = Field(default_factory=dict, max_length=32)
    """Labels that the node must have when nodeNames is empty."""
    tolerations: tuple[Toleration, ...] = Field(default=(), max_length=32)
    """Taints of nodes that keep the load from none of them."""
    resources: Resources = LOAD_RESOURCES
    """At most so much for the whole population of one node; a load of 1 000 processes needs about 1Gi."""
    image: str = Field(default="", max_length=512)
    """"" is the operator's own image."""
    stopped: bool = False
    """true ends it and keeps the resource with its last status."""


class NodeLoad(Value):
    """The load of one node, as its pod says."""

    node: str = Field(default="", max_length=253)
    """Name of the node; "" before the pod has one."""
    pod: str = Field(default="", max_length=253)
    """Name of the pod."""
    status: LoadStatus
    reported_at: float | None = None
    """Unix seconds at which the pod was last heard; None before."""


class LoadSimulationJobStatus(Value):
    """How it stands: sums over its nodes. Conditions: Ready (all of it runs), Complete, Failed."""

    observed_generation: int = Field(default=0, ge=0)
    """metadata.generation that this status is about."""
    conditions: tuple[Condition, ...] = Field(default=(), max_length=16)
    """Ready, Complete, Failed."""
    phase: LoadPhase = LoadPhase.STARTING
    asked: int = Field(default=0, ge=0)
    """Processes asked for now, on all nodes."""
    running: int = Field(default=0, ge=0)
    """Processes alive now."""
    spawned: int = Field(default=0, ge=0)
    """Processes started since it began, restarts included."""
    restarts: int = Field(default=0, ge=0)
    """Processes that took the place of one that was ended on purpose."""
    started_at: float | None = None
    """Unix seconds."""
    ended_at: float | None = None
    """Unix seconds."""
    ends_by: float | None = None
    """Unix seconds at which Kubernetes ends it, whoever forgot it."""
    reason: str = Field(default="", max_length=500)
    """Why it ended, or what is wrong; "" while all is well."""
    nodes: tuple[NodeLoad, ...] = Field(default=(), max_length=MAX_LOAD_NODES)
    """The load of each node."""
