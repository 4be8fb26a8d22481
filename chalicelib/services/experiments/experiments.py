"""Experiments as users ask for them: create, command, show, delete. How they go on by themselves is in `stepping`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from chalicelib.domain.errors import Conflict, InvalidInput, NotFound, Problem
from chalicelib.domain.evaluation.result.result import Evaluation
from chalicelib.domain.experiment.changes import copied, extended
from chalicelib.domain.experiment.managing import Adoption, adopted, only_of, refuse_differences
from chalicelib.domain.experiment.rollout import Rollout
from chalicelib.domain.experiment.spec import ExperimentManifest, ExperimentSpec
from chalicelib.domain.experiment.state import END_STATES, Event, Experiment, State
from chalicelib.domain.experiment.transitions import Cause, command
from chalicelib.domain.fleet.agents import host_of, title
from chalicelib.domain.fleet.assignments import SHORT_HASH, quarantined
from chalicelib.domain.fleet.judge import IDLE_HASH
from chalicelib.domain.fleet.state import AgentState
from chalicelib.ports.items import ABSENT, Write
from chalicelib.repositories.documents import Stored
from chalicelib.services.context import Context, retrying
from chalicelib.services.cost.price_books import PriceBooks
from chalicelib.services.experiments.canaries import Canaries
from chalicelib.services.experiments.sources import Sources
from chalicelib.services.fleet.claims import Claims
from chalicelib.services.fleet.fleet import Fleet
from chalicelib.services.fleet.hosts import Hosts
from chalicelib.services.notifications.gates import Gates
from chalicelib.services.notifications.notifications import told_of_experiment
from chalicelib.services.pipelines.pipelines import Pipelines


class Experiments:
    """claims: which experiment holds a host."""

    def __init__(
        self,
        context: Context,
        fleet: Fleet,
        pipelines: Pipelines,
        hosts: Hosts,
        claims: Claims,
        gates: Gates,
        books: PriceBooks,
        sources: Sources,
    ) -> None:
        self._context, self._records, self._gates, self._books = context, context.records, gates, books
        self._fleet, self._pipelines, self._hosts, self._claims = fleet, pipelines, hosts, claims
        self._sources = sources
        self._canaries = Canaries(context.records, pipelines)

    def create(
        self, tenant: str, manifest: ExperimentManifest, actor: str, *, start: bool, manager: str = ""
    ) -> tuple[Experiment, list[str]]:
        """A new experiment and its warnings. manager: who makes it, "" for people. Raises InvalidInput, Conflict,
        Rejected; then nothing exists."""
        name = manifest.metadata.name
        if self._records.experiments.find(tenant, name):
            raise _name_taken(name)
        spec = self._pinned(tenant, manifest.spec)
        book = self._books.for_experiment(tenant, spec.price_book)
        hosts = self._targets(tenant, spec)
        self._sources.check(tenant, spec.source, hosts)
        uid = self._context.entropy.uid()
        canary = self._canaries.rendered(tenant, spec, uid, hosts)
        bodies = canary.arms or self._paired(tenant, spec, uid, hosts)
        before_configs = {host: self._fleet.keep_config(tenant, body) for host, body in canary.before.items()}
        configs = self._fleet.keep_configs(tenant, bodies)
        states = self._fleet.states(tenant, configs)
        self._refuse_failed(configs, states)
        self._refuse_failed(before_configs, states)
        now = self._context.clock.now()
        first = State.PENDING if start else State.DRAFT
        self._claims.take(tenant, hosts, name, uid, now, "/spec/targets")
        experiment = Experiment(
            uid=uid,
            name=name,
            labels=manifest.metadata.labels,
            spec=spec,
            spec_hash=_hash(spec),
            price_book=book,
            hosts=hosts,
            state=first,
            created_at=now,
            created_by=actor,
            managed_by=manager,
            entered_at=now,
            configs=configs,
            assignment=canary.assignment,
            before_configs=before_configs,
            arm_hashes=self._pipelines.arm_hashes(tenant, spec.baseline, spec.candidate),
            previous={host: self._previous(states[host]) for host in hosts},
            events=(
                Event(at=now, state=State.PENDING if start else State.DRAFT, cause="create", detail=f"by {actor}"),
            ),
        )
        try:
            self._save(tenant, Stored(experiment, ABSENT), actor, "create")
        except Conflict as error:
            self._claims.release(tenant, hosts, name, uid)
            raise _name_taken(name) from error
        return experiment, [warning for pattern in spec.critical for warning in pattern.warnings()]

    def made_before(self, tenant: str, manifest: ExperimentManifest, manager: str) -> Experiment | None:
        """The experiment of this name that this very manager made, so that a lost answer is no conflict; None when
        there is none, or it is another's. Raises Conflict when it was made of another spec."""
        found = self._records.experiments.find(tenant, manifest.metadata.name)
        if found is None or found.value.managed_by != manager:
            return None
        refuse_differences(manifest.spec, found.value, "an experiment keeps its spec: make another of another name")
        return found.value

    def adopt(self, tenant: str, name: str, adoption: Adoption, actor: str) -> Experiment:
        """Hand it to another manager; nothing else changes. Raises NotFound, Conflict (another manages it than was
        expected, or it does something else than the new manager asks)."""

        def attempt() -> Experiment:
            stored = self._records.experiments.get(tenant, name)
            taken = adopted(stored.value, adoption, actor, self._context.clock.now())
            if taken is not stored.value:
                self._save(tenant, Stored(taken, stored.version), actor, "adopt")
            return taken

        return retrying(attempt)

    def order(
        self,
        tenant: str,
        name: str,
        cause: Cause,
        actor: str,
        rollout: Rollout | None = None,
        manager: str | None = None,
    ) -> Experiment:
        """Carry out an operator's command; rollout: stages of a promotion that differ from the spec's; manager: only if
        it is this manager's own. Raises NotFound, Conflict naming what is possible now."""

        def attempt() -> Experiment:
            stored = self._records.experiments.get(tenant, name)
            only_of(stored.value, manager)
            if cause is Cause.PROMOTE:
                self._gates.permit(tenant, stored.value)
            moved = command(stored.value, cause, actor, self._context.clock.now(), rollout)
            self._save(tenant, Stored(moved, stored.version), actor, cause.value)
            return moved

        moved = retrying(attempt)
        if moved.state in END_STATES:
            self._claims.release(tenant, moved.hosts, moved.name, moved.uid)
        return moved

    def extend(self, tenant: str, name: str, seconds: float, actor: str) -> Experiment:
        """Move its deadline by so many seconds. Raises NotFound, Conflict (too late), InvalidInput (too long)."""

        def attempt() -> Experiment:
            stored = self._records.experiments.get(tenant, name)
            longer = extended(stored.value, seconds, actor, self._context.clock.now())
            self._save(tenant, Stored(longer, stored.version), actor, "extend")
            return longer

        return retrying(attempt)

    def clone(
        self, tenant: str, name: str, copy: str, hosts: Sequence[str], actor: str, *, start: bool
    ) -> tuple[Experiment, list[str]]:
        """A new experiment that asks for the same as another. Raises NotFound and what `create` raises."""
        return self.create(tenant, copied(self.get(tenant, name), copy, hosts), actor, start=start)

    def get(self, tenant: str, name: str) -> Experiment:
        """Raises NotFound."""
        return self._records.experiments.get(tenant, name).value

    def page(self, tenant: str, limit: int, cursor: str | None) -> tuple[list[Experiment], str | None]:
        """Experiments in order of name."""
        found, cursor = self._records.experiments.page(tenant, limit, cursor)
        return [stored.value for stored in found], cursor

    def evaluation(self, tenant: str, name: str) -> Evaluation:
        """The latest evaluation. Raises NotFound while there is none."""
        experiment = self.get(tenant, name)
        found = self._records.evaluations.find(tenant, experiment.uid)
        if found is None:
            raise NotFound(
                f"experiment {name!r} has not been evaluated yet: it is {experiment.state.value}",
                hint=f"follow it: phoenix experiment status {name} --watch",
            )
        return found.value.evaluation

    def delete(self, tenant: str, name: str, actor: str) -> None:
        """Forget an ended experiment (its audit stays). Raises Conflict while it is active."""
        stored = self._records.experiments.get(tenant, name)
        experiment = stored.value
        if experiment.active:
            raise Conflict(
                f"experiment {name!r} is {experiment.state.value}",
                hint=f"stop it first: phoenix experiment stop {name}",
            )
        now = self._context.clock.now()
        subject = f"experiment:{experiment.uid}"
        writes: list[Write] = [
            *self._records.experiments.removals(tenant, name, stored.version),
            *self._records.evaluations.removals(tenant, experiment.uid),
            self._records.audit.entry(tenant, subject, at=now, actor=actor, action="delete", detail={"name": name}),
        ]
        self._records.store.transact(writes, token=f"delete-{experiment.uid}")
        self._claims.release(tenant, experiment.hosts, name, experiment.uid)

    def _paired(self, tenant: str, spec: ExperimentSpec, uid: str, hosts: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Both arms on every host, by agent, checked by the collector itself."""
        if spec.mode == "dedicated":
            self._need_two_collectors(tenant, hosts)
        each = [self._pipelines.ab_configs(tenant, spec, uid, host) for host in hosts]
        for body in each[0].values():
            self._pipelines.check(body, "/spec")
        return {agent: body for own in each for agent, body in own.items()}

    def _pinned(self, tenant: str, spec: ExperimentSpec) -> ExperimentSpec:
        """The arms with the versions of their pipelines: an update while it runs changes neither arm nor promotion."""
        arms = {name: getattr(spec, name) for name in ("baseline", "candidate")}
        pin = self._pipelines.pinned
        return spec.model_copy(update={name: pin(tenant, arm, f"/spec/{name}") for name, arm in arms.items()})

    def _targets(self, tenant: str, spec: ExperimentSpec) -> tuple[str, ...]:
        if spec.targets.hosts:
            known = self._records.hosts.several(tenant, spec.targets.hosts)
            for position, host in enumerate(spec.targets.hosts):
                if host not in known:
                    problem = Problem(
                        f"/spec/targets/hosts/{position}", f"no host named {host!r}", "see: phoenix host list"
                    )
                    raise InvalidInput(f"{problem.pointer}: {problem.rule}", problems=(problem,), hint=problem.fix)
            return spec.targets.hosts
        labels = (spec.targets.selector or {}).get("matchLabels", {})
        hosts = self._hosts.select(tenant, labels)
        if not hosts:
            problem = Problem("/spec/targets/selector", f"no host has the labels {labels}", "see: phoenix host list")
            raise InvalidInput(f"{problem.pointer}: {problem.rule}", problems=(problem,), hint=problem.fix)
        return hosts

    def _need_two_collectors(self, tenant: str, hosts: Sequence[str]) -> None:
        """Raises InvalidInput for hosts whose agent cannot run a second collector, or has not said that it can."""
        lacking = [host for host in hosts if self._records.hosts.get(tenant, host).value.facts.collectors < 2]
        if lacking:
            shown = ", ".join(repr(host) for host in lacking[:10])
            fix = "start `phoenix host run` of this version there and wait until it has reported, or use mode: shared"
            rule = f"dedicated mode needs a second collector on every host, which {shown} cannot run (yet)"
            raise InvalidInput(f"/spec/mode: {rule}", problems=(Problem("/spec/mode", rule, fix),), hint=fix)

    def _refuse_failed(self, configs: Mapping[str, str], states: Mapping[str, AgentState]) -> None:
        for host, content in configs.items():
            failure = quarantined(states[host], content)
            if failure:
                raise Conflict(
                    f"this very configuration failed on host {title(host)!r} before: {failure.error}",
                    hint="once the cause is gone: phoenix host quarantine release "
                    f"{host_of(host)} {content[:SHORT_HASH]}",
                )

    def _previous(self, state: AgentState) -> str:
        """ "scope content_hash" of what the host runs or is to run now."""
        wanted = state.desired
        if wanted is None or wanted.content_hash == IDLE_HASH:
            return ""
        return f"{wanted.scope} {wanted.content_hash}"

    def _save(self, tenant: str, stored: Stored[Experiment], actor: str, action: str) -> None:
        experiment = stored.value
        now = self._context.clock.now()
        detail = {
            "state": experiment.state.value,
            "name": experiment.name,
            "message": experiment.message,
            **({"managedBy": experiment.managed_by} if experiment.managed_by or action == "adopt" else {}),
        }
        entry = self._records.audit.entry(
            tenant, f"experiment:{experiment.uid}", at=now, actor=actor, action=action, detail=detail
        )
        write = self._records.experiments.write(tenant, experiment, stored.version)
        before = self._records.experiments.find(tenant, experiment.name) if stored.version else None
        told = told_of_experiment(
            self._records, tenant, before.value if before else None, experiment, write.item.version, now
        )
        self._records.store.transact([write, entry, *told], token=f"{experiment.uid}-{write.item.version}-{action}")


def _name_taken(name: str) -> Conflict:
    rule, fix = f"an experiment named {name!r} exists", f"choose another name, or: phoenix experiment delete {name}"
    return Conflict(rule, problems=(Problem("/metadata/name", rule, fix),), hint=fix)


def _hash(spec: ExperimentSpec) -> str:
    text = json.dumps(spec.model_dump(mode="json", by_alias=True), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
