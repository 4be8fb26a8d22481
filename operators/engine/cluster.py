"""The Kubernetes API as reconcilers see it. One real client, one fake in tests/fakes; both pass one contract suite."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from operators.engine.objects import Key, Kind, Object


class Cluster(Protocol):
    """Every call has a deadline. Raises chalicelib.domain.errors: Unavailable (not reached, timed out, 429, 5xx: try
    again), NotAllowed (401, 403), NotFound (the namespace or the kind is not there), Conflict (409), InvalidInput
    (400, 422, with the server's own words), TooLarge (413). Messages are bounded and hold no credential."""

    async def get(self, kind: Kind, key: Key) -> Object | None:
        """The object, or None when there is none."""

    async def list(self, kind: Kind, namespace: str = "", labels: str = "") -> list[Object]:
        """All objects (in one namespace, with a label selector), page by page."""

    async def apply(self, kind: Kind, body: Object, *, force: bool = True) -> Object:
        """Server-side apply as the operator's field manager: body is all that the operator says of the object. force:
        take fields that another manager owns. Returns the object as stored."""

    async def create(self, kind: Kind, body: Object) -> Object:
        """Make an object that is never changed afterwards: half of what an apply costs the API server. Returns its
        metadata. Raises Conflict when there is one of its name."""

    async def apply_status(
        self, kind: Kind, key: Key, status: dict[str, Any], *, onto: Object | None = None
    ) -> Object | None:
        """Server-side apply of the whole status by the status subresource; None when the object is gone. Returns the
        object as stored. onto: the object as it was last seen: while its spec is still the same, what is returned is
        that object with this status, and the API server need not send all of it back."""

    async def finalizers(self, kind: Kind, thing: Object, finalizers: tuple[str, ...]) -> Object | None:
        """Set the finalizers, under the resourceVersion of `thing`; None when it is gone."""

    async def delete(self, kind: Kind, key: Key, *, uid: str = "") -> bool:
        """Delete it, with its dependents in the background; uid: only this very object. Whether it was there."""

    async def version(self) -> str:
        """Of Kubernetes, such as v1.34.2."""

    async def event(self, about: Object, kind: Kind, reason: str, message: str, *, warning: bool = False) -> None:
        """A core/v1 Event about an object. Never raises: events are a courtesy."""


@dataclass(frozen=True)
class Change:
    """What a watch says. ADDED and MODIFIED: `thing` as it is now. DELETED: as it was last. BOOKMARK: nothing changed
    up to `version`. EXPIRED: the server forgot what came after the version asked for; list again."""

    type: Literal["ADDED", "MODIFIED", "DELETED", "BOOKMARK", "EXPIRED"]
    version: str = ""
    thing: Object = field(default_factory=dict)


class Watchable(Protocol):
    """The Kubernetes API as caches see it. Raises what Cluster raises."""

    def pages(
        self, kind: Kind, namespace: str, labels: str, *, metadata_only: bool = False
    ) -> AsyncIterator[tuple[list[Object], str]]:
        """All objects, slim, page by page (a thousand at once would take ten times the memory of their text), each
        with the resourceVersion of the whole list, from which a watch goes on. At least one page, if an empty one."""

    def watch(
        self, kind: Kind, namespace: str, labels: str, version: str, *, metadata_only: bool = False
    ) -> AsyncIterator[Change]:
        """Changes after a resourceVersion, until the server ends the stream (which it does every few minutes)."""
