"""Whether the operators answer: a pipeline that no node takes is written, they must say how it stands, and it goes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from chalicelib.domain.errors import Unavailable
from chalicelib.domain.kubernetes import process_pipeline
from chalicelib.domain.kubernetes.resource import API_VERSION, GROUP
from operators.engine.cluster import Cluster
from operators.engine.objects import Key, Kind, Object

NAME = "phoenix-check"
LOOKS = 90
"""One a second."""
PIPELINE = Kind(API_VERSION, process_pipeline.PLURAL, process_pipeline.KIND)


async def answered(cluster: Cluster, namespace: str, sleep: Callable[[float], Awaitable[None]]) -> str:
    """What the operators said, in one line. Raises what Cluster raises, and Unavailable when they said nothing."""
    key = Key(namespace, NAME)
    await cluster.delete(PIPELINE, key)
    try:
        made = await cluster.apply(PIPELINE, _document(namespace))
        for _ in range(LOOKS):
            said = _said(await cluster.get(PIPELINE, key), made)
            if said:
                return said
            await sleep(1.0)
    finally:
        await cluster.delete(PIPELINE, key)
    raise Unavailable(
        f"no operator said how {namespace}/{NAME} stands within {LOOKS} s",
        hint="is this namespace watched, and an operator ready? kubectl get pods -A -l app.kubernetes.io/name=phoenix",
    )


def _document(namespace: str) -> Object:
    return {
        "apiVersion": PIPELINE.api_version,
        "kind": PIPELINE.kind,
        "metadata": {"name": NAME, "namespace": namespace},
        "spec": {"variants": [{"pipeline": "process-baseline-v1"}], "nodeSelector": {f"{GROUP}/check": "no-node"}},
    }


def _said(found: Object | None, made: Object) -> str:
    if found is None or found["metadata"].get("uid") != made["metadata"].get("uid"):
        raise Unavailable(f"{NAME} was deleted by somebody else")
    status = found.get("status", {})
    if status.get("observedGeneration", 0) < found["metadata"].get("generation", 1):
        return ""
    conditions = [f"{one['type']} {one['status']} ({one['reason']})" for one in status.get("conditions", ())]
    return f"the operators answer: {', '.join(conditions) or 'no condition yet'}"
