"""Webhooks: make, show, test, delete. Their secret is shown once and kept nowhere."""

from __future__ import annotations

from chalicelib.domain.errors import Conflict, InvalidInput, Problem
from chalicelib.domain.notification.delivery import Delivery, first
from chalicelib.domain.notification.event import EventType, Notification
from chalicelib.domain.notification.webhook import Webhook, WebhookSpec
from chalicelib.ports.items import ABSENT, Write
from chalicelib.services.context import Context
from chalicelib.services.notifications.signing_key import SigningKey

MOST_WEBHOOKS = 50
"""For a tenant: an event becomes a delivery for each."""


class Webhooks:
    """A webhook that is made again under its name has another uid, hence another secret."""

    def __init__(self, context: Context, key: SigningKey) -> None:
        self._context, self._records, self._key = context, context.records, key

    def create(self, tenant: str, spec: WebhookSpec, actor: str) -> tuple[Webhook, str]:
        """A new webhook and its signing secret. Raises Conflict (name taken), InvalidInput (too many)."""
        if self._records.webhooks.find(tenant, spec.name):
            fix = f"choose another name, or: phoenix webhook delete {spec.name}"
            rule = f"a webhook named {spec.name!r} exists"
            raise Conflict(rule, problems=(Problem("/name", rule, fix),), hint=fix)
        if sum(1 for _ in self._records.webhooks.all(tenant)) >= MOST_WEBHOOKS:
            raise InvalidInput(f"there are {MOST_WEBHOOKS} webhooks already", hint="delete one that is not needed")
        now = self._context.clock.now()
        made = Webhook(spec=spec, uid=self._context.entropy.uid(), created_at=now, created_by=actor)
        detail = spec.model_dump(mode="json", by_alias=True)
        entry = self._records.audit.entry(
            tenant, f"webhook:{spec.name}", at=now, actor=actor, action="create", detail=detail
        )
        write = self._records.webhooks.write(tenant, made, ABSENT)
        self._records.store.transact([write, entry], token=f"webhook-{made.uid}")
        return made, self._key.secret(tenant, made.uid)

    def get(self, tenant: str, name: str) -> Webhook:
        """Raises NotFound."""
        return self._records.webhooks.get(tenant, name).value

    def page(self, tenant: str, limit: int, cursor: str | None) -> tuple[list[Webhook], str | None]:
        """Webhooks in order of name."""
        found, after = self._records.webhooks.page(tenant, limit, cursor)
        return [stored.value for stored in found], after

    def test(self, tenant: str, name: str, actor: str) -> Delivery:
        """Send it an event of its own, whatever it listens to. Raises NotFound, Conflict when it is disabled."""
        webhook = self.get(tenant, name)
        if webhook.disabled:
            raise Conflict(f"webhook {name!r} is disabled: {webhook.disabled}", hint="delete it and make it again")
        now = self._context.clock.now()
        event = Notification(
            id=f"msg_test_{self._context.entropy.uid()}",
            type=EventType.WEBHOOK_TEST,
            at=now,
            subject=f"webhook:{name}",
            title=f"a test of webhook {name}, asked for by {actor}",
        )
        return self._records.deliveries.create(tenant, first(event, name, webhook.uid, now)).value

    def delete(self, tenant: str, name: str, actor: str) -> None:
        """Nothing is sent to it from now on; what is on its way becomes a dead letter. Raises NotFound."""
        stored = self._records.webhooks.get(tenant, name)
        now = self._context.clock.now()
        writes: list[Write] = [
            self._records.webhooks.removal(tenant, name, stored.version),
            self._records.audit.entry(tenant, f"webhook:{name}", at=now, actor=actor, action="delete"),
        ]
        self._records.store.transact(writes, token=f"webhook-delete-{stored.value.uid}")
