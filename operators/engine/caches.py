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

    def owned(self, owner: Key) -> list[Object]:
        """The objects that belong to another by the owner label, by name."""
        return [_parsed(self._held[key].text) for key in sorted(self._of.get(owner, ()))]

    def owner_of(self, thing: Object) -> Key | None:
        """Whom a change of this object concerns."""
        if not self.watched.owner_label:
            return key_of(thing)
        name = (thing["metadata"].get("labels") or {}).get(self.watched.owner_label, "")
        return Key(key_of(thing).namespace, name) if name else None

    def listed(self, namespace: str, there: Set[Key], version: str) -> set[Key]:
        """All keys there are in a namespace ("" the cluster), as of a version; their objects were told by `changed`.
        What is held else is dropped. Returns whom that concerns."""
        seen = _number(version)
        touched = set()
        for key, held in list(self._held.items()):
            if (not namespace or key.namespace == namespace) and key not in there and held.version <= seen:
                touched |= self._drop(key)
        self.seen(namespace, version)
        return touched

    def seen(self, namespace: str, version: str) -> None:
        """The watch has told everything up to this version."""
        self._seen[namespace] = max(self._seen.get(namespace, -1), _number(version))

    def changed(self, thing: Object) -> set[Key]:
        """An object as it is now; older news than what is held changes nothing. Returns whom it concerns."""
        key, version = key_of(thing), version_of(thing)
        held = self._held.get(key)
        touched = {owner for owner in [self.owner_of(thing)] if owner is not None}
        if held is not None and held.version > version:
            return touched
        if held is not None:
            touched |= self._drop(key)
        owner = self.owner_of(thing) if self.watched.owner_label else None
        self._held[key] = _Held(_text(thing, self.watched.metadata_only), version, owner.name if owner else "")
        if owner is not None:
            self._of.setdefault(owner, {})[key] = None
        return touched

    def deleted(self, thing: Object) -> set[Key]:
        """An object is gone. Returns whom it concerns."""
        key = key_of(thing)
        held = self._held.get(key)
        touched = {owner for owner in [self.owner_of(thing)] if owner is not None}
        if held is not None and held.version <= version_of(thing):
            touched |= self._drop(key)
        return touched

    def replied(self, thing: Object) -> None:
        """An object as the API returned it to a write: taken only when the watch has not come so far yet, or it would
        put an older state over a newer one, or bring back what was deleted."""
        key, version = key_of(thing), version_of(thing)
        if version > max(self._seen.get("", -1), self._seen.get(key.namespace, -1)):
            self.changed(thing)

    def _drop(self, key: Key) -> set[Key]:
        held = self._held.pop(key)
        if not self.watched.owner_label:
            return {key}
        owner = Key(key.namespace, held.owner)
        siblings = self._of.get(owner)
        if siblings is not None:
            siblings.pop(key, None)
            if not siblings:
                del self._of[owner]
        return {owner} if held.owner else set()


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

    def replied(self, kind: Kind, thing: Object) -> None:
        """What the API returned to a write of one's own: keep it until the watch says more."""
        for cache in self._of(kind):
            if _selected(thing, cache.watched.labels):
                cache.replied(thing)

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
