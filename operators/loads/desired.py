"""What a LoadSimulationJob wants of Kubernetes: one Job on each of its nodes, or one anywhere. Pure.

A Job is made once and never changed. Three things end its load though everybody forgot it: the load's own duration, the
pod's activeDeadlineSeconds (the kubelet's, also while the API server is away), the Job's (the controller manager's).
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from chalicelib.domain.kubernetes.load_job import (
    KIND,
    LOAD_ENDS_S,
    LOAD_PORT,
    LOAD_STARTS_S,
    PLURAL,
    LoadSimulationJobSpec,
)
from chalicelib.domain.kubernetes.resource import API_VERSION, GROUP, MANAGED_BY, OPERATOR, Toleration
from operators.engine.objects import Kind

LOAD = Kind(API_VERSION, PLURAL, KIND)
OWNER_LABEL = f"{GROUP}/load"
"""On Jobs and pods: the name of the LoadSimulationJob."""
NODE_ANNOTATION = f"{GROUP}/node"
"""The node a Job is for; a name may be longer than a label's value."""
CONTAINER = "load"
MARK = "PHOENIX_LOADSIM"
"""loadsim's mark in the environment of all its processes (loadsim.processes.marker.VARIABLE)."""
_USER = 65534
_LONGEST_START = 40
_DIGITS = 12


@dataclass(frozen=True)
class Owner:
    """The LoadSimulationJob that Jobs are made for."""

    namespace: str
    name: str
    uid: str


@dataclass(frozen=True)
class LoadPods:
    """What the operator's settings say of load pods. image: where a resource names none."""

    image: str
    pull_policy: str = "IfNotPresent"


def targets(spec: LoadSimulationJobSpec) -> tuple[str, ...]:
    """The nodes that get a pod each; ("",) is one pod on any node."""
    return tuple(dict.fromkeys(spec.node_names)) or ("",)


def job_name(owner: Owner, node: str) -> str:
    """Readable, a DNS label, and never that of another resource: not even of one before it with the same name."""
    digits = hashlib.sha256(f"{owner.uid}/{node}".encode()).hexdigest()[:_DIGITS]
    return f"{owner.name[:_LONGEST_START].replace('.', '-').rstrip('-')}-{digits}"


def seconds(spec: LoadSimulationJobSpec) -> int:
    """After which Kubernetes ends it, from the Job's or the pod's start."""
    return math.ceil(spec.load.duration_s + LOAD_STARTS_S)


def job(owner: Owner, spec: LoadSimulationJobSpec, node: str, pods: LoadPods) -> dict[str, Any]:
    """The Job for one node ("" any), for server-side apply."""
    name = job_name(owner, node)
    labels = {MANAGED_BY: OPERATOR, "app.kubernetes.io/name": "phoenix-load", OWNER_LABEL: owner.name}
    annotations = {NODE_ANNOTATION: node} if node else {}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": name,
            "namespace": owner.namespace,
            "labels": labels,
            "annotations": annotations,
            "ownerReferences": [
                {"apiVersion": API_VERSION, "kind": KIND, "name": owner.name, "uid": owner.uid, "controller": True}
            ],
        },
        "spec": {
            "backoffLimit": 0,
            "completions": 1,
            "parallelism": 1,
            "activeDeadlineSeconds": seconds(spec),
            "template": {
                "metadata": {"labels": labels, "annotations": annotations},
                "spec": _pod(spec, node, pods, f"job-{owner.uid}-{name[-_DIGITS:]}"),
            },
        },
    }


def _pod(spec: LoadSimulationJobSpec, node: str, pods: LoadPods, run_id: str) -> dict[str, Any]:
    pod: dict[str, Any] = {
        "restartPolicy": "Never",
        "activeDeadlineSeconds": seconds(spec),
        "terminationGracePeriodSeconds": math.ceil(LOAD_ENDS_S),
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": _USER,
            "runAsGroup": _USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_container(spec, pods, run_id)],
    }
    if node:
        pod["affinity"] = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": _only(node)}}
    if spec.node_selector:
        pod["nodeSelector"] = dict(spec.node_selector)
    if spec.tolerations:
        pod["tolerations"] = _tolerations(spec.tolerations)
    return pod


def _only(node: str) -> dict[str, Any]:
    """By the node's name, as DaemonSets do it: the label kubernetes.io/hostname may say something else. Not nodeName,
    for the scheduler shall still count what the pod asks for."""
    return {"nodeSelectorTerms": [{"matchFields": [{"key": "metadata.name", "operator": "In", "values": [node]}]}]}


def _container(spec: LoadSimulationJobSpec, pods: LoadPods, run_id: str) -> dict[str, Any]:
    return {
        "name": CONTAINER,
        "image": spec.image or pods.image,
        "imagePullPolicy": pods.pull_policy,
        "command": ["python", "-m", "loadsim", "job"],
        "args": ["--spec", spec.load.model_dump_json(by_alias=True), "--port", str(LOAD_PORT)],
        "env": [{"name": MARK, "value": run_id}, {"name": "PYTHONDONTWRITEBYTECODE", "value": "1"}],
        "ports": [{"name": "status", "containerPort": LOAD_PORT, "protocol": "TCP"}],
        "resources": spec.resources.model_dump(exclude_none=True),
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        # The watchdog: a load that has been silent for a minute and a half is ended.
        "livenessProbe": {
            "httpGet": {"path": "/healthz", "port": LOAD_PORT},
            "initialDelaySeconds": 30,
            "periodSeconds": 10,
            "timeoutSeconds": 5,
            "failureThreshold": 6,
        },
        "terminationMessagePolicy": "File",
    }


def _tolerations(tolerations: Sequence[Toleration]) -> list[dict[str, Any]]:
    dumped = (one.model_dump(by_alias=True, exclude_none=True) for one in tolerations)
    return [{name: value for name, value in one.items() if value != ""} for one in dumped]
