"""What a resource brings to the engine: a reconciler, and which objects concern it. No queue, no API."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from operators.engine.objects import Key, Kind


class Reconciler(Protocol):
    """Makes the cluster follow one object. Called for a key whenever something about it changed, and never twice at
    once for the same key; what it reads is in the caches. It must be idempotent: it is killed between any two calls."""

    async def __call__(self, key: Key) -> float | None:
        """Seconds after which to look again though nothing changes; None: not before something does. A raised
        PhoenixError is tried again with backoff (at most 60 s); anything else as well, and logged with its trace."""


@dataclass(frozen=True)
class Watched:
    """Objects whose changes wake a reconciler. labels: selector of those that are watched at all ("" all).

    owner_label: their label that holds the name of the object they belong to, in the same namespace; "" for the kind
    itself. metadata_only: keep nothing but their metadata (of ConfigMaps it is enough to know that they are there).
    """

    kind: Kind
    labels: str = ""
    owner_label: str = ""
    metadata_only: bool = False


@dataclass(frozen=True)
class Controller:
    """One resource: its kind first in `watched`, then what it makes."""

    name: str
    reconcile: Reconciler
    watched: Sequence[Watched]
