"""Hours of streams on the STATE table: what the measurements of a closed hour add up to, kept after those expire."""

from __future__ import annotations

from chalicelib.domain.cost.hours import HOUR_S, StreamHour
from chalicelib.ports.items import Item, ItemStore, Put, Table

RETENTION_SECONDS = 400 * 86400
"""A year and a month, so that a month can be compared with the same a year ago."""


class UsageHours:
    """One item an hour, scope and host. Keeping an hour again replaces it by the same."""

    def __init__(self, store: ItemStore) -> None:
        self._store = store

    def keep(self, tenant: str, hour: StreamHour) -> None:
        """Store an hour that is closed."""
        put = self.write(tenant, hour)
        self._store.put(put.item, put.expected)

    def write(self, tenant: str, hour: StreamHour) -> Put:
        """The write of an hour."""
        body = hour.model_dump(mode="json", by_alias=True)
        expires = hour.hour + HOUR_S + RETENTION_SECONDS
        return Put(Item(Table.STATE, _partition(tenant, hour.scope, hour.host), _key(hour.hour), body, expires=expires))

    def read(self, tenant: str, scope: str, host: str, start: int, end: int) -> dict[int, StreamHour]:
        """The kept hours that begin in start <= hour < end, by their beginning."""
        found: dict[int, StreamHour] = {}
        cursor: str | None = None
        while True:
            page = self._store.query(
                Table.STATE,
                _partition(tenant, scope, host),
                start=_key(start),
                end=_key(end),
                limit=1000,
                cursor=cursor,
            )
            for item in page.items:
                hour = StreamHour.model_validate(item.body)
                found[hour.hour] = hour
            if (cursor := page.cursor) is None:
                return found


def _partition(tenant: str, scope: str, host: str) -> str:
    return f"T#{tenant}#USAGE#{scope}#{host}"


def _key(hour: int) -> str:
    return f"{hour:012d}"
