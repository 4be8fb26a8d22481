"""Who of several replicas works: one Lease (coordination.k8s.io), by client-go's times. Knows no engine.

A holder that others see unchanged for 15 s by their own clock has lost it; one that could not renew for 10 s ends
itself. So two work at once for at most an instant, and what they would do twice is idempotent.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from chalicelib.domain.errors import Conflict, PhoenixError
from operators.engine.cluster import Cluster
from operators.engine.objects import LEASE, Key, Object

log = logging.getLogger(__name__)
NAME = "phoenix-operator"
DURATION_S = 15.0
RENEW_WITHIN_S = 10.0
RETRY_S = 2.0


class Lost(Exception):
    """Leadership could not be renewed: this process must end, another one works."""


class Elector:
    """Takes the Lease when it is free, renews it, gives it back."""

    def __init__(
        self,
        cluster: Cluster,
        close: Callable[[], Awaitable[None]],
        namespace: str,
        identity: str,
        now: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        time: Callable[[], float] | None = None,
    ) -> None:
        """cluster: with a field manager of this process alone. now: Unix seconds, for people. time: seconds of a clock
        that only goes on, for decisions; the event loop's by default."""
        self._cluster, self.close = cluster, close
        self._key, self._identity = Key(namespace, NAME), identity
        self._now, self._sleep, self._own_time = now, sleep, time
        self._held: Object | None = None
        self._renewed_at = 0.0
        self._seen: tuple[str, float] | None = None
        """Version of another's Lease, and when we saw it first."""

    async def run(self, lead: Callable[[bool], None]) -> None:
        """For ever. lead: called when leadership comes. Raises Lost when it cannot be kept."""
        while True:
            led = self._held is not None
            try:
                await (self._renew() if led else self._try_take())
            except PhoenixError as error:
                log.warning("the Lease: %s", error.detail)
            if not led and self._held is not None:
                lead(True)
            if led and self._time() - self._renewed_at >= RENEW_WITHIN_S:
                self._held = None
                raise Lost(f"the Lease was not renewed for {RENEW_WITHIN_S:g} s")
            await self._sleep(RETRY_S)

    async def release(self) -> None:
        """Give it back, so that another replica need not wait. Never raises."""
        held, self._held = self._held, None
        if held is not None:
            try:
                await self._apply("", held)
            except PhoenixError as error:
                log.info("the Lease was not given back: %s", error.detail)

    async def _renew(self) -> None:
        try:
            self._held = await self._apply(self._identity, self._held)
        except Conflict as error:
            raise Lost("another replica took the Lease") from error
        self._renewed_at = self._time()

    async def _try_take(self) -> None:
        there = await self._cluster.get(LEASE, self._key)
        if there is not None and not self._free(there):
            return
        began = self._time()
        try:
            self._held = await self._apply(self._identity, there)
        except Conflict:
            return
        self._renewed_at = began

    def _free(self, there: Object) -> bool:
        holder = (there.get("spec") or {}).get("holderIdentity") or ""
        if holder in ("", self._identity):
            return True
        version = there["metadata"]["resourceVersion"]
        if self._seen is None or self._seen[0] != version:
            self._seen = (version, self._time())
        return self._time() - self._seen[1] >= DURATION_S

    async def _apply(self, holder: str, there: Object | None) -> Object:
        """Under the version that was read. Without one: not over the fields of another replica."""
        at = datetime.fromtimestamp(self._now(), UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        metadata: dict[str, Any] = {"name": self._key.name, "namespace": self._key.namespace}
        if there is not None:
            metadata["resourceVersion"] = there["metadata"]["resourceVersion"]
        spec = {"holderIdentity": holder, "leaseDurationSeconds": int(DURATION_S), "renewTime": at}
        body = {"apiVersion": LEASE.api_version, "kind": LEASE.kind, "metadata": metadata, "spec": spec}
        return await self._cluster.apply(LEASE, body, force=there is not None)

    def _time(self) -> float:
        return self._own_time() if self._own_time is not None else asyncio.get_running_loop().time()
