"""Failed configurations of a host: what was tried there, and the operator's word that one may be offered again."""

from __future__ import annotations

from chalicelib.domain.audit import AuditRecord
from chalicelib.domain.fleet.agents import second_of
from chalicelib.domain.fleet.assignments import released
from chalicelib.domain.fleet.state import Failure
from chalicelib.ports.items import Write
from chalicelib.repositories.records import AgentRecord
from chalicelib.services.context import Context, retrying

ACTION = "config released"
_ATTEMPTS = "config "
"""How the actions of a host's audit begin that are about configurations."""


class Quarantine:
    """A release changes what may be offered, not what is: order a deployment or an experiment again afterwards."""

    def __init__(self, context: Context) -> None:
        self._context, self._records = context, context.records

    def attempts(self, tenant: str, host: str) -> list[AuditRecord]:
        """Every configuration that was confirmed, failed, rolled back or released there, oldest first; for as long as
        the audit is kept. Raises NotFound."""
        self._records.hosts.get(tenant, host)
        chain = self._records.audit.chain(tenant, f"host:{host}")
        return [record for record in chain if record.action.startswith(_ATTEMPTS)]

    def release(self, tenant: str, host: str, given: str, actor: str) -> Failure:
        """Let a failed configuration be offered again. given: its content hash, or enough digits of it. Raises
        NotFound, InvalidInput (digits that fit more than one)."""

        def attempt() -> Failure:
            self._records.hosts.get(tenant, host)
            agent = self._agent(tenant, host, given)
            stored = self._records.agents.get(tenant, agent)
            state, failure = released(stored.value.state, given)
            now = self._context.clock.now()
            detail = {"content_hash": failure.content_hash, "error": failure.error[:500], "failed_at": failure.at}
            entry = self._records.audit.entry(tenant, f"host:{host}", at=now, actor=actor, action=ACTION, detail=detail)
            write = self._records.agents.write(tenant, AgentRecord(host=agent, state=state), stored.version)
            writes: list[Write] = [write, entry]
            self._records.store.transact(writes, token=f"release-{self._context.entropy.uid()}")
            return failure

        return retrying(attempt)

    def _agent(self, tenant: str, host: str, given: str) -> str:
        """The agent of the host that remembers the failure: its second one, when only that does."""
        own, second = host, second_of(host)
        found = self._records.agents.several(tenant, (own, second))
        knows = {a for a, s in found.items() if any(f.content_hash.startswith(given) for f in s.value.state.quarantine)}
        return second if knows == {second} else own
