"""Pull mode: carries what the cluster sees to the control plane, and its orders back. What orders mean: `orders`.

Only the leader runs it, with filled caches. Away, refused or nonsense: nothing is deleted and nothing forgotten; the
next exchange says everything again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from chalicelib.domain.errors import PhoenixError
from chalicelib.domain.kubernetes.exchange import ClusterOrders
from chalicelib.domain.kubernetes.packing import body_of
from operators.agent.orders import Action, Apply, Delete, Taken, decide, orders_in
from operators.agent.view import WATCHED, View
from operators.engine.caches import Caches
from operators.engine.cluster import Cluster
from operators.engine.objects import Key
from operators.engine.reconciler import Controller

log = logging.getLogger(__name__)
SOONEST_S = 1.0
"""Between two exchanges, however much changes."""
LONGEST_S = 60.0
AFTER_A_FAILURE_S = 2.0
"""An order that could not be carried out is asked for again."""


class ControlPlane(Protocol):
    """Requests to the control plane, see `operators.control_plane.client`."""

    async def ask(self, method: str, path: str, body: Any = None, query: dict[str, str] | None = None) -> Any:
        """The JSON of an answer. Raises errors of the tree."""


@dataclass(frozen=True)
class Who:
    """What the agent says of itself. cluster: its name in the control plane; namespace: where its resources live."""

    cluster: str
    namespace: str
    operator_version: str = ""
    collector_image: str = ""


class Carrier:
    """Implements Reconciler; `run` is the loop. cluster: applies as the control plane's field manager."""

    def __init__(
        self,
        cluster: Cluster,
        caches: Caches,
        control_plane: ControlPlane,
        who: Who,
        *,
        chance: Callable[[], float],
        soonest_s: float = SOONEST_S,
    ) -> None:
        """chance: a number from 0 to 1. soonest_s: between two exchanges."""
        self._soonest_s = soonest_s
        self._cluster, self._control_plane, self._who, self._chance = cluster, control_plane, who, chance
        self._caches, self._view = caches, View(caches, who.cluster, who.namespace)
        self._news = asyncio.Event()
        self._filled = False
        self._kubernetes = ""
        self._failures = 0
        self._said = ""
        self._told: frozenset[Action] = frozenset()
        """Orders that were not carried out because somebody else has the name: told once."""

    async def __call__(self, key: Key) -> float | None:
        """See Reconciler: something changed; the loop says so."""
        if self._filled and self._view.changed(key):
            self._news.set()
        return None

    async def run(self) -> None:
        """Until it is cancelled. The caches are filled before."""
        self._view.fill()
        self._filled = True
        while True:
            self._news.clear()
            wait, hurry = await self._once()
            await asyncio.sleep(self._soonest_s)
            rest = max(0.0, wait - self._soonest_s)
            if hurry:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._news.wait(), rest)
            else:
                await asyncio.sleep(rest)

    async def _once(self) -> tuple[float, bool]:
        """Seconds until the next exchange, and whether news shall bring it forward."""
        try:
            orders = await self._exchange()
        except PhoenixError as error:
            self._failures += 1
            wait = away_wait(self._failures, self._chance(), self._soonest_s)
            if error.detail != self._said:  # a control plane that is away is not news every minute
                log.warning("no exchange with the control plane: %s", error.detail)
            self._said = error.detail
            return wait, False
        if self._failures:
            log.info("the control plane is back after %d failed exchanges", self._failures)
        self._failures, self._said = 0, ""
        actions = decide(orders, self._view.held, self._who.cluster, self._who.namespace)
        done = [await self._carry(action) for action in actions]
        self._told = frozenset(action for action in actions if isinstance(action, Taken))
        return (orders.again_seconds if all(done) else min(AFTER_A_FAILURE_S, orders.again_seconds)), True

    async def _exchange(self) -> ClusterOrders:
        who = self._who
        self._kubernetes = self._kubernetes or await self._cluster.version()
        seen = self._view.seen(
            operator_version=who.operator_version,
            kubernetes_version=self._kubernetes,
            collector_image=who.collector_image,
        )
        body = body_of(seen)
        return orders_in(await self._control_plane.ask("POST", f"/api/v1/clusters/{who.cluster}/exchange", body))

    async def _carry(self, action: Action) -> bool:
        """Whether it was carried out. One that was not hinders no other."""
        try:
            if isinstance(action, Apply):
                self._caches.replied(action.kind, await self._cluster.apply(action.kind, action.body))
            elif isinstance(action, Delete):
                await self._cluster.delete(action.kind, action.key, uid=action.uid)
            else:
                await self._taken(action)
                return False
        except PhoenixError as error:
            log.warning("an order was not carried out: %s", error.detail)
            return False
        return True

    async def _taken(self, action: Taken) -> None:
        thing = self._caches.get(action.kind, action.key)
        if thing is not None and action not in self._told:
            text = f"the control plane wants a {action.kind.kind} of this name, and leaves this one alone: rename it"
            log.warning("%s/%s: %s", action.key.namespace, action.key.name, text)
            await self._cluster.event(thing, action.kind, "NameTaken", text, warning=True)

    def controller(self) -> Controller:
        """Wakes the loop."""
        return Controller("agent", self, WATCHED)


def away_wait(failures: int, chance: float, first: float = SOONEST_S) -> float:
    """Seconds after so many failed exchanges in a row: doubled each time, at most a minute, and of that between a half
    and all by chance, so that many clusters do not come back at once."""
    return min(LONGEST_S, first * 2.0 ** min(failures, 10)) * (0.5 + chance / 2)
