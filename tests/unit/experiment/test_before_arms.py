"""A canary before its arms are told apart: each phase asks for its own configurations until every host shows them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from chalicelib.domain.canary.assignment import HostSize, assign
from chalicelib.domain.canary.before import HostBefore, PrePeriod
from chalicelib.domain.experiment.decide import decide
from chalicelib.domain.experiment.observed import Assign, Observed, StartLoad
from chalicelib.domain.experiment.state import Experiment, State
from chalicelib.domain.load import LoadPhase
from chalicelib.domain.measurement import Variant
from tests.unit.experiment.made import AB, NOW, WINNER, experiment, loads, seen, spec, view

FLEET = tuple(f"h{number}" for number in range(1, 7))
LOT = assign([HostSize(host=host) for host in FLEET], 0.5, 1)
ARMS = {host: WINNER if arm == "candidate" else AB for host, arm in LOT.arms.items()}


def canary(state: State, **parts: Any) -> Experiment:
    given = spec(targets={"hosts": list(FLEET)}, layout="canary", canary={"prePeriod": 120})
    update = {
        "spec": given,
        "hosts": FLEET,
        "assignment": LOT,
        "before_configs": dict.fromkeys(FLEET, AB),
        "configs": ARMS,
        **parts,
    }
    return experiment(state).model_copy(update=update)


def before(scrapes: int = 24) -> PrePeriod:
    hosts = (HostBefore(host=host, scrapes=scrapes, due=24, raw=1, series=1) for host in FLEET)
    return PrePeriod(start_ns=1, end_ns=2, hosts=tuple(hosts))


def all_run(of: dict[str, str], **parts: Any) -> Observed:
    return seen(hosts={host: view(content, content) for host, content in of.items()}, **parts)


def test_the_baseline_is_offered_to_every_host_first_and_each_arm_only_after_the_pre_period() -> None:
    nothing = all_run(dict.fromkeys(FLEET, ""))
    assert decide(canary(State.DEPLOYING), nothing, NOW + 1).effects == tuple(Assign(host, AB) for host in FLEET)
    baseline = all_run(dict.fromkeys(FLEET, AB))
    candidates = LOT.of(Variant.CANDIDATE)
    later = decide(canary(State.DEPLOYING, before=before()), baseline, NOW + 1)
    assert {effect.host for effect in later.effects if isinstance(effect, Assign)} == set(candidates)
    again = decide(canary(State.DEPLOYING, before=before()), baseline, NOW + 2)
    assert again.effects == later.effects, "asked for again until the world shows it"


def test_the_pre_period_begins_when_hosts_are_warm_and_loaded_and_begins_once() -> None:
    running = all_run(dict.fromkeys(FLEET, AB))
    assert decide(canary(State.WARMING_UP), running, NOW + 59).experiment.before_since is None
    starting = replace(running, load={host: None for host in FLEET})
    waiting = decide(canary(State.WARMING_UP), starting, NOW + 61)
    assert waiting.experiment.before_since is None
    assert waiting.effects == tuple(StartLoad(host) for host in FLEET)
    begun = decide(canary(State.WARMING_UP), running, NOW + 61).experiment
    assert begun.before_since == NOW + 61
    assert decide(begun, running, NOW + 90).experiment == begun


def test_only_a_whole_pre_period_leads_on_and_it_is_kept() -> None:
    begun = canary(State.WARMING_UP, before_since=NOW + 60)
    running = all_run(dict.fromkeys(FLEET, AB))
    thin = decide(begun, replace(running, before=before(21)), NOW + 185)
    assert thin.experiment == begun
    whole = decide(begun, replace(running, before=before(22)), NOW + 186).experiment
    assert (whole.state, whole.before) == (State.DEPLOYING, before(22))
    assert whole.deployed_at == begun.deployed_at, "what the baseline's hosts run was offered at first"
    moved = decide(whole, all_run(ARMS), NOW + 190).experiment
    assert moved.state is State.WARMING_UP
    assert decide(moved, all_run(ARMS), NOW + 260).experiment.state is State.RUNNING


def test_a_pre_period_that_is_not_measured_in_time_ends_the_experiment() -> None:
    begun = canary(State.WARMING_UP, before_since=NOW + 60)
    late = replace(all_run(dict.fromkeys(FLEET, AB)), before=before(3))
    deadline = 180 + 60 + 120
    assert decide(begun, late, NOW + deadline - 1).experiment.state is State.WARMING_UP
    ended = decide(begun, late, NOW + deadline).experiment
    assert ended.state is State.ROLLING_BACK
    assert "h1: 3 of 24 scrapes" in ended.message
    whole = decide(begun, replace(late, before=before()), NOW + deadline + 900).experiment
    assert whole.state is State.DEPLOYING, "a control plane that was away finds a pre-period that is measured"


def test_a_host_that_loses_the_baseline_or_refuses_its_arm_ends_it() -> None:
    broken = seen(hosts={host: view(AB, "", error="exit 1") for host in FLEET})
    for state, parts in ((State.WARMING_UP, {}), (State.DEPLOYING, {})):
        assert decide(canary(state, **parts), broken, NOW + 1).experiment.state is State.ROLLING_BACK
    refused = {host: view(ARMS[host], "", error="exit 1", of=ARMS[host]) for host in FLEET}
    after = decide(canary(State.DEPLOYING, before=before()), seen(hosts=refused), NOW + 1)
    assert after.experiment.state is State.ROLLING_BACK


def test_a_load_that_fails_in_the_pre_period_ends_it() -> None:
    failed = all_run(dict.fromkeys(FLEET, AB), load=dict.fromkeys(FLEET, loads(LoadPhase.FAILED)["h1"]))
    begun = canary(State.WARMING_UP, before_since=NOW + 60)
    assert decide(begun, failed, NOW + 90).experiment.state is State.ROLLING_BACK
