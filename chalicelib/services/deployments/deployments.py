"""Deployments: one pipeline on hosts, versions, roll back, delete. Level-triggered: `step` makes hosts follow."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from chalicelib.domain.deployment import Deployment, DeploymentPlan, DeploymentVersion, scope
from chalicelib.domain.errors import Conflict, InvalidInput, Problem
from chalicelib.domain.fleet.assignments import quarantined
from chalicelib.domain.fleet.judge import IDLE_HASH
from chalicelib.domain.fleet.state import AgentState, Purpose
from chalicelib.domain.fleet.status import HostConfigStatus, HostStatus, status_of
from chalicelib.domain.notification.settled import of_deployment
from chalicelib.ports.items import ABSENT
from chalicelib.repositories.documents import Stored
from chalicelib.repositories.records import EffectiveConfig
from chalicelib.services.clusters.absence import Absence
from chalicelib.services.context import Context, retrying
from chalicelib.services.fleet.claims import Claims
from chalicelib.services.fleet.fleet import Fleet
from chalicelib.services.notifications.notifications import Notifications
from chalicelib.services.pipelines.pipelines import Pipelines

_DONE = frozenset({HostStatus.ACTIVE, HostStatus.FAILED, HostStatus.ROLLED_BACK})


class Deployments:
    """claims: which deployment a host belongs to. experiments: which experiment holds a host meanwhile."""

    def __init__(
        self,
        context: Context,
        fleet: Fleet,
        pipelines: Pipelines,
        claims: Claims,
        experiments: Claims,
        notifications: Notifications,
        absence: Absence,
    ) -> None:
        self._context, self._records, self._notifications = context, context.records, notifications
        self._fleet, self._pipelines, self._claims, self._experiments = fleet, pipelines, claims, experiments
        self._absence = absence

    def deploy(
        self, tenant: str, name: str, plan: DeploymentPlan, hosts: Sequence[str], actor: str, *, force: bool = False
    ) -> Deployment:
        """A new deployment, or a new version of an existing one (on its own hosts when none are named).

        Raises InvalidInput, Conflict (host busy, or failed with this very configuration before; `force`
        lifts the latter), Rejected (the collector refuses it). Nothing is changed when it raises.
        """
        found = self._records.deployments.find(tenant, name)
        if found and hosts and set(hosts) != set(found.value.hosts):
            raise Conflict(
                f"deployment {name!r} runs on {', '.join(found.value.hosts)}",
                hint="leave hosts out for a new version of it, or choose another name",
            )
        targets = found.value.hosts if found else tuple(dict.fromkeys(hosts))
        self._check_hosts(tenant, targets)
        plan = self._pinned(tenant, plan)
        number = found.value.next_number() if found else 1
        version = self.make_version(tenant, name, number, plan, targets, actor)
        self._refuse_failed(tenant, version, force)
        self._claims.take(tenant, targets, name, "", self._context.clock.now(), "/hosts")
        base = found.value if found else Deployment(name=name, hosts=targets)
        made = base.add(version).model_copy(update={"current": number, "settled": False, "deleting": False})
        saved = self._save(
            tenant, made, found.version if found else ABSENT, actor, f"deploy version {number}", plan.label()
        )
        self._step(tenant, saved, force=force)
        return saved.value

    def rollback(self, tenant: str, name: str, actor: str, number: int | None = None) -> Deployment:
        """Back to the version before the current one, or to a given one: as a new version.

        Raises InvalidInput, Conflict (no such version, host busy, or that configuration failed on a host meanwhile).
        """
        found = self._records.deployments.get(tenant, name)
        here = found.value.current
        target = found.value.version(number) if number is not None else found.value.before(here)
        if target is None:
            raise InvalidInput(
                f"deployment {name!r} has no version {number}",
                problems=(Problem("/version", f"no version {number}", "see: phoenix pipeline status " + name),),
            )
        self._check_hosts(tenant, found.value.hosts)
        made_number = found.value.next_number()
        version = self.make_version(tenant, name, made_number, target.plan, found.value.hosts, actor)
        version = version.model_copy(update={"note": f"roll back to version {target.number}"})
        self._refuse_failed(tenant, version, force=False)
        made = found.value.add(version).model_copy(update={"current": made_number, "settled": False, "deleting": False})
        saved = self._save(
            tenant, made, found.version, actor, f"roll back to version {target.number}", target.plan.label()
        )
        self._step(tenant, saved, force=False)
        return saved.value

    def delete(self, tenant: str, name: str, actor: str) -> None:
        """Hosts go idle, then the record goes. Raises NotFound, Conflict (a host is busy)."""

        def attempt() -> Stored[Deployment]:
            found = self._records.deployments.get(tenant, name)
            self._refuse_busy(tenant, found.value.hosts)
            gone = found.value.model_copy(update={"deleting": True, "settled": False})
            return self._save(tenant, gone, found.version, actor, "delete", "")

        self._step(tenant, retrying(attempt), force=False)

    def get(self, tenant: str, name: str) -> Deployment:
        """Raises NotFound."""
        return self._records.deployments.get(tenant, name).value

    def page(self, tenant: str, limit: int, cursor: str | None) -> tuple[list[Deployment], str | None]:
        """Deployments in order of name."""
        found, cursor = self._records.deployments.page(tenant, limit, cursor)
        return [stored.value for stored in found], cursor

    def statuses(self, tenant: str, deployment: Deployment) -> dict[str, HostConfigStatus]:
        """Status of the current version on each host, from what the hosts themselves reported."""
        now = self._context.clock.now()
        of = scope(deployment.name, deployment.current)
        states = self._fleet.states(tenant, deployment.hosts)
        found = {host: status_of(state, of, now, self._fleet.policy) for host, state in states.items()}
        away = [host for host, status in found.items() if status.status is HostStatus.AWAY]
        why = self._absence(tenant, away)
        return found | {host: found[host].model_copy(update={"error": text}) for host, text in why.items()}

    def active_config(self, tenant: str, host: str) -> EffectiveConfig | None:
        """What the host's collector last said it runs, secrets masked; None when it said nothing yet. A supervisor's
        says the whole text, a node's the hash of the one it was given."""
        found = self._records.effective_configs.find(tenant, host)
        return found.value if found else self._fleet.proven(tenant, host)

    def make_version(
        self, tenant: str, name: str, number: int, plan: DeploymentPlan, hosts: Sequence[str], actor: str
    ) -> DeploymentVersion:
        """Render and check a version for every host and keep the configurations. Raises InvalidInput, Rejected."""
        configs = {host: self._pipelines.plan_config(tenant, plan, scope(name, number), host) for host in hosts}
        if hosts:  # they differ in the host's name only
            self._pipelines.check(configs[hosts[0]], "/plan")
        return DeploymentVersion(
            number=number,
            plan=plan,
            configs=self._fleet.keep_configs(tenant, configs),
            created_at=self._context.clock.now(),
            created_by=actor,
        )

    def step(self, tenant: str, name: str) -> None:
        """Make hosts follow the record, until every one has confirmed or refused. What the clock calls."""
        found = self._records.deployments.find(tenant, name)
        if found and not found.value.settled:
            self._step(tenant, found, force=False)

    def change(
        self, tenant: str, name: str, change: Callable[[Deployment | None], Deployment], actor: str, action: str
    ) -> Deployment:
        """Apply a pure change to a deployment (None when it does not exist yet), audited. For promotions."""

        def attempt() -> Deployment:
            found = self._records.deployments.find(tenant, name)
            made = change(found.value if found else None)
            if found and made == found.value:
                return made
            return self._save(tenant, made, found.version if found else ABSENT, actor, action, "").value

        return retrying(attempt)

    def _step(self, tenant: str, stored: Stored[Deployment], *, force: bool) -> None:
        deployment = stored.value
        if deployment.deleting:
            self._finish_delete(tenant, stored)
            return
        version = deployment.version(deployment.current)
        waiting = False
        busy = self._experiments.holders(tenant, deployment.hosts)
        for host, state in self._fleet.states(tenant, deployment.hosts).items():
            if host in busy:
                waiting = True
                continue
            waiting |= not self._follow(tenant, host, state, deployment, version, force)
        if not waiting:
            statuses = self.statuses(tenant, deployment)
            self._notifications.settle(
                tenant, f"deployment:{deployment.name}", lambda: of_deployment(deployment, statuses)
            )
            settled = deployment.model_copy(update={"settled": True})
            self._records.deployments.save(tenant, settled, stored.version)

    def _follow(
        self,
        tenant: str,
        host: str,
        state: AgentState,
        deployment: Deployment,
        version: DeploymentVersion | None,
        force: bool,
    ) -> bool:
        """Whether the host has confirmed or refused the version; wants it there otherwise."""
        wanted = version.configs.get(host) if version else None
        if version is None or wanted is None:
            return True
        if not force and quarantined(state, wanted):
            return True
        of = scope(deployment.name, version.number)
        here = state.desired
        if force or here is None or here.failed_at or (here.scope, here.content_hash) != (of, wanted):
            self._fleet.want(
                tenant, host, of, wanted, Purpose.DEPLOY, force=force and quarantined(state, wanted) is not None
            )
        return status_of(state, of, self._context.clock.now(), self._fleet.policy).without_absence in _DONE

    def _finish_delete(self, tenant: str, stored: Stored[Deployment]) -> None:
        name = stored.value.name
        for host, state in self._fleet.states(tenant, stored.value.hosts).items():
            if _of(state, name):
                self._fleet.want_idle(tenant, host)
        self._claims.release(tenant, stored.value.hosts, name, "")
        self._records.store.transact(
            [
                *self._records.deployments.removals(tenant, name, stored.version),
                self._records.facts.removal(tenant, f"deployment:{name}"),
            ],
            token=f"delete-{name}-{self._context.entropy.uid()}",
        )

    def _pinned(self, tenant: str, plan: DeploymentPlan) -> DeploymentPlan:
        """The plan with the version of its pipeline, so that an update never changes what was deployed."""
        if plan.pipeline is None:
            return plan
        pinned = self._pipelines.pinned(tenant, plan.pipeline, "/plan/pipeline")
        return plan.model_copy(update={"pipeline": pinned})

    def _check_hosts(self, tenant: str, hosts: Sequence[str]) -> None:
        if not hosts:
            problem = Problem("/hosts", "empty", "name at least one host; see: phoenix host list")
            raise InvalidInput("/hosts: no host is named", problems=(problem,))
        known = self._records.hosts.several(tenant, hosts)
        for position, host in enumerate(hosts):
            if host not in known:
                problem = Problem(f"/hosts/{position}", f"no host named {host!r}", "see: phoenix host list")
                raise InvalidInput(f"{problem.pointer}: {problem.rule}", problems=(problem,), hint=problem.fix)
        self._refuse_busy(tenant, hosts)

    def _refuse_busy(self, tenant: str, hosts: Sequence[str]) -> None:
        for host, claim in self._experiments.holders(tenant, hosts).items():
            raise Conflict(
                f"host {host!r} is busy in experiment {claim.holder!r}",
                hint=f"wait for it, or stop it: phoenix experiment stop {claim.holder}",
            )

    def _refuse_failed(self, tenant: str, version: DeploymentVersion, force: bool) -> None:
        states = self._fleet.states(tenant, version.configs)
        for host, content in version.configs.items():
            failure = quarantined(states[host], content)
            if failure and not force:
                raise Conflict(
                    f"this very configuration failed on host {host!r} before: {failure.error}",
                    hint="change it, or insist with --force",
                )

    def _save(
        self, tenant: str, value: Deployment, expected: int, actor: str, action: str, detail: str
    ) -> Stored[Deployment]:
        now = self._context.clock.now()
        entry = self._records.audit.entry(
            tenant, f"deployment:{value.name}", at=now, actor=actor, action=action, detail={"plan": detail}
        )
        write = self._records.deployments.write(tenant, value, expected)
        self._records.store.transact([write, entry], token=f"deployment-{value.name}-{self._context.entropy.uid()}")
        return Stored(value, write.item.version)


def _of(state: AgentState, name: str) -> bool:
    wanted = state.desired
    return wanted is not None and wanted.content_hash != IDLE_HASH and wanted.scope.startswith(f"deployment.{name}.")
