"""Gates before a promotion: ask them, keep what they say, and hold a promotion until they have."""

from __future__ import annotations

from chalicelib.domain.errors import Conflict, NotFound
from chalicelib.domain.experiment.gate import GateStand, GateView
from chalicelib.domain.experiment.state import Experiment, State
from chalicelib.domain.notification.delivery import first
from chalicelib.domain.notification.gate import Answer, Asked, answered, question, standing
from chalicelib.domain.notification.webhook import Webhook
from chalicelib.ports.items import ABSENT, Write
from chalicelib.services.context import Context, retrying


class Gates:
    """A question is asked once an experiment and gate; a gate that was disabled is still one, and never answers."""

    def __init__(self, context: Context) -> None:
        self._context, self._records = context, context.records

    def look(self, tenant: str, experiment: Experiment) -> GateView:
        """What the gates say of an experiment that waits for its promotion; asks those that were not asked yet."""
        if experiment.state not in (State.DECIDING, State.AWAITING_PROMOTION):
            return GateView()
        gates = [stored.value for stored in self._records.webhooks.all(tenant) if stored.value.spec.gate is not None]
        if experiment.state is State.DECIDING or not gates:
            return GateView(GateStand.WAITING if gates else GateStand.NONE)
        now = self._context.clock.now()
        return standing([self._asked(tenant, experiment, gate, now) for gate in gates], now)

    def permit(self, tenant: str, experiment: Experiment) -> None:
        """Raises Conflict while a gate keeps an operator from promoting."""
        view = self.look(tenant, experiment)
        if experiment.state is State.AWAITING_PROMOTION and view.stand in (GateStand.WAITING, GateStand.DENIED):
            raise Conflict(
                f"experiment {experiment.name!r} cannot be promoted now: {view.detail}",
                hint=f"see and answer: phoenix webhook gates {experiment.name}",
            )

    def asked(self, tenant: str, experiment: Experiment) -> list[Asked]:
        """Every question about an experiment, in order of the gate's name."""
        prefix = f"{experiment.uid}#"
        found, _ = self._records.gates.page(tenant, 500, None, start=prefix, end=f"{experiment.uid}$")
        return [stored.value for stored in found]

    def answer(self, tenant: str, uid: str, webhook: str, given: Answer, by: str) -> Asked:
        """Keep an answer; the first one counts. Raises NotFound when nothing was asked."""

        def attempt() -> Asked:
            stored = self._records.gates.find(tenant, f"{uid}#{webhook}")
            if stored is None:
                hint = "gates are asked when the candidate has won; see: phoenix webhook gates EXPERIMENT"
                raise NotFound(f"gate {webhook!r} was not asked about this experiment", hint=hint)
            now = self._context.clock.now()
            after = answered(stored.value, given, by, now)
            if after == stored.value:
                return after
            detail = {"gate": webhook, "decision": given.decision.value, "reason": given.reason}
            entry = self._records.audit.entry(
                tenant, f"experiment:{uid}", at=now, actor=by, action="gate", detail=detail
            )
            write = self._records.gates.write(tenant, after, stored.version)
            self._records.store.transact([write, entry], token=f"gate-{self._context.entropy.uid()}")
            return after

        return retrying(attempt)

    def _asked(self, tenant: str, experiment: Experiment, gate: Webhook, now: float) -> Asked:
        found = self._records.gates.find(tenant, f"{experiment.uid}#{gate.spec.name}")
        if found is not None:
            return found.value
        asked, told = question(experiment, gate, now)
        writes: list[Write] = [
            self._records.gates.write(tenant, asked, ABSENT),
            self._records.deliveries.write(tenant, first(told, gate.spec.name, gate.uid, now), ABSENT),
        ]
        try:
            self._records.store.transact(writes, token=told.id)
        except Conflict:
            return self._records.gates.get(tenant, asked.key).value
        return asked
