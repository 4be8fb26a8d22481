"""Nodes, resources and orders, with only what a test cares about spelt out."""

from __future__ import annotations

from typing import Any

from chalicelib.domain.kubernetes.exchange import ClusterOrders
from chalicelib.domain.kubernetes.resource import API_VERSION, labels_of
from operators.agent.orders import LOAD, PIPELINE
from operators.engine.objects import NODE, Kind

CLUSTER, NAMESPACE = "prod", "phoenix"
CONFIG: dict[str, Any] = {"receivers": {"nop": {}}}
CAPACITY = {"cpu": "4", "memory": "16Gi"}


def node(
    name: str = "n1", *, ready: bool = True, beat: str = "a", labels: dict[str, str] | None = None
) -> dict[str, Any]:
    """A core/v1 Node. beat: time of its last heartbeat."""
    condition = {"type": "Ready", "status": "True" if ready else "False", "lastHeartbeatTime": beat}
    status = {"capacity": CAPACITY, "conditions": [condition], "nodeInfo": {"bootID": "b"}}
    return _thing(NODE, name, "", labels or {}, status=status)


def pipeline(
    name: str = "p1",
    *,
    ours: bool | str = True,
    namespace: str = NAMESPACE,
    config: dict[str, Any] | None = None,
    **status: Any,
) -> dict[str, Any]:
    """A PhoenixProcessPipeline. ours: or the other registration that it was made for."""
    labels = labels_of(CLUSTER if ours is True else ours) if ours else {}
    return _thing(PIPELINE, name, namespace, labels, spec={"config": config or CONFIG}, status=status)


def load(name: str = "l1", *, ours: bool | str = True, **status: Any) -> dict[str, Any]:
    """A LoadSimulationJob."""
    labels = labels_of(CLUSTER if ours is True else ours) if ours else {}
    return _thing(LOAD, name, NAMESPACE, labels, spec=load_spec(), status=status)


def load_spec() -> dict[str, Any]:
    """A sound load."""
    return {"load": {"profile": "realistic", "durationS": 60}}


def _thing(kind: Kind, name: str, namespace: str, labels: dict[str, str], **parts: Any) -> dict[str, Any]:
    metadata = {"name": name, "labels": labels, "uid": f"uid-{name}", "resourceVersion": "1", "generation": 1}
    if namespace:
        metadata["namespace"] = namespace
    return {"apiVersion": kind.api_version or API_VERSION, "kind": kind.kind, "metadata": metadata, **parts}


def orders(*pipelines: str, loads: tuple[str, ...] = (), again: int = 30, config: Any = None) -> ClusterOrders:
    """Orders for these names."""
    return ClusterOrders.model_validate(
        {
            "pipelines": [{"name": name, "spec": {"config": config or CONFIG}} for name in pipelines],
            "loads": [{"name": name, "spec": load_spec()} for name in loads],
            "againSeconds": again,
        }
    )
