"""A Kubernetes API in memory, as far as operators use it: server-side apply, versions, generations, watches, owners.

It passes the same contract as the real client (`operators.engine.client`). A test may refuse or kill any write.
"""

from __future__ import annotations

import asyncio
import copy
import json
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any

from chalicelib.domain.errors import Conflict, InvalidInput, NotFound, PhoenixError
from operators.engine.caches import Cache
from operators.engine.cluster import Change
from operators.engine.objects import Key, Kind, Object, key_of, version_of

Tree = dict[str, Any]
MANAGER = "phoenix-operator"
IMMUTABLE = "field is immutable when `immutable` is set"


class Died(BaseException):
    """The operator's process is gone."""


class FakeCluster:
    """`Cluster` and `Watchable`. `requests`: (verb, kind, key) of all that was asked. `events`: (reason, message)."""

    def __init__(self) -> None:
        self._manager = MANAGER
        self.requests: list[tuple[str, Kind, Key | None]] = []
        self.events: list[tuple[str, str, bool]] = []
        self.refuse: Callable[[str, Kind, Key | None], PhoenixError | None] = lambda verb, kind, key: None
        self.die_at = 0
        """Number of the write after which the caller dies; 0 for never."""
        self.writes = 0
        self._things: dict[tuple[Kind, Key], Tree] = {}
        self._applied: dict[tuple[Kind, Key, str], Tree] = {}
        self._state = {"version": 100, "oldest": 0, "cut": 0}
        self._log: list[tuple[int, Kind, str, Tree]] = []
        self._news: set[asyncio.Event] = set()

    # What a test says.

    def put(self, kind: Kind, thing: Object) -> Object:
        """Somebody else creates or replaces an object (its status as well)."""
        return self._store(kind, copy.deepcopy(dict(thing)))

    def edit(self, kind: Kind, key: Key, change: Callable[[Tree], None]) -> Object:
        """Somebody else changes an object in place."""
        thing = copy.deepcopy(self._things[kind, key])
        change(thing)
        return self._store(kind, thing)

    def remove(self, kind: Kind, key: Key) -> None:
        """Somebody else deletes an object."""
        self._delete(kind, key)

    def peek(self, kind: Kind, key: Key) -> Tree | None:
        """The object, without a request."""
        found = self._things.get((kind, key))
        return copy.deepcopy(found) if found is not None else None

    def names(self, kind: Kind) -> list[str]:
        """Names of all objects of a kind, sorted, without a request."""
        return sorted(key.name for found, key in self._things if found == kind)

    def newest(self) -> int:
        """The newest resourceVersion."""
        return self._state["version"]

    def held(self, kind: Kind, labels: str = "") -> list[Object]:
        """All objects of a kind that a selector takes, without a request."""
        found = [thing for (one, _), thing in self._things.items() if one == kind and _inside(thing, "", labels)]
        return copy.deepcopy(found)

    def cut(self, *, forget: bool = False) -> None:
        """End every watch; forget: what happened before now, too (410)."""
        self._state["cut"] += 1
        if forget:
            self._state["version"] += 1
            self._state["oldest"] = self._state["version"]
        self._wake()

    def asked(self, *verbs: str) -> list[tuple[str, str]]:
        """(verb, plural) of the requests so far with these verbs."""
        return [(verb, kind.plural) for verb, kind, _ in self.requests if verb in verbs]

    def as_manager(self, manager: str) -> FakeCluster:
        """The same cluster as another client sees it, with a field manager of its own."""
        other = copy.copy(self)
        other._manager = manager
        return other

    # Cluster.

    async def get(self, kind: Kind, key: Key) -> Object | None:
        await self._ask("get", kind, key)
        return self.peek(kind, key)

    async def list(self, kind: Kind, namespace: str = "", labels: str = "") -> list[Object]:
        return [thing async for page, _ in self.pages(kind, namespace, labels) for thing in page]

    async def apply(self, kind: Kind, body: Object, *, force: bool = True) -> Object:
        key = key_of(body)
        await self._ask("patch", kind, key)
        if "status" in body and kind.kind != "Node":
            raise InvalidInput("status is not applied here")
        old = self._things.get((kind, key), {"metadata": {}})
        wanted = _applied_part(body)
        if wanted["metadata"].pop("resourceVersion", None) not in (None, old["metadata"].get("resourceVersion")):
            raise Conflict("the object has been modified")
        self._check_owners(kind, key, wanted, force)
        if old.get("immutable") and wanted.get("data") != old.get("data"):
            raise InvalidInput(IMMUTABLE)
        base = _without(old, self._applied.get((kind, key, self._manager), {}), wanted)
        thing = _merge(base, wanted) | {"apiVersion": kind.api_version, "kind": kind.kind}
        self._own(kind, key, wanted)
        stored = self._store(kind, thing)
        self._written()
        return stored

    async def create(self, kind: Kind, body: Object) -> Object:
        key = key_of(body)
        await self._ask("create", kind, key)
        if (kind, key) in self._things:
            raise Conflict(f"{kind.plural} {key.name!r} already exists")
        stored = self._store(kind, copy.deepcopy(dict(body)))
        self._written()
        return {"metadata": stored["metadata"]}

    async def apply_status(
        self, kind: Kind, key: Key, status: dict[str, Any], *, onto: Object | None = None
    ) -> Object | None:
        await self._ask("patch", kind, key)
        json.dumps(status, allow_nan=False)
        old = self._things.get((kind, key))
        if old is None:
            return None
        stored = self._store(kind, copy.deepcopy(old) | {"status": copy.deepcopy(status)})
        self._written()
        return stored

    async def finalizers(self, kind: Kind, thing: Object, finalizers: tuple[str, ...]) -> Object | None:
        key = key_of(thing)
        await self._ask("patch", kind, key)
        old = self._things.get((kind, key))
        if old is None:
            return None
        if version_of(old) != version_of(thing):
            raise Conflict("the object has been modified")
        new = copy.deepcopy(old)
        new["metadata"]["finalizers"] = list(finalizers)
        stored = self._store(kind, new)
        if not finalizers and new["metadata"].get("deletionTimestamp"):
            self._delete(kind, key)
        self._written()
        return stored

    async def delete(self, kind: Kind, key: Key, *, uid: str = "") -> bool:
        await self._ask("delete", kind, key)
        old = self._things.get((kind, key))
        if old is None or (uid and old["metadata"]["uid"] != uid):
            return False
        self._delete(kind, key)
        self._written()
        return True

    async def version(self) -> str:
        return "v1.34.2"

    async def event(self, about: Object, kind: Kind, reason: str, message: str, *, warning: bool = False) -> None:
        self.events.append((reason, message, warning))

    # Watchable.

    async def list_at(self, kind: Kind, namespace: str, labels: str) -> tuple[list[Object], str]:
        """All objects at once, with the version of the list."""
        things = await self.list(kind, namespace, labels)
        return things, str(self._state["version"])

    async def pages(
        self, kind: Kind, namespace: str, labels: str, *, metadata_only: bool = False
    ) -> AsyncIterator[tuple[list[Object], str]]:
        await self._ask("list", kind, None)
        found = [
            _shown(thing, metadata_only)
            for (one, _), thing in sorted(self._things.items(), key=lambda item: item[0][1])
            if one == kind and _inside(thing, namespace, labels)
        ]
        version = str(self._state["version"])
        yield found[:2], version
        for start in range(2, len(found), 2):
            yield found[start : start + 2], version

    async def watch(
        self, kind: Kind, namespace: str, labels: str, version: str, *, metadata_only: bool = False
    ) -> AsyncIterator[Change]:
        await self._ask("watch", kind, None)
        at, cut = int(version), self._state["cut"]
        if at < self._state["oldest"]:
            yield Change("EXPIRED")
            return
        news = asyncio.Event()
        self._news.add(news)
        try:
            position = 0
            while cut == self._state["cut"]:
                while position < len(self._log):
                    number, one, what, thing = self._log[position]
                    position += 1
                    if number > at and one == kind and _inside(thing, namespace, labels):
                        yield Change(what, str(number), _shown(thing, metadata_only))  # type: ignore[arg-type]
                news.clear()
                await news.wait()
        finally:
            self._news.discard(news)

    # How it is kept.

    async def _ask(self, verb: str, kind: Kind, key: Key | None) -> None:
        await asyncio.sleep(0)
        self.requests.append((verb, kind, key))
        if (error := self.refuse(verb, kind, key)) is not None:
            raise error

    def _written(self) -> None:
        self.writes += 1
        if self.writes == self.die_at:
            raise Died

    def _check_owners(self, kind: Kind, key: Key, wanted: Tree, force: bool) -> None:
        for (one, other_key, manager), applied in self._applied.items():
            if (one, other_key) == (kind, key) and manager != self._manager and not force and _clash(applied, wanted):
                raise Conflict(f"conflict with {manager!r}")

    def _own(self, kind: Kind, key: Key, wanted: Tree) -> None:
        """Whoever applies a field owns it, others no more."""
        for one, other_key, manager in list(self._applied):
            if (one, other_key) == (kind, key) and manager != self._manager:
                held = self._applied[kind, key, manager]
                self._applied[kind, key, manager] = _not_in(held, wanted)
        self._applied[kind, key, self._manager] = wanted

    def foreign_apply(self, kind: Kind, body: Object, manager: str) -> None:
        """Another manager applies some fields, and owns them."""
        key = key_of(body)
        self._applied[kind, key, manager] = _applied_part(body)
        self._store(kind, _merge(self._things.get((kind, key), {"metadata": {}}), _applied_part(body)))

    def _store(self, kind: Kind, thing: Tree) -> Object:
        metadata = thing["metadata"] = dict(thing["metadata"])
        key = Key(metadata.get("namespace", ""), metadata["name"])
        if "/" in key.name:
            raise NotFound(f"no object is named {key.name!r}")
        old = self._things.get((kind, key))
        if old is not None and _bare(old) == _bare(thing):
            return copy.deepcopy(old)
        self._state["version"] += 1
        before = old["metadata"] if old is not None else {}
        metadata["uid"] = before.get("uid", metadata.get("uid") or f"uid-{self._state['version']}")
        metadata["resourceVersion"] = str(self._state["version"])
        metadata.setdefault("creationTimestamp", "2027-01-15T08:00:00Z")
        same = old is not None and _spec(old) == _spec(thing)
        metadata["generation"] = before.get("generation", 0) + (0 if same else 1)
        self._things[kind, key] = thing
        self._say(kind, "ADDED" if old is None else "MODIFIED", thing)
        return copy.deepcopy(thing)

    def _delete(self, kind: Kind, key: Key) -> None:
        thing = self._things[kind, key]
        if thing["metadata"].get("finalizers"):
            self.edit(kind, key, lambda one: one["metadata"].update(deletionTimestamp="2027-01-15T09:00:00Z"))
            return
        del self._things[kind, key]
        for owner in [held for held in self._applied if held[:2] == (kind, key)]:
            del self._applied[owner]
        self._state["version"] += 1
        gone = copy.deepcopy(thing)
        gone["metadata"]["resourceVersion"] = str(self._state["version"])
        self._say(kind, "DELETED", gone)
        uid = thing["metadata"]["uid"]
        for (other, other_key), child in list(self._things.items()):
            if any(owner["uid"] == uid for owner in child["metadata"].get("ownerReferences") or []):
                self._delete(other, other_key)

    def _say(self, kind: Kind, what: str, thing: Tree) -> None:
        self._log.append((self._state["version"], kind, what, copy.deepcopy(thing)))
        self._wake()

    def _wake(self) -> None:
        for news in self._news:
            news.set()


