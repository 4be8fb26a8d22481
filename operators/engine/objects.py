"""How the engine names things: kinds of objects, keys of objects, objects as they come from the API. No behaviour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"

Object = Mapping[str, Any]
"""One object as JSON, without `metadata.managedFields`. Never changed in place."""


@dataclass(frozen=True)
class Kind:
    """A kind of object. api_version: "apps/v1"; plural: "daemonsets"."""

    api_version: str
    plural: str
    kind: str
    namespaced: bool = True


@dataclass(frozen=True, order=True)
class Key:
    """One object of a kind."""

    namespace: str
    name: str


def key_of(thing: Object) -> Key:
    """The key of an object."""
    return Key(thing["metadata"].get("namespace", ""), thing["metadata"]["name"])


def version_of(thing: Object) -> int:
    """The resourceVersion as a number: a later one of the same kind is larger (Kubernetes KEP-5504; etcd's revision
    ever since). -1 for an object without one."""
    text = thing["metadata"].get("resourceVersion", "")
    return int(text) if text.isdecimal() else -1


def slim(thing: Object) -> dict[str, Any]:
    """The object without what nobody here reads: managedFields are up to half of it."""
    metadata = {key: value for key, value in thing["metadata"].items() if key != "managedFields"}
    annotations = metadata.get("annotations")
    if annotations and _LAST_APPLIED in annotations:
        metadata["annotations"] = {key: value for key, value in annotations.items() if key != _LAST_APPLIED}
    return {**thing, "metadata": metadata}


CONFIG_MAP = Kind("v1", "configmaps", "ConfigMap")
POD = Kind("v1", "pods", "Pod")
NODE = Kind("v1", "nodes", "Node", namespaced=False)
SECRET = Kind("v1", "secrets", "Secret")
DAEMON_SET = Kind("apps/v1", "daemonsets", "DaemonSet")
JOB = Kind("batch/v1", "jobs", "Job")
LEASE = Kind("coordination.k8s.io/v1", "leases", "Lease")
