"""Hosts: let them in, show them, take their word about themselves, remove them."""

from __future__ import annotations

import re

from chalicelib.domain.access import TOKEN_PREFIX, Principal, Role, digest
from chalicelib.domain.errors import Conflict, InvalidInput, NotAuthenticated, Problem
from chalicelib.domain.experiment.spec import NAME
from chalicelib.domain.fleet.agents import second_of
from chalicelib.domain.fleet.judge import collector_error
from chalicelib.domain.host import Enrolment, Host, HostFacts
from chalicelib.domain.pipeline.masking import mask_text
from chalicelib.ports.items import ABSENT, Write
from chalicelib.repositories.documents import Stored
from chalicelib.repositories.records import EVERYWHERE
from chalicelib.services.context import Context, retrying
from chalicelib.services.fleet.claims import Claims
from chalicelib.services.fleet.fleet import Fleet
from chalicelib.services.tokens import Tokens

ENROLMENT_LIFETIME = 3600.0


class Hosts:
    """Enrolment is two steps: an operator makes a one-time token, the host trades it for its own."""

    def __init__(
        self, context: Context, fleet: Fleet, tokens: Tokens, experiments: Claims, deployments: Claims
    ) -> None:
        self._context, self._records = context, context.records
        self._fleet, self._tokens = fleet, tokens
        self._experiments, self._deployments = experiments, deployments

    def invite(self, tenant: str, actor: str, name: str = "") -> tuple[str, float]:
        """A one-time token (for `name` only, if given) and when it expires, Unix seconds."""
        if name and self._records.hosts.find(tenant, name):
            raise Conflict(f"host {name!r} is enrolled already", hint=f"remove it first: phoenix host remove {name}")
        secret = TOKEN_PREFIX + "e_" + self._context.entropy.secret()
        now = self._context.clock.now()
        enrolment = Enrolment(
            digest=digest(secret), host=name, created_by=actor, created_at=now, expires_at=now + ENROLMENT_LIFETIME
        )
        # The tenant travels in the key of the record, so that the exchange needs no credential but the secret.
        self._records.enrolments.create(EVERYWHERE, enrolment.model_copy(update={"created_by": f"{tenant}/{actor}"}))
        return secret, enrolment.expires_at

    def enrol(self, secret: str, name: str, labels: dict[str, str]) -> str:
        """Trade a one-time token for the host's own, which is returned. Raises NotAuthenticated, Conflict."""
        found = self._records.enrolments.find(EVERYWHERE, digest(secret))
        if found is None:
            raise NotAuthenticated(
                "unknown, used or expired enrolment token", hint="make a new one: phoenix host enrol"
            )
        if not re.fullmatch(NAME, name):
            raise InvalidInput(
                f"{name!r} is not a host name",
                problems=(Problem("/host", "not a DNS label", "use a-z, 0-9 and '-', at most 63 characters"),),
            )
        if found.value.host and found.value.host != name:
            raise Conflict(f"this enrolment token is for host {found.value.host!r}, not {name!r}")
        tenant, _, actor = found.value.created_by.partition("/")
        if self._records.hosts.find(tenant, name):
            raise Conflict(f"host {name!r} is enrolled already", hint=f"remove it first: phoenix host remove {name}")
        token, own = self._tokens.issue(tenant, Role.HOST, name, actor)
        now = self._context.clock.now()
        host = Host(name=name, labels=labels, enrolled_at=now, enrolled_by=actor, token_id=token.id)
        entry = self._records.audit.entry(tenant, f"host:{name}", at=now, actor=actor, action="enrol")
        removal = self._records.enrolments.removal(EVERYWHERE, found.value.digest, found.version)
        self._records.store.transact(
            [self._records.hosts.write(tenant, host, ABSENT), removal, entry], token=f"enrol-{token.id}"
        )
        return own

    def page(self, tenant: str, limit: int, cursor: str | None) -> tuple[list[Host], str | None]:
        """Hosts in order of name."""
        found, cursor = self._records.hosts.page(tenant, limit, cursor)
        return [stored.value for stored in found], cursor

    def get(self, tenant: str, name: str) -> Host:
        """One host. Raises NotFound."""
        return self._records.hosts.get(tenant, name).value

    def experiment_of(self, tenant: str, name: str) -> str:
        """Name of the experiment that holds the host, or ""."""
        claim = self._experiments.holder(tenant, name)
        return claim.holder if claim else ""

    def deployment_of(self, tenant: str, name: str) -> str:
        """Name of the deployment that the host belongs to, or ""."""
        claim = self._deployments.holder(tenant, name)
        return claim.holder if claim else ""

    def select(self, tenant: str, labels: dict[str, str]) -> tuple[str, ...]:
        """Names of the hosts that have all these labels."""
        return tuple(
            stored.value.name
            for stored in self._records.hosts.all(tenant)
            if labels.items() <= stored.value.labels.items()
        )

    def report(self, principal: Principal, facts: HostFacts) -> None:
        """Keep what a host's agent says; the collector's own error text goes to the configuration it is about."""
        tenant, name = principal.tenant, principal.subject
        error = facts.collector_error
        if error is not None:
            error = error.model_copy(update={"text": mask_text(error.text)})
            facts = facts.model_copy(update={"collector_error": error})

        def attempt() -> Stored[Host]:
            stored = self._records.hosts.get(tenant, name)
            changed = stored.value.model_copy(update={"facts": facts, "facts_at": self._context.clock.now()})
            return self._records.hosts.save(tenant, changed, stored.version)

        retrying(attempt)
        if error is not None:
            text, at, marker = error.text, error.at, error.marker
            agent = second_of(name) if error.second else name
            self._fleet.update(tenant, agent, lambda state: collector_error(state, text, at, marker))

    def remove(self, tenant: str, name: str, actor: str) -> None:
        """Revoke its token and forget it. Raises Conflict while an experiment or deployment holds it."""
        stored = self._records.hosts.get(tenant, name)
        if cluster := stored.value.cluster:
            raise Conflict(
                f"host {name!r} is a node of cluster {cluster!r}, and comes back with every look at it",
                hint=f"take the node out of the cluster, or: phoenix cluster remove {cluster}",
            )
        if holder := self.experiment_of(tenant, name):
            raise Conflict(f"host {name!r} is busy in experiment {holder!r}", hint="stop the experiment first")
        if holder := self.deployment_of(tenant, name):
            raise Conflict(f"host {name!r} belongs to deployment {holder!r}", hint=f"phoenix pipeline delete {holder}")
        self._tokens.revoke(tenant, stored.value.token_id, actor)
        now = self._context.clock.now()
        agent = self._records.agents.find(tenant, name)
        uid = agent.value.state.instance_uid if agent else None
        # Its supervisor may come back under another name, and keeps its instance uid then.
        binding = [self._records.agent_bindings.removal(EVERYWHERE, uid)] if uid else []
        writes: list[Write] = [
            *binding,
            self._records.hosts.removal(tenant, name, stored.version),
            self._records.agents.removal(tenant, name),
            self._records.effective_configs.removal(tenant, name),
            self._records.agents.removal(tenant, second_of(name)),
            self._records.effective_configs.removal(tenant, second_of(name)),
            self._records.audit.entry(tenant, f"host:{name}", at=now, actor=actor, action="remove"),
        ]
        self._records.store.transact(writes, token=f"remove-{stored.value.token_id}")
