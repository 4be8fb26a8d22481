"""One step of one experiment: look, decide, save, act. The thin file that carries out what the domain decides."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from chalicelib.domain.errors import Conflict, InvalidInput, NotFound, Rejected, TooLarge
from chalicelib.domain.experiment.decide import decide
from chalicelib.domain.experiment.observed import (
    ActivateDeployment,
    Assign,
    Dismiss,
    Effect,
    PreparePromotion,
    Restore,
    StartLoad,
    StopLoad,
)
from chalicelib.domain.experiment.state import END_STATES, Experiment, State
from chalicelib.domain.experiment.transitions import Cause, move
from chalicelib.domain.fleet.judge import IDLE_HASH
from chalicelib.domain.fleet.state import Purpose
from chalicelib.ports.items import Put
from chalicelib.repositories.documents import Stored
from chalicelib.services.context import Context
from chalicelib.services.deployments.promotion import Promotion
from chalicelib.services.experiments.observing import Observing, load_name
from chalicelib.services.fleet.claims import Claims
from chalicelib.services.fleet.fleet import Fleet, Want
from chalicelib.services.fleet.loadsims import LoadSims
from chalicelib.services.notifications.gates import Gates
from chalicelib.services.notifications.notifications import told_of_experiment

log = logging.getLogger("phoenix.stepping")
MOST_TRANSITIONS = 4
ACTOR = "controller"


class Stepping:
    """Steps may run twice, late, out of order or beside each other: the version decides who wins, and effects are
    idempotent."""

    def __init__(
        self,
        context: Context,
        observing: Observing,
        fleet: Fleet,
        loadsims: LoadSims,
        promotion: Promotion,
        claims: Claims,
        gates: Gates,
    ) -> None:
        self._context, self._records = context, context.records
        self._observing, self._fleet, self._loadsims = observing, fleet, loadsims
        self._promotion, self._claims, self._gates = promotion, claims, gates

    def step(self, tenant: str, name: str) -> None:
        """Bring one experiment forward as far as it goes now. A lost race is no error: the winner did the work."""
        for _ in range(MOST_TRANSITIONS):
            stored = self._records.experiments.find(tenant, name)
            if stored is None or not stored.value.active:
                return
            try:
                if not self._once(tenant, stored):
                    return
            except Conflict as conflict:
                log.info("experiment %s: another step won: %s", name, conflict.detail)
                return

    def _once(self, tenant: str, stored: Stored[Experiment]) -> bool:
        """One decision; whether there may be another right away."""
        before = stored.value
        seen, kept = self._observing.look(tenant, before)
        seen = replace(seen, gate=self._gates.look(tenant, before))
        decision = decide(before, seen, self._context.clock.now())
        after = decision.experiment
        if after.state in END_STATES and after.state is not State.COMPLETED:
            self._promotion.withdraw(tenant, after)
        version = stored.version
        if after != before:
            version = self._keep(tenant, before, after, version, kept)
        elif kept:
            self._records.store.transact(kept, token=f"{after.uid}-look-{self._context.entropy.uid()}")
        self._offer(tenant, after, decision.effects)
        for effect in decision.effects:
            self._act(tenant, Stored(after, version), effect)
        if after.state in END_STATES:
            self._claims.release(tenant, after.hosts, after.name, after.uid)
        went_on = any(isinstance(effect, ActivateDeployment | PreparePromotion) for effect in decision.effects)
        return after.state is not before.state or went_on

    def _keep(
        self, tenant: str, before: Experiment, after: Experiment, version: int, evaluated: tuple[Put, ...]
    ) -> int:
        """As `_save`, together with the evaluation that it rests on."""
        try:
            return self._save(tenant, before, after, version, evaluated)
        except TooLarge as error:
            log.warning("an evaluation is too large to be kept, and is acted upon all the same: %s", error.detail)
            return self._save(tenant, before, after, version)

    def _save(
        self, tenant: str, before: Experiment, after: Experiment, version: int, more: tuple[Put, ...] = ()
    ) -> int:
        """The version afterwards. Raises Conflict when another step was faster."""
        write = self._records.experiments.write(tenant, after, version)
        token = f"{after.uid}-{write.item.version}"
        quiet = after.state is before.state and after.alarms == before.alarms
        if quiet and more:
            self._records.store.transact([write, *more], token)
            return write.item.version
        if quiet:
            self._records.store.put(write.item, write.expected)
            return write.item.version
        detail: dict[str, Any] = {"from": before.state.value, "to": after.state.value, "message": after.message}
        if after.alarms != before.alarms:
            detail["guardrails"] = [alarm.detail for alarm in after.alarms]
        if after.outcome:
            detail["verdict"] = after.outcome.verdict
            detail["evidence"] = after.outcome.evidence
        entry = self._records.audit.entry(
            tenant,
            f"experiment:{after.uid}",
            at=self._context.clock.now(),
            actor=ACTOR,
            action=after.state.value if after.state is not before.state else "guardrail",
            detail=detail,
        )
        told = told_of_experiment(self._records, tenant, before, after, write.item.version, self._context.clock.now())
        self._records.store.transact([write, entry, *told, *more], token)
        return write.item.version

    def _offer(self, tenant: str, experiment: Experiment, effects: Sequence[Effect]) -> None:
        """What hosts are to run from now on, all of them together."""
        wants: dict[str, Want] = {}
        scopes = {
            winner: self._promotion.scope(tenant, experiment) if winner else experiment.uid
            for winner in {effect.winner for effect in effects if isinstance(effect, Assign)}
        }
        for effect in effects:
            if isinstance(effect, Assign):
                purpose = Purpose.DEPLOY if effect.winner else Purpose.EXPERIMENT
                wants[effect.host] = Want(scopes[effect.winner], effect.content_hash, purpose)
            elif isinstance(effect, Restore):
                wants[effect.host] = _before(experiment, effect)
        self._fleet.want_all(tenant, wants)

    def _act(self, tenant: str, stored: Stored[Experiment], effect: Effect) -> None:
        experiment = stored.value
        if isinstance(effect, Dismiss):
            self._fleet.dismiss(tenant, effect.agent)
        elif isinstance(effect, StartLoad):
            if experiment.spec.load is not None:
                self._loadsims.start(
                    tenant, effect.host, load_name(experiment), experiment.spec.load, ACTOR, experiment.uid
                )
        elif isinstance(effect, StopLoad):
            self._loadsims.stop(tenant, effect.host, load_name(experiment))
        elif isinstance(effect, PreparePromotion):
            self._prepare(tenant, stored)
        elif isinstance(effect, ActivateDeployment):
            self._promotion.activate(tenant, experiment)

    def _prepare(self, tenant: str, stored: Stored[Experiment]) -> None:
        """What can be mended by waiting is raised, and ends at the state's deadline."""
        experiment = stored.value
        try:
            prepared = self._promotion.prepare(tenant, experiment)
        except (Rejected, InvalidInput, NotFound) as error:
            now = self._context.clock.now()
            prepared = move(
                experiment, Cause.EVIDENCE, State.ROLLING_BACK, now, f"no winner to roll out: {error.detail}"
            )
        self._save(tenant, experiment, prepared, stored.version)


def _before(experiment: Experiment, effect: Restore) -> Want:
    if effect.content_hash == IDLE_HASH:
        return Want("", IDLE_HASH, Purpose.IDLE)
    scope = experiment.previous[effect.host].partition(" ")[0]
    return Want(scope, effect.content_hash, Purpose.DEPLOY)