def fill(cache: Cache, things: Iterable[Object], version: str) -> None:
    """Tell a cache all there is, as a watch's first list does."""
    told = list(things)
    for thing in told:
        cache.changed(thing)
    cache.listed("", {key_of(thing) for thing in told}, version)


def _applied_part(body: Object) -> Tree:
    return copy.deepcopy(dict(body))


def _shown(thing: Tree, metadata_only: bool) -> Tree:
    kept = {"metadata": thing["metadata"]} if metadata_only else thing
    return copy.deepcopy(kept)


def _inside(thing: Object, namespace: str, labels: str) -> bool:
    own = thing["metadata"].get("labels") or {}
    for part in filter(None, labels.split(",")):
        name, equals, value = part.partition("=")
        if name not in own or (equals and own[name] != value):
            return False
    return not namespace or thing["metadata"].get("namespace") == namespace


def _merge(old: Tree, new: Tree) -> Tree:
    out = copy.deepcopy(old)
    for name, value in new.items():
        both = isinstance(value, dict) and isinstance(out.get(name), dict)
        out[name] = _merge(out[name], value) if both else copy.deepcopy(value)
    return out


def _without(thing: Tree, before: Tree, now: Tree) -> Tree:
    """The object without what was applied before and is not any more."""
    out = copy.deepcopy(thing)
    for name, value in before.items():
        if name not in now and name in out:
            del out[name]
        elif isinstance(value, dict) and isinstance(now.get(name), dict) and isinstance(out.get(name), dict):
            out[name] = _without(out[name], value, now[name])
    return out


def _not_in(held: Tree, taken: Tree) -> Tree:
    """The fields of one tree without those for which the other one has another value."""
    out: Tree = {}
    for name, value in held.items():
        other = taken.get(name, value)
        if isinstance(value, dict) and isinstance(other, dict):
            out[name] = _not_in(value, other)
        elif other == value:
            out[name] = value
    return out


def _clash(one: Tree, other: Tree) -> bool:
    for name in one.keys() & other.keys() - {"apiVersion", "kind", "metadata"}:
        left, right = one[name], other[name]
        if isinstance(left, dict) and isinstance(right, dict):
            if _clash(left, right):
                return True
        elif left != right:
            return True
    return False


def _bare(thing: Tree) -> Tree:
    metadata = {k: v for k, v in thing["metadata"].items() if k not in ("resourceVersion", "generation", "uid")}
    metadata.setdefault("creationTimestamp", "2027-01-15T08:00:00Z")
    return {**thing, "metadata": metadata}


def _spec(thing: Tree) -> Tree:
    return {name: value for name, value in thing.items() if name not in ("metadata", "status")}
