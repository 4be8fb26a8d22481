"""The tick: list what is active on the sparse index and hand it over, 25 a message. Decides nothing itself."""

from __future__ import annotations

from chalicelib.ports.queue import Work, WorkQueue
from chalicelib.repositories.records import Records, shards

BATCH = 25


OUTWARD = frozenset({"NOTIFICATION", "DELIVERY", "WEBHOOK", "BUDGET", "COSTWATCH", "CLUSTER"})
"""Kinds of work that wait for others, or add up a lot: with a tick of their own they never hold up an experiment."""


class Tick:
    """Invoked every minute by the schedule, every second by the local clock. outward: whether it is the tick of what
    goes outside, or of everything else."""

    def __init__(self, records: Records, queue: WorkQueue, *, outward: bool = False) -> None:
        self._records, self._queue, self._outward = records, queue, outward

    def __call__(self) -> int:
        """Queue a step for everything that is active; returns how many."""
        work = [item for shard in shards() for item in self._shard(shard)]
        # What goes outside may take its time: one a message, so that none waits behind another.
        size = 1 if self._outward else BATCH
        batches = [work[start : start + size] for start in range(0, len(work), size)]
        if batches:
            self._queue.send(batches)
        return len(work)

    def _shard(self, shard: str) -> list[Work]:
        found: list[Work] = []
        cursor: str | None = None
        while True:
            page = self._records.store.active(shard, limit=500, cursor=cursor)
            for item in page.items:
                _, tenant, kind = item.pk.split("#", 2)
                if (kind in OUTWARD) == self._outward:
                    found.append(Work(kind=kind, tenant=tenant, name=item.sk))
            if (cursor := page.cursor) is None:
                return found


class Sweep:
    """Deletes what has expired. Nothing depends on it but the size of the store."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def __call__(self) -> int:
        """Returns how many items went."""
        return self._records.store.sweep()
