"""Documents that may grow beyond what an item holds: large ones are stored compressed, very large ones in pieces too.

The pieces are written in one transaction with their document, which has their mark: a reader who met two writes at
once reads again.
"""

from __future__ import annotations

import json
from typing import Any, TypeVar

from pydantic import BaseModel

from chalicelib.domain.errors import Unavailable
from chalicelib.ports.items import ANY_VERSION, Delete, Item, Put, Table
from chalicelib.repositories.documents import Documents, Stored
from chalicelib.repositories.packed import MAX_PACKED, mark, pack_json, unpack

V = TypeVar("V", bound=BaseModel)
PLAIN = 2_000
"""Characters of JSON up to which a document is stored as it is. Every kilobyte written is paid for."""
READS = 5
_KEY, _MARK, _PIECES = "packed", "mark", "pieces"


class PackedDocuments(Documents[V]):
    """As Documents. A thousand hosts' evaluation has a few MB of JSON, and some hundred kB packed."""

    def writes(self, tenant: str, value: V, expected: int) -> list[Put]:
        """The writes of a value, for one transaction: the document first."""
        put = super().write(tenant, value, expected)
        item = put.item
        plain = json.dumps(item.body, separators=(",", ":"))
        if len(plain) <= PLAIN:
            return [put]
        text = pack_json(plain)
        first, *rest = (text[start : start + MAX_PACKED] for start in range(0, len(text), MAX_PACKED))
        body: dict[str, Any] = {_KEY: first}
        if rest:
            body |= {_MARK: mark(text), _PIECES: len(rest)}
        head = Item(item.table, item.pk, item.sk, body, item.version, item.active, item.expires)
        return [
            Put(head, put.expected),
            *(
                Put(Item(item.table, item.pk, _piece(item.sk, i), {_KEY: one, _MARK: mark(text)}, expires=item.expires))
                for i, one in enumerate(rest)
            ),
        ]

    def write(self, tenant: str, value: V, expected: int) -> Put:
        """The write of a value that surely fits one item. Raises ValueError for another."""
        (put,) = self.writes(tenant, value, expected)
        return put

    def removals(self, tenant: str, key: str) -> list[Delete]:
        """The deletion of a value and its pieces, for one transaction."""
        pk = self.partition(tenant)
        page = self._store.query(Table.STATE, pk, start=_piece(key), end=f"{key}$", limit=20)
        return [self.removal(tenant, key, ANY_VERSION), *(Delete(Table.STATE, pk, one.sk) for one in page.items)]

    def _read(self, item: Item) -> Stored[V]:
        found: Item | None = item
        for _ in range(READS):
            if found is None:
                break
            body = self._whole(found)
            if body is not None:
                return Stored(self._model.model_validate(body), found.version)
            found = self._store.get(item.table, item.pk, item.sk)
        raise Unavailable("this record changes faster than it can be read, or is gone", hint="try again")

    def _whole(self, item: Item) -> Any:
        """The body, or None when its pieces are of another write."""
        if _KEY not in item.body:
            return item.body
        text = item.body[_KEY]
        for number in range(item.body.get(_PIECES, 0)):
            piece = self._store.get(item.table, item.pk, _piece(item.sk, number))
            if piece is None or piece.body[_MARK] != item.body[_MARK]:
                return None
            text += piece.body[_KEY]
        return unpack(text)


def _piece(key: str, number: int | None = None) -> str:
    return f"{key}#" if number is None else f"{key}#{number:03d}"
