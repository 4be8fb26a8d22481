"""What the agent knows of its cluster, kept up to date object by object: a node's heartbeat is no news. No I/O."""

from __future__ import annotations

from pydantic import ValidationError

from chalicelib.domain.kubernetes.exchange import (
    MAX_PROBLEMS,
    ClusterSeen,
    LoadSeen,
    NodeSeen,
    PipelineSeen,
    over_limits,
)
from chalicelib.domain.kubernetes.reading import load_seen, node_seen, pipeline_seen
from chalicelib.domain.kubernetes.resource import labels_of
from operators.agent.orders import LOAD, PIPELINE, Held
from operators.engine.caches import Caches
from operators.engine.objects import NODE, Key, Kind, Object
from operators.engine.reconciler import Watched

WATCHED = (Watched(NODE), Watched(PIPELINE), Watched(LOAD))
"""The resources without a selector: they are watched so by their own controllers, and one watch serves both."""


class View:
    """cluster: the name under which it is registered. namespace: where the control plane's resources live."""

    def __init__(self, caches: Caches, cluster: str, namespace: str) -> None:
        self._caches, self._labels, self._namespace = caches, labels_of(cluster), namespace
        self._nodes: dict[Key, NodeSeen] = {}
        self.held: dict[tuple[Kind, Key], Held] = {}
        self.unreadable: set[tuple[Kind, Key]] = set()
        """Objects that this version cannot read: named as problems, and never deleted."""

    def fill(self) -> None:
        """Read everything there is."""
        for kind in (NODE, PIPELINE, LOAD):
            for key in self._caches.keys(kind):
                self._take(kind, key)

    def changed(self, key: Key) -> bool:
        """Take what became of the objects of this name. Returns whether the control plane is to know."""
        if not key.namespace:
            return self._take(NODE, key)
        found = [self._take(kind, key) for kind in (PIPELINE, LOAD)]
        return any(found)

    def seen(self, *, operator_version: str, kubernetes_version: str, collector_image: str) -> ClusterSeen:
        """All of it, in order of name; or, where it is more than an exchange takes, that it is."""
        ours = [(kind, held.seen) for (kind, _), held in sorted(self.held.items(), key=_by_key) if held.ours]
        pipelines = tuple(one for _, one in ours if isinstance(one, PipelineSeen))
        loads = tuple(one for _, one in ours if isinstance(one, LoadSeen))
        empty = ClusterSeen(
            operator_version=operator_version[:64],
            kubernetes_version=kubernetes_version[:64],
            collector_image=collector_image[:512],
        )
        if why := over_limits(len(self._nodes), len(pipelines), len(loads)):
            return empty.model_copy(update={"incomplete": why})
        nodes = tuple(self._nodes[key] for key in sorted(self._nodes))
        update = {"nodes": nodes, "pipelines": pipelines, "loads": loads, "problems": self._problems()}
        return empty.model_copy(update=update)

    def _problems(self) -> tuple[str, ...]:
        names = sorted(f"{kind.kind} {key.name}" for kind, key in self.unreadable)
        return tuple(f"{name} is left out: this operator cannot read it" for name in names[:MAX_PROBLEMS])

    def _take(self, kind: Kind, key: Key) -> bool:
        thing = self._caches.get(kind, key)
        self.unreadable.discard((kind, key))
        try:
            if kind == NODE:
                return self._take_node(key, thing)
            return self._take_resource(kind, key, thing)
        except ValidationError:
            self.unreadable.add((kind, key))
            return False

    def _take_node(self, key: Key, thing: Object | None) -> bool:
        before, now = self._nodes.pop(key, None), node_seen(thing) if thing else None
        if now is not None:
            self._nodes[key] = now
        return before != now

    def _take_resource(self, kind: Kind, key: Key, thing: Object | None) -> bool:
        if key.namespace != self._namespace:
            return False
        before, now = self.held.pop((kind, key), None), self._hold(kind, thing) if thing else None
        if now is not None:
            self.held[kind, key] = now
        return before != now and any(one is not None and one.ours for one in (before, now))

    def _hold(self, kind: Kind, thing: Object) -> Held:
        metadata = thing["metadata"]
        seen = pipeline_seen(thing) if kind == PIPELINE else load_seen(thing)
        return Held(seen, metadata["uid"], self._labels.items() <= (metadata.get("labels") or {}).items())


def _by_key(item: tuple[tuple[Kind, Key], Held]) -> Key:
    return item[0][1]
