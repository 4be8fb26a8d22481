"""What a cluster is to do about the control plane's orders: which resources are applied, which deleted. Pure.

Only what has the control plane's label is ever touched; a name that somebody else's resource has is left to it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from chalicelib.domain.errors import Unavailable
from chalicelib.domain.kubernetes import load_job, process_pipeline
from chalicelib.domain.kubernetes.exchange import ClusterOrders, LoadSeen, LoadWanted, PipelineSeen, PipelineWanted
from chalicelib.domain.kubernetes.resource import API_VERSION, labels_of
from chalicelib.domain.kubernetes.writing import spec_body
from operators.engine.objects import Key, Kind

PIPELINE = Kind(API_VERSION, process_pipeline.PLURAL, process_pipeline.KIND)
LOAD = Kind(API_VERSION, load_job.PLURAL, load_job.KIND)
_EVERY_FIELD = frozenset(ClusterOrders.model_fields)


@dataclass(frozen=True)
class Held:
    """One resource of the cluster. ours: it has the labels of the control plane and of this registration."""

    seen: PipelineSeen | LoadSeen
    uid: str
    ours: bool


@dataclass(frozen=True)
class Apply:
    """Server-side apply of this body."""

    kind: Kind
    body: dict[str, Any]


@dataclass(frozen=True)
class Delete:
    """Delete this very object."""

    kind: Kind
    key: Key
    uid: str


@dataclass(frozen=True)
class Taken:
    """Not done: the name belongs to a resource that the control plane did not make."""

    kind: Kind
    key: Key


Action = Apply | Delete | Taken


def orders_in(answer: Any) -> ClusterOrders:
    """The orders that an answer is. Raises Unavailable for anything but whole orders: an empty answer of a wrong
    server, which would have everything deleted, or a field that this version does not know, which may change the rest.
    """
    try:
        orders = ClusterOrders.model_validate(answer)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = "/" + "/".join(str(part) for part in first["loc"])
        raise Unavailable(f"the answer is refused whole: {where[:200]}: {first['msg'][:200]}") from error
    if missing := sorted(_EVERY_FIELD - orders.model_fields_set):
        raise Unavailable(f"the answer is refused whole: it does not say {', '.join(missing)}")
    for wanted in (orders.pipelines, orders.loads):
        if len({one.name for one in wanted}) < len(wanted):
            raise Unavailable("the answer is refused whole: it names a resource twice")
    return orders


def decide(orders: ClusterOrders, there: Mapping[tuple[Kind, Key], Held], cluster: str, namespace: str) -> list[Action]:
    """What to do, new things first: what is deleted may be what they replace. there: all resources of the namespace.
    cluster: the name under which it is registered."""
    return [
        *_wanted(PIPELINE, orders.pipelines, there, cluster, namespace),
        *_wanted(LOAD, orders.loads, there, cluster, namespace),
        *_unwanted(PIPELINE, {one.name for one in orders.pipelines}, there),
        *_unwanted(LOAD, {one.name for one in orders.loads}, there),
    ]


def _wanted(
    kind: Kind,
    wanted: tuple[PipelineWanted, ...] | tuple[LoadWanted, ...],
    there: Mapping[tuple[Kind, Key], Held],
    cluster: str,
    namespace: str,
) -> Iterator[Action]:
    for one in wanted:
        key = Key(namespace, one.name)
        held = there.get((kind, key))
        if held is not None and not held.ours:
            yield Taken(kind, key)
        elif held is None or (held.seen.spec != one.spec and not held.seen.deleting):
            yield Apply(kind, _body(kind, key, one, cluster))


def _unwanted(kind: Kind, wanted: set[str], there: Mapping[tuple[Kind, Key], Held]) -> Iterator[Action]:
    for (one, key), held in sorted(there.items(), key=lambda item: item[0][1]):
        if one == kind and held.ours and key.name not in wanted and not held.seen.deleting:
            yield Delete(kind, key, held.uid)


def _body(kind: Kind, key: Key, one: PipelineWanted | LoadWanted, cluster: str) -> dict[str, Any]:
    return {
        "apiVersion": kind.api_version,
        "kind": kind.kind,
        "metadata": {"name": key.name, "namespace": key.namespace, "labels": labels_of(cluster)},
        "spec": spec_body(one.spec),
    }
