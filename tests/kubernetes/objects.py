"""Objects as a user writes them, for the live tests."""

from __future__ import annotations

import base64
from typing import Any

API = "phoenix.io/v1alpha1"


def pipeline(name: str, namespace: str = "default", **spec: Any) -> dict[str, Any]:
    """A PhoenixProcessPipeline; the catalog's baseline every 2 s unless the spec says otherwise."""
    if "config" not in spec:
        spec = {"variants": [{"pipeline": "process-baseline-v1"}], "interval": "2s", **spec}
    return {"apiVersion": API, "kind": "PhoenixProcessPipeline", "metadata": _named(name, namespace), "spec": spec}


def load(name: str, namespace: str = "default", *, of: dict[str, Any], **spec: Any) -> dict[str, Any]:
    """A LoadSimulationJob. of: the load itself."""
    return {
        "apiVersion": API,
        "kind": "LoadSimulationJob",
        "metadata": _named(name, namespace),
        "spec": {"load": of, **spec},
    }


def secret(name: str, namespace: str = "default", **values: str) -> dict[str, Any]:
    """A Secret with these keys."""
    data = {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": _named(name, namespace), "data": data}


def condition(thing: dict[str, Any] | None, kind: str) -> dict[str, Any]:
    """A condition of its status; {} while there is none."""
    found = ((thing or {}).get("status") or {}).get("conditions") or []
    return next((one for one in found if one["type"] == kind), {})


def status(thing: dict[str, Any] | None) -> dict[str, Any]:
    """Its status; {} while there is none."""
    return (thing or {}).get("status") or {}


def _named(name: str, namespace: str) -> dict[str, Any]:
    return {"name": name, "namespace": namespace}
