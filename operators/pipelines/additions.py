"""What the operator adds to every configuration: a way to ask the running collector which one it runs. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib.domain.errors import InvalidInput, Problem
from operators.pipelines.names import HASH_ATTRIBUTE, METRICS_PORT, POD_IP_VARIABLE

LEVEL = "basic"
"""Of the collector's own metrics, where a configuration asks for none: without any there is no answer."""


def with_additions(config: Mapping[str, Any], config_hash: str) -> dict[str, Any]:
    """The configuration with a Prometheus reader on the pod's address, whose target_info carries the hash.

    Raises InvalidInput naming the part of `service.telemetry` that has another shape than the collector's own.
    """
    out = dict(config)
    telemetry = _mapping(_mapping(out, "service", "/service"), "telemetry", "/service/telemetry")
    resource = _mapping(telemetry, "resource", "/service/telemetry/resource")
    if isinstance(resource.get("attributes"), list):
        resource["attributes"] = [*resource["attributes"], {"name": HASH_ATTRIBUTE, "value": config_hash}]
    else:
        resource[HASH_ATTRIBUTE] = config_hash
    metrics = _mapping(telemetry, "metrics", "/service/telemetry/metrics")
    if metrics.get("level", LEVEL) == "none":
        metrics["level"] = LEVEL
    readers = metrics.get("readers") or []
    if not isinstance(readers, list):
        raise _odd("/service/telemetry/metrics/readers", "a list")
    metrics["readers"] = [*readers, _reader()]
    return out


def _reader() -> dict[str, Any]:
    exporter = {"host": f"${{env:{POD_IP_VARIABLE}}}", "port": METRICS_PORT}
    return {"pull": {"exporter": {"prometheus": exporter}}}


def _mapping(parent: dict[str, Any], name: str, pointer: str) -> dict[str, Any]:
    """The mapping under a name, a copy of its own that may be changed."""
    found = parent.get(name)
    if found is not None and not isinstance(found, dict):
        raise _odd(pointer, "a mapping")
    parent[name] = dict(found or {})
    made: dict[str, Any] = parent[name]
    return made


def _odd(pointer: str, shape: str) -> InvalidInput:
    place = f"/spec/config{pointer}"
    return InvalidInput(f"{place} is not {shape}", problems=(Problem(place, f"not {shape}", f"write {shape}"),))
