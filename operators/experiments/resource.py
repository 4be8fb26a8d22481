"""The Experiment resource as its reconciler reads it. Whether its spec is right is for the control plane to say."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError

from chalicelib.domain.experiment.spec import ExperimentSpec
from chalicelib.domain.kubernetes.experiment_mirror import FINALIZER, KIND, PLURAL, ExperimentStatus
from chalicelib.domain.kubernetes.resource import ABANDON, ADOPT, API_VERSION
from operators.engine.objects import Key, Kind, Object, key_of

EXPERIMENT = Kind(API_VERSION, PLURAL, KIND)


@dataclass(frozen=True)
class Resource:
    """One Experiment of the cluster. manager: what the control plane knows it by. deleted_at: Unix seconds, None while
    nobody deletes it."""

    thing: Object
    key: Key
    manager: str
    generation: int
    deleted_at: float | None
    held: bool
    """Whether it has our finalizer."""
    adopt: bool
    abandon: bool
    status: ExperimentStatus

    @property
    def name(self) -> str:
        """Of the experiment in the control plane: the resource's own."""
        return self.key.name

    @property
    def manifest(self) -> dict[str, Any]:
        """The file that `phoenix experiment create -f` takes."""
        metadata: dict[str, Any] = {"name": self.name}
        if labels := self.thing["metadata"].get("labels"):
            metadata["labels"] = dict(labels)
        return {"apiVersion": API_VERSION, "kind": KIND, "metadata": metadata, "spec": self.thing.get("spec") or {}}

    @property
    def spec(self) -> ExperimentSpec | None:
        """The spec as this version knows it; None for one that it does not."""
        return spec_of(self.thing.get("spec") or {})

    def finalizers(self, *, hold: bool) -> tuple[str, ...]:
        """Its finalizers with ours, or without."""
        others = tuple(one for one in self.thing["metadata"].get("finalizers") or () if one != FINALIZER)
        return (*others, FINALIZER) if hold else others


def spec_of(document: Any) -> ExperimentSpec | None:
    """A spec, or None for what is none to this version."""
    try:
        return ExperimentSpec.model_validate(document)
    except ValidationError:
        return None


def read(thing: Object, cluster: str) -> Resource:
    """The resource of an object. cluster: name under which the control plane knows the cluster. A status that this
    version does not know counts for none: it is written anew."""
    metadata, key = thing["metadata"], key_of(thing)
    try:
        status = ExperimentStatus.model_validate(thing.get("status") or {})
    except ValidationError:
        status = ExperimentStatus()
    annotations = metadata.get("annotations") or {}
    deleted = metadata.get("deletionTimestamp")
    return Resource(
        thing=thing,
        key=key,
        manager=f"kubernetes:{cluster}/{key.namespace}/{key.name}/{metadata['uid']}",
        generation=int(metadata.get("generation", 0)),
        deleted_at=seconds(deleted) if deleted else None,
        held=FINALIZER in (metadata.get("finalizers") or ()),
        adopt=annotations.get(ADOPT) == "true",
        abandon=annotations.get(ABANDON) == "true",
        status=status,
    )


def seconds(text: str) -> float:
    """Unix seconds of an RFC 3339 time."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def rfc3339(at: float) -> str:
    """A time as Kubernetes writes it, in whole seconds."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
