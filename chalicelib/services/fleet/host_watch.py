"""Hosts that are away or back: looked at for tenants that have a webhook which wants to know, and told once each."""

from __future__ import annotations

from chalicelib.domain.errors import Conflict
from chalicelib.domain.fleet.status import away_since
from chalicelib.domain.notification.event import EventType
from chalicelib.domain.notification.facts import FINE, Seen
from chalicelib.services.context import Context
from chalicelib.services.fleet.fleet import Fleet
from chalicelib.services.notifications.notifications import Notifications

EVERY_S = 15.0
AWAY = "away"


class HostWatch:
    """Level-triggered: a missed look costs nothing but time."""

    def __init__(self, context: Context, fleet: Fleet, notifications: Notifications) -> None:
        self._context, self._records = context, context.records
        self._fleet, self._notifications = fleet, notifications

    def step(self, tenant: str, name: str) -> None:
        """Look at the tenant's hosts on behalf of one webhook, if it is time."""
        stored = self._records.webhooks.find(tenant, name)
        now = self._context.clock.now()
        if stored is None or now - stored.value.checked_at < EVERY_S:
            return
        try:
            self._records.webhooks.save(tenant, stored.value.model_copy(update={"checked_at": now}), stored.version)
        except Conflict:
            return  # another looks
        for host in self._records.hosts.all(tenant):
            self._look(tenant, host.value.name, now)

    def _look(self, tenant: str, host: str, now: float) -> None:
        since = away_since(self._fleet.state(tenant, host), now, self._fleet.policy)

        def seen() -> Seen:
            if since is None:
                return Seen(level=FINE, type=EventType.HOST_BACK, title=f"host {host} is back", data={"host": host})
            ago = round(now - since)
            title = f"host {host} is away: last heard of {ago} s ago"
            return Seen(level=AWAY, type=EventType.HOST_AWAY, title=title, data={"host": host, "lastSeen": since})

        self._notifications.settle(tenant, f"host:{host}", seen)
