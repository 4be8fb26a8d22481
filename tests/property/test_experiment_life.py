"""Whatever people order and whatever is seen, in whatever order: what must hold of every experiment's life."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain.errors import Conflict
from chalicelib.domain.experiment.decide import Decision, decide
from chalicelib.domain.experiment.observed import ActivateDeployment, Assign, HostView, Observed, PreparePromotion
from chalicelib.domain.experiment.rollout import Watched
from chalicelib.domain.experiment.state import END_STATES, Experiment, State
from chalicelib.domain.experiment.transitions import DEADLINES, USER, Cause, allowed, command
from chalicelib.domain.fleet.judge import IDLE_HASH
from chalicelib.domain.load import LoadPhase
from tests.unit.experiment.made import (
    AB,
    BEFORE,
    BLIND,
    HARM,
    HOSTS,
    NOW,
    OPEN,
    PROMOTE,
    THIN,
    VAGUE,
    WEAK,
    WINNER,
    experiment,
    loads,
    view,
)

_hash = st.sampled_from((AB, WINNER, BEFORE, IDLE_HASH, ""))
_view = st.builds(
    view,
    desired=_hash,
    active=_hash,
    error=st.sampled_from(("", "", "boom")),
    away=st.booleans(),
    of=st.sampled_from((AB, WINNER, BEFORE)),
)
_loads = st.sampled_from((None, *LoadPhase)).map(loads)
_evaluation = st.sampled_from((None, None, OPEN, PROMOTE, HARM, WEAK, THIN, BLIND, VAGUE))
_look = st.fixed_dictionaries(
    {
        "hosts": st.fixed_dictionaries(dict.fromkeys(HOSTS, _view)),
        "load": _loads,
        "evaluation": _evaluation,
        "watched": st.sampled_from(({}, dict.fromkeys(HOSTS, Watched(9)), {HOSTS[0]: Watched(9, "'nginx' (p)")})),
        "deployment_active": st.booleans(),
        "seconds": st.sampled_from((0.0, 1.0, 30.0, 200.0, 700.0, 8 * 86400.0)),
    }
)
_life = st.lists(st.one_of(_look, _look, _look, st.sampled_from(sorted(USER))), max_size=40)
_specs = st.fixed_dictionaries(
    {
        "promotion": st.sampled_from(("manual", "automatic")),
        "load": st.sampled_from((None, {"count": 5})),
        "rollout": st.sampled_from(({}, {"stages": ["50%", "100%"]}, {"stages": ["50%", "100%"], "soak": 60})),
        "dryRun": st.sampled_from((False, False, True)),
    }
)


@dataclass
class Lived:
    """One life: each state it went through, with what was decided there."""

    now: float
    value: Experiment
    promoted_with: str = ""

    def order(self, cause: Any) -> None:
        before = self.value
        with suppress(Conflict):
            self.value = command(before, cause, "ada", self.now)
            self._check(before, Decision(self.value))

    def look(self, said: dict[str, Any]) -> None:
        self.now += said["seconds"]
        load = said["load"] if self.value.spec.load else {}
        restored = dict.fromkeys(HOSTS, BEFORE)
        self.step(
            Observed(
                said["hosts"],
                load,
                restored,
                evaluation=said["evaluation"],
                watched=said["watched"],
                deployment_active=said["deployment_active"],
            )
        )

    def step(self, observed: Observed) -> None:
        before = self.value
        decision = decide(before, observed, self.now)
        self.value = decision.experiment
        self._check(before, decision)
        if PreparePromotion() in decision.effects:
            update = {"winner_configs": dict.fromkeys(HOSTS, WINNER), "deployment": "web"}
            self.value = self.value.model_copy(update=update)

    def _check(self, before: Experiment, decision: Decision) -> None:
        after = decision.experiment
        if after.state is not before.state:
            event = after.events[-1]
            assert allowed(before.state, Cause(event.cause), after.state)
            assert event.detail
            assert after.entered_at == self.now
        assert before.state not in END_STATES or after == before
        rolling_out = {State.PROMOTING, State.COMPLETED}
        if after.state in rolling_out | {State.AWAITING_PROMOTION}:
            assert after.outcome is not None
            assert after.outcome.verdict == "promote"
        if any(isinstance(e, ActivateDeployment) or (isinstance(e, Assign) and e.winner) for e in decision.effects):
            assert after.state in rolling_out
            assert after.winner_configs
            assert not after.spec.dry_run
        for effect in decision.effects:
            assert not (isinstance(effect, Assign) and effect.winner) or effect.host in after.promoted_hosts
        if after.state is State.COMPLETED:
            assert {(p.host, p.content_hash) for p in after.proofs} == {(host, WINNER) for host in HOSTS}
            assert after.promoted_by


@settings(max_examples=400, deadline=None)
@given(_life, _specs, st.sampled_from((State.DRAFT, State.PENDING)))
def test_nothing_is_promoted_without_its_verdict_and_nothing_leaves_the_table(
    life: list[Any], spec: dict[str, Any], start: State
) -> None:
    lived = Lived(NOW, experiment(start, spec_parts=spec))
    for happening in life:
        if isinstance(happening, dict):
            lived.look(happening)
        else:
            lived.order(happening)


@settings(max_examples=300, deadline=None)
@given(_life, _specs, _view, _loads)
def test_it_ends_by_itself_whatever_the_hosts_do(
    life: list[Any], spec: dict[str, Any], stuck: HostView, load: Any
) -> None:
    """After any beginning nobody orders anything more, and the world stands still, but for what is asked of it."""
    lived = Lived(NOW, experiment(State.PENDING, spec_parts=spec))
    for happening in life:
        if isinstance(happening, dict):
            lived.look(happening)
        else:
            lived.order(happening)
    hosts = dict.fromkeys(HOSTS, stuck)
    active = False
    for _ in range(60):
        if not lived.value.active:
            break
        lived.now += max(DEADLINES.values()) / 4
        before = lived.value
        restored = dict.fromkeys(HOSTS, BEFORE)
        observed = Observed(hosts, load if spec["load"] else {}, restored, deployment_active=active)
        asked = decide(before, observed, lived.now).effects
        lived.step(observed)
        for effect in asked:
            if isinstance(effect, ActivateDeployment):
                active = True
            elif wanted := getattr(effect, "content_hash", ""):
                old = hosts[effect.host]  # type: ignore[union-attr]
                hosts[effect.host] = HostView(wanted, "", "", 0.0, old.errors, old.away_since)  # type: ignore[union-attr]
    assert not lived.value.active, lived.value.state


@settings(max_examples=300, deadline=None)
@given(_look, _specs, st.sampled_from(list(State)))
def test_a_decision_depends_on_nothing_but_its_input(said: dict[str, Any], spec: dict[str, Any], state: State) -> None:
    value = experiment(state, spec_parts=spec)
    observed = Observed(said["hosts"], said["load"] if spec["load"] else {}, dict.fromkeys(HOSTS, BEFORE))
    assert decide(value, observed, NOW + said["seconds"]) == decide(value, observed, NOW + said["seconds"])
