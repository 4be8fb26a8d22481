"""What the cluster was last seen to hold: filled by watches, read by reconcilers. No API, no queue.

Objects are kept as JSON text, which takes a fifth of the memory of the parsed object and cannot be changed by a reader.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

import orjson

from operators.engine.objects import Key, Kind, Object, key_of, slim, version_of
from operators.engine.reconciler import Watched


@dataclass(frozen=True)
class _Held:
    text: bytes
    version: int
    owner: str
    by: str = ""
    """Who was told so by a reply, as long as the watch has not said the same."""


@dataclass(frozen=True)
class News:
    """Whom a change concerns, and who needs not be told, because it was that one's own write ("" nobody)."""

    concerned: frozenset[Key]
    but: str = ""


class Cache:
    """Objects of one watch."""

    def __init__(self, watched: Watched) -> None:
        self.watched = watched
        self._held: dict[Key, _Held] = {}
        self._of: dict[Key, dict[Key, None]] = {}
        self._seen: dict[str, int] = {}
        """Version up to which the watch of a namespace ("" all) has told everything."""

    def __len__(self) -> int:
        return len(self._held)

    def keys(self) -> list[Key]:
        """Keys of all objects."""
        return list(self._held)

    def get(self, key: Key) -> Object | None:
        """The object, a copy of its own."""
        held = self._held.get(key)
        return None if held is None else _parsed(held.text)

    def holds(self, key: Key) -> bool:
        """Whether the object is there."""
        return key in self._held

    def owned(self, owner: Key) -> list[Object]:
        """The objects that belong to another by the owner label, by name."""
        return [_parsed(self._held[key].text) for key in sorted(self._of.get(owner, ()))]

    def owner_of(self, thing: Object) -> Key | None:
        """Whom a change of this object concerns."""
        if not self.watched.owner_label:
            return key_of(thing)
        name = (thing["metadata"].get("labels") or {}).get(self.watched.owner_label, "")
        return Key(key_of(thing).namespace, name) if name else None

    def listed(self, namespace: str, there: Set[Key], version: str) -> News:
        """All keys there are in a namespace ("" the cluster), as of a version; their objects were told by `changed`.
        What is held else is dropped."""
        seen = _number(version)
        touched: frozenset[Key] = frozenset()
        for key, held in list(self._held.items()):
            if (not namespace or key.namespace == namespace) and key not in there and held.version <= seen:
                touched |= self._drop(key)
        self.seen(namespace, version)
        return News(touched)

    def seen(self, namespace: str, version: str) -> None:
        """The watch has told everything up to this version."""
        self._seen[namespace] = max(self._seen.get(namespace, -1), _number(version))

    def changed(self, thing: Object) -> News:
        """An object as it is now; older news than what is held changes nothing."""
        held = self._held.get(key_of(thing))
        touched = self._take(thing)
        same = held is not None and held.version == version_of(thing)
        return News(touched, held.by if held is not None and same else "")

    def deleted(self, thing: Object) -> News:
        """An object is gone. One that is not held (`gone` was told before) is no news."""
        key = key_of(thing)
        held = self._held.get(key)
        if held is None:
            return News(frozenset())
        touched = frozenset(owner for owner in [self.owner_of(thing)] if owner is not None)
        return News(touched | self._drop(key) if held.version <= version_of(thing) else touched)

    def replied(self, thing: Object, by: str = "") -> None:
        """An object as the API returned it to a write: taken only when the watch has not come so far yet, or it would
        put an older state over a newer one, or bring back what was deleted. by: the controller that wrote it, and that
        needs not be woken when the watch tells the very same version."""
        key, version = key_of(thing), version_of(thing)
        if version > max(self._seen.get("", -1), self._seen.get(key.namespace, -1)):
            self._take(thing, by)

    def gone(self, key: Key, uid: str) -> None:
        """The API took this very object away at our word. Should it be there still (something holds it), the watch
        tells it again."""
        held = self._held.get(key)
        if held is not None and _parsed(held.text)["metadata"].get("uid") == uid:
            self._drop(key)

    def _take(self, thing: Object, by: str = "") -> frozenset[Key]:
        key, version, owner = key_of(thing), version_of(thing), self.owner_of(thing)
        held = self._held.get(key)
        touched = frozenset() if owner is None else frozenset([owner])
        if held is not None and held.version > version:
            return touched
        if held is not None:
            touched |= self._drop(key)
        owner = owner if self.watched.owner_label else None
        text = _text(thing, self.watched.metadata_only)
        self._held[key] = _Held(text, version, owner.name if owner else "", by)
        if owner is not None:
            self._of.setdefault(owner, {})[key] = None
        return touched

    def _drop(self, key: Key) -> frozenset[Key]:
        held = self._held.pop(key)
        if not self.watched.owner_label:
            return frozenset([key])
        owner = Key(key.namespace, held.owner)
        siblings = self._of.get(owner)
        if siblings is not None:
            siblings.pop(key, None)
            if not siblings:
                del self._of[owner]
        return frozenset([owner]) if held.owner else frozenset()


