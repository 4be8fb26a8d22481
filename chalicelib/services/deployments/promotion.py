"""A promotion as a deployment: the winner becomes a version of its own, with the baseline behind it to go back to."""

from __future__ import annotations

from chalicelib.domain.deployment import Deployment, DeploymentPlan, DeploymentVersion, scope
from chalicelib.domain.experiment.spec import Arm, PipelineRef
from chalicelib.domain.experiment.state import Experiment
from chalicelib.repositories.documents import Stored
from chalicelib.services.context import Context
from chalicelib.services.deployments.deployments import Deployments
from chalicelib.services.fleet.claims import Claims

_UID_DIGITS = 8
_LONGEST_STEM = 63 - 1 - _UID_DIGITS


class Promotion:
    """claims: which deployment a host belongs to."""

    def __init__(self, context: Context, deployments: Deployments, claims: Claims) -> None:
        self._context, self._records = context, context.records
        self._deployments, self._claims = deployments, claims

    def prepare(self, tenant: str, experiment: Experiment) -> Experiment:
        """Record the winner as a version that is not current yet, and say which configurations it means. Idempotent:
        the experiment's uid marks its version."""
        name = self._name(tenant, experiment)
        found = self._records.deployments.find(tenant, name)
        made = _own_version(found.value, experiment) if found else None
        if made is None:
            number = max(found.value.next_number() if found else 1, 2)
            plan = self._plan(experiment, experiment.spec.candidate)
            version = self._deployments.make_version(
                tenant, name, number, plan, experiment.hosts, experiment.promoted_by
            )
            version = version.model_copy(
                update={"experiment_uid": experiment.uid, "note": f"promoted by experiment {experiment.name}"}
            )
            baseline = None if found else self._baseline(tenant, name, experiment)
            actor = experiment.promoted_by
            saved = self._deployments.change(
                tenant, name, lambda old: _with(old, name, experiment, baseline, version), actor, "prepare promotion"
            )
            made = _own_version(saved, experiment) or version
        return experiment.model_copy(update={"deployment": name, "winner_configs": made.configs})

    def scope(self, tenant: str, experiment: Experiment) -> str:
        """Measurement scope of the winner's version."""
        deployment = self._records.deployments.get(tenant, experiment.deployment).value
        made = _own_version(deployment, experiment)
        return scope(deployment.name, made.number if made else deployment.current)

    def activate(self, tenant: str, experiment: Experiment) -> None:
        """Make the winner the current version, and its hosts members of its deployment alone. Idempotent."""
        name, uid = experiment.deployment, experiment.uid
        for host, other in self._claims.holders(tenant, experiment.hosts).items():
            if other.holder != name:
                self._leave(tenant, other.holder, host, experiment)
        self._claims.take(tenant, experiment.hosts, name, "", self._context.clock.now())

        def current(old: Deployment | None) -> Deployment:
            if old is None:
                raise ValueError(f"deployment {name} of experiment {uid} is gone")
            made = _own_version(old, experiment)
            return old.model_copy(update={"current": made.number if made else old.current, "settled": True})

        self._deployments.change(tenant, name, current, experiment.promoted_by, "promote")

    def withdraw(self, tenant: str, experiment: Experiment) -> None:
        """Take back what `prepare` recorded for a promotion that came to nothing, so that no roll back ever leads to
        it. Idempotent."""
        found = self._records.deployments.find(tenant, experiment.deployment) if experiment.deployment else None
        made = _own_version(found.value, experiment) if found else None
        if found is None or made is None:
            return
        if all(v is made or v.note == _baseline_note(experiment) for v in found.value.versions):
            self._forget(tenant, found, experiment)
            return

        def without(old: Deployment | None) -> Deployment:
            base = old or found.value
            left = tuple(version for version in base.versions if version.experiment_uid != experiment.uid)
            current = left[-1].number if base.current == made.number else base.current
            return base.model_copy(update={"versions": left, "current": current})

        self._deployments.change(tenant, experiment.deployment, without, experiment.promoted_by, "withdraw promotion")

    def _forget(self, tenant: str, found: Stored[Deployment], experiment: Experiment) -> None:
        """The deployment began with this promotion: nothing of it ever stayed on a host."""
        name = found.value.name
        now = self._context.clock.now()
        entry = self._records.audit.entry(
            tenant, f"deployment:{name}", at=now, actor=experiment.promoted_by, action="withdraw promotion"
        )
        self._claims.release(tenant, found.value.hosts, name, "")
        removals = self._records.deployments.removals(tenant, name, found.version)
        self._records.store.transact([*removals, entry], token=f"withdraw-{experiment.uid}")

    def _name(self, tenant: str, experiment: Experiment) -> str:
        """The deployment that has exactly these hosts goes on; otherwise one named after the experiment begins, and
        after its uid too where that name belongs to other hosts."""
        if experiment.deployment:
            return experiment.deployment
        found = self._claims.holders(tenant, experiment.hosts)
        names = {found[host].holder if host in found else "" for host in experiment.hosts}
        if len(names) == 1 and (name := names.pop()):
            known = self._records.deployments.find(tenant, name)
            if known and set(known.value.hosts) == set(experiment.hosts):
                return name
        taken = self._records.deployments.find(tenant, experiment.name)
        if taken is None or set(taken.value.hosts) == set(experiment.hosts):
            return experiment.name
        return f"{experiment.name[:_LONGEST_STEM]}-{experiment.uid[-_UID_DIGITS:]}"

    def _plan(self, experiment: Experiment, arm: Arm) -> DeploymentPlan:
        return DeploymentPlan(
            pipeline=PipelineRef(pipeline=arm.pipeline, parameters=arm.parameters, version=arm.version),
            critical=experiment.spec.critical,
            interval=experiment.spec.interval,
            backend=arm.backend,
        )

    def _baseline(self, tenant: str, name: str, experiment: Experiment) -> DeploymentVersion:
        plan = self._plan(experiment, experiment.spec.baseline)
        version = self._deployments.make_version(tenant, name, 1, plan, experiment.hosts, experiment.promoted_by)
        return version.model_copy(update={"note": _baseline_note(experiment)})

    def _leave(self, tenant: str, name: str, host: str, experiment: Experiment) -> None:
        def without(old: Deployment | None) -> Deployment:
            if old is None:
                raise ValueError(f"deployment {name} is gone")
            return old.model_copy(update={"hosts": tuple(h for h in old.hosts if h != host)})

        self._deployments.change(tenant, name, without, experiment.promoted_by, f"host {host} moved by a promotion")
        self._claims.release(tenant, [host], name, "")


def _baseline_note(experiment: Experiment) -> str:
    return f"baseline of experiment {experiment.name}"


def _own_version(deployment: Deployment, experiment: Experiment) -> DeploymentVersion | None:
    return next((v for v in deployment.versions if v.experiment_uid == experiment.uid), None)


def _with(
    old: Deployment | None,
    name: str,
    experiment: Experiment,
    baseline: DeploymentVersion | None,
    version: DeploymentVersion,
) -> Deployment:
    if old is not None and _own_version(old, experiment):
        return old
    base = old or Deployment(name=name, hosts=experiment.hosts)
    if old is None and baseline is not None:
        base = base.add(baseline)
    return base.add(version)
