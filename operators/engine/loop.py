"""The loop: watches fill caches, changes wake keys, workers reconcile them. Knows no resource and no process life."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from typing import Literal, Protocol

from chalicelib.domain.errors import PhoenixError
from operators.engine.caches import Cache, Caches
from operators.engine.cluster import Watchable
from operators.engine.objects import Key
from operators.engine.queue import KeyedQueue
from operators.engine.reconciler import Controller
from operators.engine.resting import Resting
from operators.engine.watching import Watcher

log = logging.getLogger(__name__)
WORKERS = 10
STOP_S = 20.0
Job = tuple[int, Key]
"""Index of the controller, and the key."""


class Observer(Protocol):
    """Is told what the loop did, for metrics."""

    def reconciled(self, controller: str, outcome: Literal["done", "failed", "broken"], seconds: float) -> None:
        """A reconcile ended. failed: with an error of the tree; broken: with any other."""


class Engine:
    """Runs controllers over caches. One instance, one run."""

    def __init__(
        self,
        source: Watchable,
        controllers: Sequence[Controller],
        caches: Caches,
        observer: Observer,
        *,
        chance: Callable[[], float],
        namespaces: Sequence[str] = (),
        workers: int = WORKERS,
    ) -> None:
        """caches: of all that the controllers watch. chance: a number from 0 to 1. namespaces: none is all."""
        self._source, self._controllers, self._caches = source, tuple(controllers), caches
        self._observer, self._chance = observer, chance
        self._namespaces = tuple(namespaces) or ("",)
        self._workers = workers
        self._queue: KeyedQueue[Job] = KeyedQueue()
        self._resting = Resting()
        self._missing = 0
        self._leading = asyncio.Event()
        self._stopping = False
        self.synced = asyncio.Event()
        """Set once every cache was listed."""

    def lead(self, leading: bool) -> None:
        """Whether the workers may work; caches are kept warm in any case. False ends no reconcile that has begun."""
        if leading:
            self._leading.set()
        else:
            self._leading.clear()
        self._resting.wake_all()

    def depth(self) -> int:
        """Keys that wait for a worker."""
        return len(self._queue)

    async def run(self) -> None:
        """Until it is cancelled, or `stop` was called and no work is left under way."""
        watchers = [self._watcher(cache, namespace) for cache in self._caches for namespace in self._scopes(cache)]
        self._missing = len(watchers)
        watching = [asyncio.create_task(watcher.run()) for watcher in watchers]
        working: list[asyncio.Task[None]] = []
        barrier = asyncio.create_task(self._barrier())
        try:
            await asyncio.wait([barrier, *watching], return_when=asyncio.FIRST_COMPLETED)
            working = [asyncio.create_task(self._work()) for _ in range(self._workers)]
            done, _ = await asyncio.wait([*working, *watching], return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
            await asyncio.gather(*working)
        finally:
            for task in (barrier, *working, *watching):
                task.cancel()
            await asyncio.gather(barrier, *working, *watching, return_exceptions=True)

    async def stop(self, running: asyncio.Task[None], deadline_s: float = STOP_S) -> None:
        """Take nothing new; let what is under way end; cancel `running` (the task of `run`) after the deadline."""
        self._stopping = True
        self._resting.wake_all()
        if not self.synced.is_set():
            running.cancel()
        await asyncio.wait([running], timeout=deadline_s)
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running

    async def _barrier(self) -> None:
        await self.synced.wait()

    def _scopes(self, cache: Cache) -> Sequence[str]:
        return self._namespaces if cache.watched.kind.namespaced else ("",)

    def _watcher(self, cache: Cache, namespace: str) -> Watcher:
        concerned = [
            index for index, controller in enumerate(self._controllers) if cache.watched in tuple(controller.watched)
        ]

        def wake(key: Key, but: str) -> None:
            for index in concerned:
                if not but or self._controllers[index].name != but:
                    self._queue.add((index, key))
                    self._resting.wake_one()

        told = False

        def listed() -> None:
            nonlocal told
            self._missing -= not told
            told = True
            if self._missing == 0:
                self.synced.set()

        loop = asyncio.get_running_loop()
        return Watcher(
            self._source,
            cache,
            namespace,
            listed=listed,
            wake=wake,
            time=loop.time,
            sleep=asyncio.sleep,
            chance=self._chance,
        )

    async def _work(self) -> None:
        while not self._stopping:
            leading = self._leading.is_set()
            job = self._queue.take(asyncio.get_running_loop().time()) if leading else None
            # Whoever looked knows when the next key falls due, whether it has work now or not.
            self._resting.wake_one_at(self._queue.soonest() if leading else None)
            if job is None:
                await self._resting.rest()
                continue
            if len(self._queue):
                self._resting.wake_one()
            await self._reconcile(job)

    async def _reconcile(self, job: Job) -> None:
        loop = asyncio.get_running_loop()
        controller, key = self._controllers[job[0]], job[1]
        began = loop.time()
        outcome: Literal["done", "failed", "broken"] = "done"
        again: float | None = None
        try:
            again = await controller.reconcile(key)
        except PhoenixError as error:
            outcome = "failed"
            log.warning("%s %s/%s: %s", controller.name, key.namespace, key.name, error.detail)
        except Exception:
            outcome = "broken"
            log.exception("%s %s/%s: a mistake in the operator", controller.name, key.namespace, key.name)
        now = loop.time()
        self._observer.reconciled(controller.name, outcome, now - began)
        if outcome == "done":
            self._queue.done(job, None if again is None else now + again)
        else:
            self._queue.failed(job, now, self._chance())
