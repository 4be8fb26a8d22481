"""A cluster behind the port ClusterApi, with an operator that does what it is told by the test.

Orders are kept as objects with generations; the operator looks at them in `work`, one step each: taken up, then ready
or refused. What a collector refuses, which nodes are down and whether the cluster answers at all is the test's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from chalicelib.domain.cluster.cluster import Cluster, Credentials
from chalicelib.domain.errors import Conflict, NotAllowed, NotFound, Unavailable
from chalicelib.domain.kubernetes.exchange import (
    ClusterOrders,
    ClusterSeen,
    LoadSeen,
    NodeSeen,
    PipelineSeen,
    PipelineWanted,
    config_hash,
)
from chalicelib.domain.kubernetes.load_job import LoadSimulationJobStatus
from chalicelib.domain.kubernetes.process_pipeline import (
    NODES_SHOWN,
    NodeState,
    NodeStatus,
    PhoenixProcessPipelineStatus,
    QuarantinedConfig,
)
from chalicelib.domain.load import LoadPhase
from chalicelib.ports.clusters import Right

RIGHTS = (
    Right("list", "nodes", namespaced=False, allowed=True),
    Right("list", "phoenixprocesspipelines", "phoenix.io", allowed=True),
    Right("patch", "phoenixprocesspipelines", "phoenix.io", allowed=True),
    Right("delete", "phoenixprocesspipelines", "phoenix.io", allowed=True),
)
VERSION = "v1.34.2"


def node(name: str, ready: bool = True, **labels: str) -> NodeSeen:
    """A node with two CPUs."""
    found = {"kubernetes.io/hostname": name, **labels}
    return NodeSeen(name=name, labels=found, ready=ready, cpu_count=2, memory_bytes=4 * 2**30, boot_id="b")


@dataclass
class FakeCluster:
    """Implements ClusterApi. now: Unix seconds."""

    now: Callable[[], float]
    nodes: list[NodeSeen] = field(default_factory=lambda: [node("node-1")])
    pipelines: dict[str, PipelineSeen] = field(default_factory=dict)
    loads: dict[str, LoadSeen] = field(default_factory=dict)
    refuses: Callable[[Mapping[str, Any]], str] = lambda config: ""
    """The collector's own words about a configuration that it does not start with."""
    away: str = ""
    """Why the cluster does not answer, "" while it does."""
    operator: bool = True
    """Whether it works."""
    missing: str = ""
    """A right that is not there."""
    credentials: Credentials | None = None
    """Those that it knows; None: any."""
    given: Credentials | None = None
    looks: int = 0
    history: list[dict[str, tuple[str, ...]]] = field(default_factory=list)
    """Of each carrying out: resource to the nodes it names."""
    runs: dict[str, str] = field(default_factory=dict)
    """Node to the hash that its collector gave back last."""
    started: dict[str, float] = field(default_factory=dict)

    def version(self) -> str:
        self._reach()
        return VERSION

    def review(self) -> tuple[Right, ...]:
        self._reach()
        if self.missing == "crd":
            raise NotFound("the cluster does not know phoenix.io/v1alpha1")
        return tuple(replace(right, allowed=right.what != self.missing) for right in RIGHTS)

    def look(self) -> ClusterSeen:
        self._reach()
        self.looks += 1
        return self.seen()

    def seen(self) -> ClusterSeen:
        """All that it says now."""
        return ClusterSeen(
            kubernetes_version=VERSION,
            operator_version="0.1.0",
            collector_image="phoenix/collector:0.155.0",
            nodes=tuple(self.nodes),
            pipelines=tuple(self.pipelines.values()),
            loads=tuple(self.loads.values()),
        )

    def carry_out(self, seen: ClusterSeen, orders: ClusterOrders) -> None:
        self._reach()
        for one in orders.pipelines:
            before = self.pipelines.get(one.name)
            if before is None or before.spec != one.spec:
                self.pipelines[one.name] = _changed(before, one)
        for load in orders.loads:
            known = self.loads.get(load.name)
            if known is None or known.spec != load.spec:
                generation = known.generation + 1 if known else 1
                status = known.status if known else None
                self.loads[load.name] = LoadSeen(name=load.name, generation=generation, spec=load.spec, status=status)
        self.pipelines = {one.name: self.pipelines[one.name] for one in orders.pipelines}
        self.loads = {one.name: self.loads[one.name] for one in orders.loads}
        self.history.append({one.name: one.spec.node_names for one in orders.pipelines})

    def work(self) -> None:
        """One step of the operator: what is new is taken up, what was taken up is ready or failed."""
        if not self.operator:
            return
        for name, one in self.pipelines.items():
            self.pipelines[name] = self._taken(one) if self._new(one) else self._settled(one)
        for name, load in self.loads.items():
            phase = LoadPhase.STOPPED if load.spec.stopped else LoadPhase.RUNNING
            running = 0 if load.spec.stopped else load.spec.load.count
            status = LoadSimulationJobStatus(
                observed_generation=load.generation, phase=phase, asked=load.spec.load.count, running=running
            )
            self.loads[name] = load.model_copy(update={"status": status})

    def _new(self, one: PipelineSeen) -> bool:
        return one.status.observed_generation < one.generation

    def _taken(self, one: PipelineSeen) -> PipelineSeen:
        asked = config_hash(one.spec.config or {})
        status = one.status.model_copy(
            update={
                "observed_generation": one.generation,
                "config_hash": asked,
                "applied_config_hash": asked,
                **_counted(tuple(self._node(n, asked, NodeState.UPDATING) for n in one.spec.node_names)),
            }
        )
        return one.model_copy(update={"status": status})

    def _settled(self, one: PipelineSeen) -> PipelineSeen:
        asked = one.status.config_hash
        words = self.refuses(one.spec.config or {})
        up = {node.name for node in self.nodes if node.ready}
        if words and any(self.runs.get(n) != asked for n in one.spec.node_names):
            failed = tuple(self._node(n, asked, NodeState.FAILED, words) for n in one.spec.node_names)
            bad = QuarantinedConfig(config_hash=asked, error=words, at=self.now(), revision=one.spec.revision)
            update = {**_counted(failed), "quarantine": (bad,)}
            return one.model_copy(update={"status": one.status.model_copy(update=update)})
        for name in one.spec.node_names:
            if name in up and self.runs.get(name) != asked:
                self.runs[name], self.started[name] = asked, self.now()
        nodes = tuple(
            self._node(n, asked, NodeState.READY if n in up else NodeState.PENDING) for n in one.spec.node_names
        )
        same = all(self.runs.get(n) == asked for n in one.spec.node_names)
        update = {**_counted(nodes), "active_config_hash": asked if same else ""}
        return one.model_copy(update={"status": one.status.model_copy(update=update)})

    def _node(self, name: str, asked: str, state: NodeState, message: str = "") -> NodeStatus:
        return NodeStatus(
            node=name,
            state=state,
            config_hash=self.runs.get(name, ""),
            started_at=self.started.get(name),
            message=message,
        )

    def _reach(self) -> None:
        if self.away:
            raise Unavailable(self.away)
        if self.credentials is not None and self.given != self.credentials:
            raise NotAllowed("the cluster does not know these credentials")


