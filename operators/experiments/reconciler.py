"""Makes the control plane follow an Experiment resource, and the resource show the experiment. What is done: `plan`."""

from __future__ import annotations

from collections.abc import Callable

from chalicelib.domain.errors import Unavailable
from chalicelib.domain.kubernetes.experiment_mirror import ExperimentStatus
from operators.engine.caches import Caches
from operators.engine.cluster import Cluster
from operators.engine.objects import Key
from operators.engine.reconciler import Controller, Watched
from operators.experiments.orders import Orders
from operators.experiments.plan import Adopt, Create, Hold, Look, Release, Start, Stop, plan
from operators.experiments.resource import EXPERIMENT, Resource, read
from operators.experiments.seen import NotLooked, Seen
from operators.experiments.status import dumped, notes

MOST_STEPS = 8
"""Actions of one reconcile; the longest way is Hold, Look, Create, Start."""
WATCHED = Watched(EXPERIMENT)


class ExperimentReconciler:
    """Implements Reconciler."""

    def __init__(
        self, cluster: Cluster, caches: Caches, orders: Orders, *, name: str, now: Callable[[], float]
    ) -> None:
        """name: of this cluster, as the control plane knows it. now: Unix seconds."""
        self._cluster, self._caches, self._orders, self._name, self._now = cluster, caches, orders, name, now

    async def __call__(self, key: Key) -> float | None:
        """See Reconciler."""
        thing = self._caches.get(EXPERIMENT, key)
        if thing is None:
            return None
        cr = read(thing, self._name)
        seen: Seen = NotLooked()
        for _ in range(MOST_STEPS):
            now = self._now()
            decided = plan(cr, seen, now)
            action = decided.action
            if action is None:
                await self._write(cr, decided.status)
                return decided.again
            if isinstance(action, Hold | Release):
                if isinstance(action, Release) and action.note:
                    await self._cluster.event(cr.thing, EXPERIMENT, "Released", action.note, warning=True)
                held = await self._hold(cr, hold=isinstance(action, Hold))
                if held is None or isinstance(action, Release):
                    return None
                cr = held
            else:
                seen = await self._ask(action, cr)
        raise Unavailable(f"experiment {cr.name} does not come to rest; it is looked at again")

    async def _hold(self, cr: Resource, *, hold: bool) -> Resource | None:
        """Set or remove our finalizer; None when the resource is gone. Raises Conflict when it changed meanwhile."""
        thing = await self._cluster.finalizers(EXPERIMENT, cr.thing, cr.finalizers(hold=hold))
        if thing is None:
            return None
        self._caches.replied(EXPERIMENT, thing)
        return read(thing, self._name)

    async def _ask(self, action: Look | Create | Start | Stop | Adopt, cr: Resource) -> Seen:
        if isinstance(action, Adopt):
            return await self._orders.adopt(cr, action.expected)
        asked = {Look: self._orders.look, Create: self._orders.create, Start: self._orders.start}
        return await asked.get(type(action), self._orders.stop)(cr)

    async def _write(self, cr: Resource, status: ExperimentStatus) -> None:
        """The status, once, and only when it differs."""
        if status == cr.status:
            return
        written = await self._cluster.apply_status(EXPERIMENT, cr.key, dumped(status))
        if written is None:
            return
        self._caches.replied(EXPERIMENT, written)
        for note in notes(cr.status, status):
            await self._cluster.event(cr.thing, EXPERIMENT, note.reason, note.message, warning=note.warning)


def controller(cluster: Cluster, caches: Caches, orders: Orders, *, name: str, now: Callable[[], float]) -> Controller:
    """The controller of Experiment resources."""
    return Controller("experiments", ExperimentReconciler(cluster, caches, orders, name=name, now=now), (WATCHED,))
