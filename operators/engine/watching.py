"""Keeping a cache true: list, then watch, again and again. Knows no queue and no reconciler."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from chalicelib.domain.errors import PhoenixError
from operators.engine.caches import Cache, News
from operators.engine.cluster import Change, Watchable
from operators.engine.objects import Key, key_of
from operators.engine.queue import backoff

log = logging.getLogger(__name__)
BRIEF_S = 1.0
"""A stream that ends sooner is taken for a failure: the next one waits."""


class Watcher:
    """One watch in one namespace ("" all)."""

    def __init__(
        self,
        source: Watchable,
        cache: Cache,
        namespace: str,
        *,
        listed: Callable[[], None],
        wake: Callable[[Key, str], None],
        time: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
        chance: Callable[[], float],
    ) -> None:
        """listed: called once the cache holds everything. wake: called for whom a change concerns, with the name of
        the controller that need not know. time: seconds of any clock that only goes on."""
        self._source, self._cache, self._namespace = source, cache, namespace
        self._listed, self._wake = listed, wake
        self._time, self._sleep, self._chance = time, sleep, chance
        self._version = ""
        self._failures = 0

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            began = self._time()
            try:
                await self._once()
                self._failures = 0 if self._time() - began >= BRIEF_S else self._failures + 1
            except PhoenixError as error:
                self._failures += 1
                log.warning("watching %s: %s", self._cache.watched.kind.plural, error.detail)
            if self._failures:
                await self._sleep(backoff(self._failures, self._chance()))

    async def _once(self) -> None:
        watched = self._cache.watched
        if not self._version:
            await self._list()
        stream = self._source.watch(
            watched.kind, self._namespace, watched.labels, self._version, metadata_only=watched.metadata_only
        )
        async for change in stream:
            self._failures = 0
            self._take(change)

    async def _list(self) -> None:
        watched = self._cache.watched
        there: set[Key] = set()
        pages = self._source.pages(watched.kind, self._namespace, watched.labels, metadata_only=watched.metadata_only)
        as_of = ""
        async for things, as_of in pages:  # noqa: B007
            for thing in things:
                there.add(key_of(thing))
                self._tell(self._cache.changed(thing))
        self._tell(self._cache.listed(self._namespace, there, as_of))
        self._version = as_of
        self._listed()

    def _take(self, change: Change) -> None:
        if change.type == "EXPIRED":
            self._version = ""
            return
        if change.type == "DELETED":
            self._tell(self._cache.deleted(change.thing))
        elif change.type != "BOOKMARK":
            self._tell(self._cache.changed(change.thing))
        self._version = change.version or self._version
        self._cache.seen(self._namespace, self._version)

    def _tell(self, news: News) -> None:
        for key in sorted(news.concerned):
            self._wake(key, news.but)