def _counted(nodes: tuple[NodeStatus, ...]) -> dict[str, Any]:
    """As the operator says it: a thousand at most, those that failed first and those that are ready last."""
    order = {NodeState.FAILED: 0, NodeState.PENDING: 1, NodeState.UPDATING: 1, NodeState.READY: 2}
    listed = sorted(nodes, key=lambda node: (order[node.state], node.node))
    return {
        "nodes": tuple(listed[:NODES_SHOWN]),
        "desired_nodes": len(nodes),
        "ready_nodes": sum(node.state is NodeState.READY for node in nodes),
        "failed_nodes": sum(node.state is NodeState.FAILED for node in nodes),
    }


def _changed(before: PipelineSeen | None, wanted: PipelineWanted) -> PipelineSeen:
    if before is None:
        return PipelineSeen(name=wanted.name, generation=1, spec=wanted.spec, status=PhoenixProcessPipelineStatus())
    return before.model_copy(update={"generation": before.generation + 1, "spec": wanted.spec})


class FakeApis:
    """Implements ClusterApis: clusters by name."""

    def __init__(self) -> None:
        self.clusters: dict[str, FakeCluster] = {}

    def of(self, cluster: Cluster, credentials: Credentials | None) -> FakeCluster:
        if cluster.name not in self.clusters:
            raise Conflict(f"no fake cluster named {cluster.name}")
        found = self.clusters[cluster.name]
        found.given = credentials
        return found
