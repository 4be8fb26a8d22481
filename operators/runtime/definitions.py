"""Putting the custom resource definitions of this release into a cluster: before an upgrade, by the chart's hook, as
Helm itself never changes those that are there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from chalicelib.domain.errors import Unavailable
from chalicelib.domain.kubernetes.crd.definitions import definitions
from operators.engine.cluster import Cluster
from operators.engine.objects import Kind, Object, key_of

DEFINITION = Kind("apiextensions.k8s.io/v1", "customresourcedefinitions", "CustomResourceDefinition", namespaced=False)
LOOKS = 60
"""One a second: an API server serves a definition within a few."""

Sleep = Callable[[float], Awaitable[None]]


async def apply_definitions(cluster: Cluster, sleep: Sleep) -> list[str]:
    """Apply every definition and wait until it is served. Their names. Raises what Cluster raises, and Unavailable when
    one is not served in time, with the API server's own words."""
    names = []
    for document in definitions().values():
        await cluster.apply(DEFINITION, document)
        names.append(await _served(cluster, document, sleep))
    return names


async def _served(cluster: Cluster, document: dict[str, Any], sleep: Sleep) -> str:
    key = key_of(document)
    why = "it is gone again"
    for _ in range(LOOKS):
        found = await cluster.get(DEFINITION, key)
        why = _lack(found) if found is not None else "it is gone again"
        if not why:
            return key.name
        await sleep(1.0)
    raise Unavailable(f"the definition {key.name} is not served: {why}", hint=f"kubectl describe crd {key.name}")


def _lack(found: Object) -> str:
    """Why it is not served yet; "" when it is."""
    conditions = {one["type"]: one for one in found.get("status", {}).get("conditions", ())}
    for kind in ("NamesAccepted", "Established"):
        one = conditions.get(kind, {})
        if one.get("status") != "True":
            return str(one.get("message") or f"no condition {kind} yet")[:300]
    return ""
