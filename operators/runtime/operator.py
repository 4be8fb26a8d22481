"""The operator, put together: client, caches, engine, background tasks, leadership, metrics. No process life."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable

from chalicelib.domain.kubernetes.resource import FIELD_MANAGER
from chalicelib.ports.clock import Clock
from operators.engine.caches import Caches
from operators.engine.client import KubeClient
from operators.engine.credentials import Credentials
from operators.engine.loop import Engine
from operators.pipelines.reconcile import Validating
from operators.pipelines.rendering import Templates
from operators.runtime.confirming import PodAsker
from operators.runtime.controllers import Task, Tools, parts, watched
from operators.runtime.lease import Elector
from operators.runtime.metrics import Metrics
from operators.runtime.metrics_server import MetricsServer
from operators.runtime.settings import Settings

log = logging.getLogger(__name__)


class Operator:
    """One run: `start`, then `stop`. `failure` is why it cannot go on, "" while it can."""

    def __init__(
        self,
        settings: Settings,
        credentials: Credentials,
        clock: Clock,
        catalog: Templates,
        validating: Validating,
        ended: Callable[[], None],
    ) -> None:
        """ended: called when something that should run for ever ended."""
        self._settings, self._ended = settings, ended
        self.failure = ""
        self._metrics = Metrics()
        self._client = KubeClient(credentials, counted=self._metrics.requested, now=clock.now)
        self._asker = PodAsker()
        ordered = KubeClient(credentials, counted=self._metrics.requested, now=clock.now, manager=FIELD_MANAGER)
        self._closing: list[Callable[[], Awaitable[None]]] = [self._asker.close, self._client.close, ordered.close]
        caches = Caches(watched(settings))
        found = parts(
            Tools(
                self._client,
                caches,
                clock,
                settings,
                catalog,
                validating,
                self._asker,
                ordered,
                self._closing,
            )
        )
        self._engine = Engine(
            self._client,
            found.controllers,
            caches,
            self._metrics,
            chance=random.random,
            namespaces=settings.namespaces,
            workers=settings.workers,
        )
        self._metrics.watch(caches, self._engine.depth)
        self._background = found.tasks
        self._elector = _elector(settings, credentials, clock, self._metrics) if settings.leader_election else None
        self._server = MetricsServer(self._metrics.registry, settings.metrics_port) if settings.metrics_port else None
        self._running: dict[str, asyncio.Task[None]] = {}
        self._stopping = False

    async def start(self) -> None:
        """Returns at once; what was started goes on."""
        if self._server is not None:
            await self._server.start()
        self._spawn("engine", self._engine.run())
        if self._elector is None:
            self._lead(True)
        else:
            self._spawn("lease", self._elector.run(self._lead))

    async def stop(self) -> None:
        """Let end what is under way, give leadership up, close everything."""
        self._stopping = True
        for name, task in self._running.items():
            if name not in ("engine", "lease"):
                task.cancel()
        if (engine := self._running.get("engine")) is not None:
            await self._engine.stop(engine, self._settings.stop_s)
        if self._elector is not None:
            self._running["lease"].cancel()
            await self._elector.release()
            await self._elector.close()
        await asyncio.gather(*self._running.values(), return_exceptions=True)
        for close in self._closing:
            await close()
        if self._server is not None:
            await self._server.stop()

    def health(self) -> dict[str, str]:
        """What a liveness probe is told."""
        return {"caches": "filled" if self._engine.synced.is_set() else "filling", "failure": self.failure}

    def _lead(self, leading: bool) -> None:
        log.info("this process %s", "works" if leading else "waits")
        self._metrics.leading(leading)
        self._engine.lead(leading)
        for task in self._background:
            if leading and task.name not in self._running:
                self._spawn(task.name, self._when_filled(task))

    async def _when_filled(self, task: Task) -> None:
        await self._engine.synced.wait()
        await task.run()

    def _spawn(self, name: str, work: object) -> None:
        task: asyncio.Task[None] = asyncio.create_task(work, name=name)  # type: ignore[arg-type]
        self._running[name] = task
        task.add_done_callback(self._over)

    def _over(self, task: asyncio.Task[None]) -> None:
        if self._stopping or task.cancelled():
            return
        error = task.exception()
        self.failure = f"{task.get_name()} ended: {error or 'it should not'}"
        log.error("%s", self.failure, exc_info=error)
        self._ended()


def _elector(settings: Settings, credentials: Credentials, clock: Clock, metrics: Metrics) -> Elector:
    """The Lease has a field manager of each process: applying it tells the holders apart."""
    client = KubeClient(
        credentials,
        counted=metrics.requested,
        now=clock.now,
        manager=f"phoenix-operator-{settings.identity}"[:128],
        deadline_s=5.0,
    )
    return Elector(client, client.close, settings.own_namespace, settings.identity, clock.now)
