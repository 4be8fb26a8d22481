"""Experiment resources and experiments, with only what a test cares about spelt out."""

from __future__ import annotations

from typing import Any

from chalicelib.domain.experiment.state import State
from chalicelib.domain.kubernetes.experiment_mirror import FINALIZER, ExperimentStatus
from operators.experiments.resource import Resource, read, rfc3339
from operators.experiments.seen import Shown
from operators.experiments.status import dumped

NOW = 1_800_000_000.0
UID = "0b1c"
OURS = f"kubernetes:prod/web/lean/{UID}"
SPEC: dict[str, Any] = {
    "baseline": {"pipeline": "process-baseline-v1"},
    "candidate": {"pipeline": "process-topk-v1", "parameters": {"k": 20}},
    "targets": {"hosts": ["h1", "h2"]},
    "critical": [{"name": "^nginx$"}],
}


def resource(
    *,
    status: ExperimentStatus | None = None,
    held: bool = True,
    deleted_at: float | None = None,
    annotations: dict[str, str] | None = None,
    name: str = "lean",
    spec: dict[str, Any] | None = None,
    generation: int = 1,
) -> Resource:
    """A resource web/lean of the cluster prod."""
    metadata: dict[str, Any] = {
        "namespace": "web",
        "name": name,
        "uid": UID,
        "generation": generation,
        "labels": {"team": "platform"},
        "annotations": annotations or {},
        "finalizers": ["other.io/one", *([FINALIZER] if held else [])],
    }
    if deleted_at is not None:
        metadata["deletionTimestamp"] = rfc3339(deleted_at)
    thing = {"metadata": metadata, "spec": SPEC if spec is None else spec, "status": dumped(status) if status else {}}
    return read(thing, "prod")


def shown(state: State = State.RUNNING, **parts: Any) -> Shown:
    """An experiment of ours in this state."""
    given = {"uid": "E1", "name": "lean", "state": state, "managedBy": OURS, "spec": SPEC, "hosts": ["h1", "h2"]}
    return Shown.model_validate({**given, **parts})