class Caches:
    """The caches of all watches, found by kind."""

    def __init__(self, watched: Iterable[Watched]) -> None:
        self._by_kind: dict[Kind, list[Cache]] = {}
        for one in dict.fromkeys(watched):
            self._by_kind.setdefault(one.kind, []).append(Cache(one))

    def __iter__(self) -> Iterator[Cache]:
        return (cache for caches in self._by_kind.values() for cache in caches)

    def get(self, kind: Kind, key: Key) -> Object | None:
        """The object as it was last seen, or None."""
        for cache in self._of(kind):
            if (found := cache.get(key)) is not None:
                return found
        return None

    def holds(self, kind: Kind, key: Key) -> bool:
        """Whether the object was seen: `get` without reading it."""
        return any(cache.holds(key) for cache in self._of(kind))

    def owned(self, kind: Kind, owner: Key) -> list[Object]:
        """Objects of a kind that belong to another by their watch's owner label, by name."""
        return [thing for cache in self._of(kind) if cache.watched.owner_label for thing in cache.owned(owner)]

    def keys(self, kind: Kind) -> list[Key]:
        """Keys of all objects of a kind."""
        return sorted({key for cache in self._of(kind) for key in cache.keys()})  # noqa: SIM118

    def kinds(self) -> dict[Kind, bool]:
        """The kinds that are held, and whether some of them are there for their own sake (and not for an owner's)."""
        return {kind: any(not cache.watched.owner_label for cache in caches) for kind, caches in self._by_kind.items()}

    def count(self, kind: Kind) -> int:
        """How many objects of a kind are held."""
        return sum(len(cache) for cache in self._of(kind))

    def all(self, kind: Kind) -> Iterator[Object]:
        """All objects of a kind, parsed one after the other."""
        for key in self.keys(kind):
            if (thing := self.get(kind, key)) is not None:
                yield thing

    def replied(self, kind: Kind, thing: Object, by: str = "") -> None:
        """What the API returned to a write of one's own: keep it until the watch says more. by: a controller's name,
        where its reconcile reads what it wrote before it ends: it is not called again for that alone."""
        for cache in self._of(kind):
            if _selected(thing, cache.watched.labels):
                cache.replied(thing, by)

    def gone(self, kind: Kind, key: Key, uid: str) -> None:
        """The API deleted this very object at our word."""
        for cache in self._of(kind):
            cache.gone(key, uid)

    def _of(self, kind: Kind) -> Sequence[Cache]:
        found = self._by_kind.get(kind)
        if found is None:
            raise KeyError(f"nobody watches {kind.plural}")
        return found


def _selected(thing: Object, labels: str) -> bool:
    """Whether a selector of the forms "key" and "key=value" takes the object."""
    own: Mapping[str, str] = thing["metadata"].get("labels") or {}
    for part in filter(None, labels.split(",")):
        name, equals, value = part.partition("=")
        if own.get(name) is None or (equals and own[name] != value):
            return False
    return True


def _number(version: str) -> int:
    return int(version) if version.isdecimal() else -1


def _text(thing: Object, metadata_only: bool) -> bytes:
    kept = slim(thing)
    if metadata_only:
        kept = {name: kept[name] for name in ("apiVersion", "kind", "metadata") if name in kept}
    return orjson.dumps(kept)


def _parsed(text: bytes) -> dict[str, Any]:
    parsed: dict[str, Any] = orjson.loads(text)
    return parsed
