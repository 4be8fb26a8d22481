"""Audit chains on the AUDIT table: one partition a subject, one item a record, put only if absent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chalicelib.domain.audit import AuditRecord, record
from chalicelib.ports.items import ABSENT, Item, ItemStore, Put, Table


class AuditTrail:
    """Append-only. Two writers of one subject cannot both win: the loser gets Conflict and tries again."""

    def __init__(self, store: ItemStore) -> None:
        self._store = store

    def entry(
        self, tenant: str, subject: str, *, at: float, actor: str, action: str, detail: dict[str, Any] | None = None
    ) -> Put:
        """The write of the subject's next record, for the transaction that makes it true."""
        return self.entries(tenant, subject, at=at, actor=actor, happened=[(action, detail or {})])[0]

    def entries(
        self, tenant: str, subject: str, *, at: float, actor: str, happened: Sequence[tuple[str, dict[str, Any]]]
    ) -> list[Put]:
        """The writes of the subject's next records, for one transaction. happened: action and detail of each."""
        page = self._store.query(Table.AUDIT, _partition(tenant, subject), limit=1, reverse=True)
        last = AuditRecord.model_validate(page.items[0].body) if page.items else None
        writes: list[Put] = []
        for action, detail in happened:
            last = record(last, subject=subject, at=at, actor=actor, action=action, detail=detail)
            item = Item(Table.AUDIT, _partition(tenant, subject), f"{last.seq:012d}", last.model_dump(mode="json"))
            writes.append(Put(item, ABSENT))
        return writes

    def chain(self, tenant: str, subject: str) -> list[AuditRecord]:
        """Every record of a subject, oldest first."""
        found: list[AuditRecord] = []
        cursor: str | None = None
        while True:
            page = self._store.query(Table.AUDIT, _partition(tenant, subject), limit=500, cursor=cursor)
            found += [AuditRecord.model_validate(item.body) for item in page.items]
            if (cursor := page.cursor) is None:
                return found


def _partition(tenant: str, subject: str) -> str:
    return f"T#{tenant}#AUDIT#{subject}"
