"""Deliveries on their way: one attempt at a time, kept after each; dead letters, shown and replayed."""

from __future__ import annotations

from chalicelib.domain.errors import Conflict
from chalicelib.domain.notification.delivery import Delivery, attempted, dropped, gone, replayed
from chalicelib.domain.notification.event import EventType
from chalicelib.domain.notification.gate import said
from chalicelib.domain.notification.payload import body
from chalicelib.domain.notification.signing import headers
from chalicelib.domain.notification.webhook import Webhook
from chalicelib.ports.items import Write
from chalicelib.ports.notifier import Notifier
from chalicelib.repositories.documents import Stored
from chalicelib.services.context import Context
from chalicelib.services.notifications.gates import Gates
from chalicelib.services.notifications.signing_key import SigningKey

LEASE_S = 30.0
"""Seconds for which a started attempt is another's business: longer than any attempt lasts."""


class Deliveries:
    """Attempts may be made twice (a process that dies between post and save makes it again): the id is the same."""

    def __init__(self, context: Context, notifier: Notifier, key: SigningKey, gates: Gates) -> None:
        self._context, self._records = context, context.records
        self._notifier, self._key, self._gates = notifier, key, gates

    def step(self, tenant: str, key: str) -> None:
        """Make the attempt that is due, if one is."""
        found = self._records.deliveries.find(tenant, key)
        now = self._context.clock.now()
        if found is None or not found.value.pending or found.value.next_at > now:
            return
        webhook = self._records.webhooks.find(tenant, found.value.webhook)
        why = _why_not(found.value, webhook.value if webhook else None)
        if webhook is None or why:
            self._save(tenant, Stored(dropped(found.value, why, now), found.version))
            return
        try:
            # Two deliverers at once: one of them takes the attempt.
            leased = self._records.deliveries.save(
                tenant, found.value.model_copy(update={"next_at": now + LEASE_S}), found.version
            )
        except Conflict:
            return
        self._attempt(tenant, leased, webhook)

    def page(self, tenant: str, webhook: str, limit: int, cursor: str | None) -> tuple[list[Delivery], str | None]:
        """Deliveries of a webhook, oldest event first. Raises NotFound for a webhook that does not exist."""
        self._records.webhooks.get(tenant, webhook)
        found, after = self._records.deliveries.page(tenant, limit, cursor, start=f"{webhook}#", end=f"{webhook}$")
        return [stored.value for stored in found], after

    def replay(self, tenant: str, webhook: str, delivery: str, actor: str) -> Delivery:
        """Send an event once more, under its own id. Raises NotFound, Conflict while it is on its way."""
        stored = self._records.deliveries.get(tenant, f"{webhook}#{delivery}")
        if stored.value.pending:
            raise Conflict(f"delivery {delivery} is on its way", hint="it is tried again by itself")
        now = self._context.clock.now()
        again = replayed(stored.value, now)
        webhook_now = self._records.webhooks.get(tenant, webhook).value
        again = again.model_copy(update={"webhook_uid": webhook_now.uid})
        entry = self._records.audit.entry(
            tenant, f"webhook:{webhook}", at=now, actor=actor, action="replay", detail={"delivery": delivery}
        )
        write = self._records.deliveries.write(tenant, again, stored.version)
        self._records.store.transact([write, entry], token=f"replay-{self._context.entropy.uid()}")
        return again

    def _attempt(self, tenant: str, leased: Stored[Delivery], webhook: Stored[Webhook]) -> None:
        delivery, spec = leased.value, webhook.value.spec
        sent = body(delivery.event, spec.format)
        secret = self._key.secret(tenant, webhook.value.uid)
        signed = headers(secret, delivery.event.id, self._context.clock.now(), sent)
        reply = self._notifier.post(spec.url, {"Content-Type": "application/json", **signed}, sent)
        now = self._context.clock.now()
        if reply.good and delivery.event.type is EventType.GATE_ASKED:
            self._hear(tenant, delivery, reply.body)
        after = attempted(delivery, reply, now)
        self._save(tenant, Stored(after, leased.version))
        if gone(reply):
            why = "the receiver answered 410: it wants nothing any more"
            disabled = webhook.value.model_copy(update={"disabled": why})
            entry = self._records.audit.entry(
                tenant, f"webhook:{spec.name}", at=now, actor="controller", action="disable", detail={"why": why}
            )
            writes: list[Write] = [self._records.webhooks.write(tenant, disabled, webhook.version), entry]
            self._records.store.transact(writes, token=f"disable-{webhook.value.uid}-{webhook.version}")

    def _hear(self, tenant: str, delivery: Delivery, body: bytes) -> None:
        """A gate's answer in its response. Kept before the delivery is: asked again, it answers again."""
        answer = said(body)
        if answer is not None:
            uid = str(delivery.event.data["uid"])
            self._gates.answer(tenant, uid, delivery.webhook, answer, f"webhook:{delivery.webhook}")

    def _save(self, tenant: str, stored: Stored[Delivery]) -> None:
        self._records.deliveries.save(tenant, stored.value, stored.version)


def _why_not(delivery: Delivery, webhook: Webhook | None) -> str:
    if webhook is None or webhook.uid != delivery.webhook_uid:
        return "the webhook was deleted"
    return webhook.disabled
