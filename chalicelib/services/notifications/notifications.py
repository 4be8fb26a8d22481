"""The outbox: what is told is written in the transaction that makes it true, and spread to webhooks afterwards."""

from __future__ import annotations

from collections.abc import Callable

from chalicelib.domain.errors import Conflict
from chalicelib.domain.experiment.state import Experiment
from chalicelib.domain.notification.delivery import first
from chalicelib.domain.notification.event import Notification, of_experiment
from chalicelib.domain.notification.facts import Fact, Seen, changed
from chalicelib.ports.items import ABSENT, Put, Write
from chalicelib.repositories.records import Records
from chalicelib.services.context import Context


def told(records: Records, tenant: str, events: tuple[Notification, ...]) -> list[Put]:
    """The writes of events, for the transaction that makes them true."""
    return [records.notifications.write(tenant, event, ABSENT) for event in events]


def told_of_experiment(
    records: Records, tenant: str, before: Experiment | None, after: Experiment, version: int, now: float
) -> list[Put]:
    """The writes of what a change of an experiment tells. version: that it is stored under."""
    return told(records, tenant, of_experiment(before, after, version, now))


class Notifications:
    """Each step may run twice: a delivery has the id of its event and webhook, and is made once."""

    def __init__(self, context: Context) -> None:
        self._context, self._records = context, context.records

    def settle(self, tenant: str, subject: str, look: Callable[[], Seen]) -> Fact | None:
        """Tell a fact that changed, once; the new fact, or None when nothing changed. A lost race is no error."""
        found = self._records.facts.find(tenant, subject)
        now = self._context.clock.now()
        made = changed(found.value if found else None, subject, look(), now)
        if made is None:
            return None
        fact, event = made
        version = found.version if found else ABSENT
        writes: list[Write] = [
            self._records.facts.write(tenant, fact, version),
            *told(self._records, tenant, (event,)),
        ]
        try:
            self._records.store.transact(writes, token=event.id)
        except Conflict:
            return None  # another told it
        return fact

    def spread(self, tenant: str, event_id: str) -> None:
        """A delivery for every webhook that wants the event; then the outbox is done with it."""
        found = self._records.notifications.find(tenant, event_id)
        if found is None or found.value.spread:
            return
        event, now = found.value, self._context.clock.now()
        for stored in self._records.webhooks.all(tenant):
            webhook = stored.value
            if webhook.wants(event.type):
                self.deliver_to(tenant, event, webhook.spec.name, webhook.uid, now)
        done = event.model_copy(update={"spread": True})
        self._records.notifications.save(tenant, done, found.version)

    def deliver_to(self, tenant: str, event: Notification, webhook: str, uid: str, now: float) -> None:
        """One delivery, unless there is one already."""
        try:
            self._records.deliveries.create(tenant, first(event, webhook, uid, now))
        except Conflict:
            return
