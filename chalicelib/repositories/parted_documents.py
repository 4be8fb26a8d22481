"""Documents whose long fields lie in items of their own: what grows with the number of hosts, an item cannot hold.

A part is compressed and named by its content, and stored before the document that names it: who dies in between has
changed nothing. A document that is written again as often as it is looked at does not write its parts again.
"""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

from chalicelib.domain.errors import Unavailable
from chalicelib.ports.items import ANY_VERSION, Delete, Item, ItemStore, Put, Table
from chalicelib.repositories.documents import Documents, Stored
from chalicelib.repositories.packed import mark, packs, unpack

V = TypeVar("V", bound=BaseModel)
K = TypeVar("K")
W = TypeVar("W")
INLINE = 16_000
"""Characters of JSON up to which a field stays in its document."""
FEW_ROWS = 32
"""Elements that are never that long together: names, hashes, proofs."""
MOST_REMOVED = 60
"""Parts that are deleted together with their document; a transaction takes 100 writes, and has others."""
EACH = "*"
"""In a path: every element of a list."""
_PARTS, _OF = "~parts", "~of"
"""No host has such a name, so that no field is taken for what stands for one."""
Path = tuple[str, ...]


@dataclass
class _Recent(Generic[K, W]):
    """The newest of what was used, by key; safe to share between threads."""

    most: int
    _found: OrderedDict[K, W] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def get(self, key: K) -> W | None:
        with self._lock:
            if key in self._found:
                self._found.move_to_end(key)
            return self._found.get(key)

    def keep(self, key: K, value: W) -> None:
        with self._lock:
            self._found[key] = value
            self._found.move_to_end(key)
            while len(self._found) > self.most:
                self._found.popitem(last=False)


class PartedDocuments(Documents[V]):
    """As Documents. long: paths of the fields (names as in the JSON) that may grow long: objects or lists."""

    def __init__(
        self,
        store: ItemStore,
        kind: str,
        model: type[V],
        key: Callable[[V], str],
        *,
        long: Sequence[Path],
        active: Callable[[str, V], str | None],
    ) -> None:
        super().__init__(store, kind, model, key, active=active)
        self._long = tuple(long)
        # What a name says never changes, and what a version names was stored before it.
        self._contents: _Recent[tuple[str, str], list[Any]] = _Recent(128)
        self._named: _Recent[tuple[str, str, int], frozenset[str]] = _Recent(1024)

    def write(self, tenant: str, value: V, expected: int) -> Put:
        """Store the new parts, and give the write of the document that makes them count, for a transaction."""
        put = super().write(tenant, value, expected)
        item = put.item
        known = self._named.get((item.pk, item.sk, expected)) or frozenset()
        named: set[str] = set()

        def cut(found: Any) -> Any:
            if len(found) <= FEW_ROWS or len(json.dumps(found)) <= INLINE:
                return found
            kind, rows = ("map", list(found.items())) if isinstance(found, dict) else ("list", found)
            marks = []
            for _, text in packs(rows, list):
                marks.append(mark(text))
                if marks[-1] not in known | named:
                    self._store.put(Item(item.table, _parts_of(item.pk, item.sk), marks[-1], {"rows": text}))
                named.add(marks[-1])
            return {_PARTS: marks, _OF: kind}

        body = dict(item.body)
        for path in self._long:
            body = _changed(body, path, cut)
        if not named:
            return put
        whole = Item(item.table, item.pk, item.sk, body, item.version, item.active, item.expires)
        return Put(whole, put.expected)

    def removals(self, tenant: str, key: str, expected: int = ANY_VERSION) -> list[Delete]:
        """The deletion of a document and its parts, for one transaction."""
        parts = _parts_of(self.partition(tenant), key)
        page = self._store.query(Table.STATE, parts, limit=MOST_REMOVED)
        return [self.removal(tenant, key, expected), *(Delete(Table.STATE, parts, one.sk) for one in page.items)]

    def _read(self, item: Item) -> Stored[V]:
        named: set[str] = set()

        def join(found: Any) -> Any:
            if not isinstance(found, dict) or _PARTS not in found:
                return found
            named.update(found[_PARTS])
            rows = [row for one in found[_PARTS] for row in self._content(_parts_of(item.pk, item.sk), one)]
            return dict(rows) if found[_OF] == "map" else rows

        body = dict(item.body)
        for path in self._long:
            body = _changed(body, path, join)
        self._named.keep((item.pk, item.sk, item.version), frozenset(named))
        return Stored(self._model.model_validate(body), item.version)

    def _content(self, pk: str, name: str) -> list[Any]:
        known = self._contents.get((pk, name))
        if known is not None:
            return known
        item = self._store.get(Table.STATE, pk, name)
        if item is None:
            raise Unavailable("a part of this record is gone: it was deleted just now", hint="try again")
        rows: list[Any] = unpack(item.body["rows"])
        self._contents.keep((pk, name), rows)
        return rows


def _parts_of(pk: str, key: str) -> str:
    return f"{pk}-PART#{key}"


def _changed(value: Any, path: Path, change: Callable[[Any], Any]) -> Any:
    """The value with what lies at the path changed; a path that leads nowhere changes nothing."""
    if not path:
        return change(value)
    step, rest = path[0], path[1:]
    if step == EACH:
        return [_changed(one, rest, change) for one in value]
    if value is None or step not in value:
        return value
    return {**value, step: _changed(value[step], rest, change)}
