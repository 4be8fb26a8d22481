"""Documents that may grow beyond what an item holds as plain JSON: large ones are stored compressed."""

from __future__ import annotations

import json
from typing import TypeVar

from pydantic import BaseModel

from chalicelib.ports.items import Item, Put
from chalicelib.repositories.documents import Documents, Stored
from chalicelib.repositories.packed import pack, unpack

V = TypeVar("V", bound=BaseModel)
PLAIN = 200_000
"""Characters of JSON up to which a document is stored as it is."""
_KEY = "packed"


class PackedDocuments(Documents[V]):
    """As Documents. A thousand hosts' evaluation has a few MB of JSON, and a tenth of that packed."""

    def write(self, tenant: str, value: V, expected: int) -> Put:
        """The write of a value, for a transaction."""
        put = super().write(tenant, value, expected)
        if len(json.dumps(put.item.body, separators=(",", ":"))) <= PLAIN:
            return put
        item = put.item
        packed = Item(item.table, item.pk, item.sk, {_KEY: pack(item.body)}, item.version, item.active, item.expires)
        return Put(packed, put.expected)

    def _read(self, item: Item) -> Stored[V]:
        body = unpack(item.body[_KEY]) if set(item.body) == {_KEY} else item.body
        return Stored(self._model.model_validate(body), item.version)
