"""What the custom resources share: group, names, conditions, references to Secrets. Nothing about one kind alone.

Conditions follow the Kubernetes API conventions (sig-architecture/api-conventions.md, "Typical status properties").
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, model_validator

from chalicelib.domain.model import Value

GROUP = "phoenix.io"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"
FIELD_MANAGER = "phoenix"
"""Of what the control plane applies."""
OPERATOR_FIELD_MANAGER = "phoenix-operator"
"""Of what the operators apply, and of statuses."""
MANAGED_BY = "app.kubernetes.io/managed-by"
CONTROL_PLANE = "phoenix-control-plane"
"""Value of the label MANAGED_BY on custom resources that the control plane made: it alone deletes them again."""
REGISTRATION = f"{GROUP}/cluster"
"""Label of what the control plane made: the name under which the cluster is registered. A cluster that is registered
twice (by two addresses, or in both modes) has two sets of resources, and neither deletes the other's."""
OPERATOR = "phoenix-operator"
"""Value of the label MANAGED_BY on what the operators made."""
ADOPT = f"{GROUP}/adopt"
"""Annotation of an Experiment: "true" lets it take over one of the same name that was made another way."""
ABANDON = f"{GROUP}/abandon"
"""Annotation of an Experiment that is being deleted: "true" lets it go though the control plane cannot be told."""
MAX_MESSAGE = 1024

KubeName = Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$", max_length=253)]
"""DNS subdomain: names of Secrets, nodes, pods."""
SecretKeyName = Annotated[str, Field(pattern=r"^[-._a-zA-Z0-9]{1,253}$")]
LabelValue = Annotated[str, Field(max_length=63, pattern=r"^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$")]
LabelKey = Annotated[str, Field(max_length=317, pattern=r"^([a-z0-9.-]+/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$")]
Quantity = Annotated[str, Field(pattern=r"^[0-9]+(\.[0-9]+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$", max_length=32)]
"""Kubernetes quantity, such as 500m or 256Mi."""


def labels_of(cluster: str) -> dict[str, str]:
    """Labels of what the control plane makes in a cluster that is registered as `cluster`."""
    return {MANAGED_BY: CONTROL_PLANE, REGISTRATION: cluster}


def selector_of(cluster: str) -> str:
    """The label selector that finds them."""
    return ",".join(f"{key}={value}" for key, value in labels_of(cluster).items())


class SecretRef(Value):
    """A Secret in the namespace of the resource."""

    name: KubeName
    """Name of the Secret."""


class SecretKey(SecretRef):
    """One key of a Secret in the namespace of the resource."""

    key: SecretKeyName
    """Key in the Secret's data."""


class ResourceList(Value):
    """CPU and memory."""

    cpu: Quantity | None = None
    """Cores, such as 500m or 2."""
    memory: Quantity | None = None
    """Bytes, such as 256Mi."""


class Resources(Value):
    """What a container is given at least, and at most."""

    requests: ResourceList = ResourceList()
    """What the scheduler sets aside on the node."""
    limits: ResourceList = ResourceList()
    """What the kernel allows at most; more memory ends the container, more CPU slows it down."""


class Toleration(Value):
    """A toleration of the pods (core/v1 Toleration)."""

    key: str = Field(default="", max_length=317)
    """Key of the taint; "" with operator Exists is every taint."""
    operator: Literal["Exists", "Equal"] = "Equal"
    """Exists: whatever the taint's value is. Equal: only with this value."""
    value: str = Field(default="", max_length=63)
    """Value of the taint."""
    effect: Literal["", "NoSchedule", "PreferNoSchedule", "NoExecute"] = ""
    """Effect of the taint; "" is every effect."""
    toleration_seconds: int | None = Field(default=None, ge=0)
    """Only with effect NoExecute: how long a pod stays on a node that got the taint."""

    @model_validator(mode="after")
    def _as_kubernetes_takes_it(self) -> Toleration:
        if self.operator == "Exists" and self.value:
            raise ValueError("a toleration with operator Exists takes any value: leave value out")
        if self.operator == "Equal" and not self.key:
            raise ValueError("a toleration without key needs operator: Exists")
        if self.toleration_seconds is not None and self.effect != "NoExecute":
            raise ValueError("tolerationSeconds belongs to effect NoExecute: write it, or leave tolerationSeconds out")
        return self


class ConditionStatus(StrEnum):
    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


class Condition(Value):
    """One condition (meta/v1 Condition)."""

    type: str = Field(max_length=316)
    """What it is about, such as Ready."""
    status: ConditionStatus
    """True, False, or Unknown: not known yet."""
    observed_generation: int = Field(default=0, ge=0)
    """metadata.generation that it is about."""
    last_transition_time: str
    """RFC 3339, in whole seconds; kept while the status stays the same."""
    reason: str = Field(pattern=r"^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$", max_length=1024)
    """One word in CamelCase, for programs."""
    message: str = Field(default="", max_length=MAX_MESSAGE)
    """A sentence, for people."""


def with_condition(old: Sequence[Condition], new: Condition) -> tuple[Condition, ...]:
    """The conditions with one put in the place of the old one of its type. The time of transition is kept while the
    status is the same: otherwise every look would be a change."""
    before = next((one for one in old if one.type == new.type), None)
    if before is not None and before.status == new.status:
        new = new.model_copy(update={"last_transition_time": before.last_transition_time})
    kept = [new if one.type == new.type else one for one in old]
    return tuple(kept if before is not None else [*kept, new])


def condition(conditions: Sequence[Condition], kind: str) -> Condition | None:
    """The condition of a type, or None."""
    return next((one for one in conditions if one.type == kind), None)
