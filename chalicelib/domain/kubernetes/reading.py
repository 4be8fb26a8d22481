"""Objects of the Kubernetes API as what a cluster says of them, for both carriers. Strings from a cluster: data."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from pydantic import ValidationError

from chalicelib.domain.kubernetes.exchange import LoadSeen, NodeSeen, PipelineSeen, used_labels
from chalicelib.domain.kubernetes.load_job import LoadSimulationJobStatus
from chalicelib.domain.kubernetes.process_pipeline import PhoenixProcessPipelineSpec, PhoenixProcessPipelineStatus

_QUANTITY = re.compile(r"([0-9]+(?:\.[0-9]+)?)([a-zA-Z]*)")
_UNITS: dict[str, Decimal] = {"": Decimal(1), "m": Decimal("0.001")}
_UNITS |= {unit: Decimal(1000) ** (power + 1) for power, unit in enumerate("kMGT")}
_UNITS |= {unit: Decimal(1024) ** (power + 1) for power, unit in enumerate(("Ki", "Mi", "Gi", "Ti"))}


def quantity(text: Any) -> Decimal:
    """A Kubernetes quantity ("4", "3920m", "16Gi"); 0 for one that cannot be read."""
    found = _QUANTITY.fullmatch(str(text or ""))
    if not found or found[2] not in _UNITS:
        return Decimal(0)
    try:
        return Decimal(found[1]) * _UNITS[found[2]]
    except InvalidOperation:
        return Decimal(0)


def node_seen(item: Mapping[str, Any]) -> NodeSeen:
    """A core/v1 Node. Raises ValidationError."""
    metadata, status = item.get("metadata") or {}, item.get("status") or {}
    capacity = status.get("capacity") or {}
    ready = any(one.get("type") == "Ready" and one.get("status") == "True" for one in status.get("conditions") or ())
    return NodeSeen(
        name=metadata.get("name", ""),
        labels=used_labels(metadata.get("labels") or {}),
        ready=ready,
        cpu_count=int(quantity(capacity.get("cpu"))),
        memory_bytes=int(quantity(capacity.get("memory"))),
        boot_id=str((status.get("nodeInfo") or {}).get("bootID", ""))[:64],
    )


def pipeline_seen(item: Mapping[str, Any]) -> PipelineSeen:
    """A PhoenixProcessPipeline. A status that cannot be read says nothing; a spec that cannot is one that asks for
    nothing of ours, so that it is put right. Raises ValidationError."""
    try:
        status = PhoenixProcessPipelineStatus.model_validate(item.get("status") or {})
    except ValidationError:
        status = PhoenixProcessPipelineStatus()
    try:
        spec = PhoenixProcessPipelineSpec.model_validate(item.get("spec") or {})
    except ValidationError:
        spec = PhoenixProcessPipelineSpec(config={})
    return PipelineSeen.model_validate({**_head(item), "spec": spec, "status": status})


def load_seen(item: Mapping[str, Any]) -> LoadSeen:
    """A LoadSimulationJob. Raises ValidationError."""
    try:
        status = LoadSimulationJobStatus.model_validate(item["status"]) if item.get("status") else None
    except ValidationError:
        status = None
    return LoadSeen.model_validate({**_head(item), "spec": item.get("spec") or {}, "status": status})


def _head(item: Mapping[str, Any]) -> dict[str, Any]:
    metadata = item.get("metadata") or {}
    return {
        "name": metadata.get("name", ""),
        "generation": metadata.get("generation", 0),
        "deleting": bool(metadata.get("deletionTimestamp")),
    }
