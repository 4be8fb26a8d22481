"""What is said of a node, as its agent: the very judgement that a host with a supervisor gets."""

from __future__ import annotations

import pytest

from chalicelib.domain.cluster.orders import Sight, Want, arrange
from chalicelib.domain.cluster.reports import Heard, heard, node_policy, say_idle, say_wanted
from chalicelib.domain.fleet.assignments import assign, quarantined
from chalicelib.domain.fleet.judge import IDLE_HASH, expire
from chalicelib.domain.fleet.receive import receive
from chalicelib.domain.fleet.report import ConfigStatus
from chalicelib.domain.fleet.state import AgentState, FleetPolicy, Purpose
from chalicelib.domain.fleet.status import HostStatus, status_of
from chalicelib.domain.kubernetes.exchange import PipelineSeen, config_hash
from chalicelib.domain.kubernetes.process_pipeline import (
    NodeState,
    NodeStatus,
    PhoenixProcessPipelineStatus,
    QuarantinedConfig,
)
from chalicelib.domain.kubernetes.resource import Condition, ConditionStatus
from tests.unit.clusters.test_orders import config, group

POLICY = node_policy(FleetPolicy())
GOOD, BAD = "a" * 64, "b" * 64
READY = Heard(ConfigStatus.APPLIED, ready=True, runs=True, started_at=100.0)
WORDS = 'Error: invalid configuration: processors::filter/rank: unexpected token "="'


def want(content: str = GOOD, scope: str = "s1", revision: int = 1, letter: str = "a") -> Want:
    return Want("1", "prod-1", scope, content, group(letter).marker, revision)


def tell(state: AgentState, found: Heard, now: float, wanted: Want | None = None) -> AgentState:
    state, report = say_wanted(wanted or want(), found, "0.155.0")(state)
    return receive(state, report, now, POLICY).state


def confirmed() -> AgentState:
    state = tell(assign(AgentState(), "s1", GOOD, 1.0), Heard(), 2.0)
    return tell(state, READY, 4.0)


def test_it_is_confirmed_when_the_collector_gave_the_hash_back_and_not_before() -> None:
    state = tell(assign(AgentState(), "s1", GOOD, 1.0), Heard(), 2.0)
    assert status_of(state, "s1", 2.0, POLICY).status is HostStatus.OFFERED
    state = tell(state, Heard(ConfigStatus.APPLYING), 3.0)
    assert status_of(state, "s1", 3.0, POLICY).status is HostStatus.APPLYING
    state = tell(state, Heard(ConfigStatus.APPLIED, runs=True), 3.5)
    assert status_of(state, "s1", 3.5, POLICY).status is HostStatus.APPLYING, "not ready for long enough"
    state = tell(state, READY, 4.0)
    assert status_of(state, "s1", 4.0, POLICY).status is HostStatus.ACTIVE
    assert state.confirmed
    assert state.confirmed.marker == want().marker, "what counts carry is what was proven"


def test_a_failure_is_quarantined_with_its_words_and_what_ran_before_is_confirmed_from_what_the_operator_says() -> None:
    state = assign(confirmed(), "s2", BAD, 10.0)
    wanted = want(BAD, "s2", 2, "b")
    state = tell(state, Heard(), 11.0, wanted)
    state = tell(state, Heard(ConfigStatus.FAILED, WORDS), 12.0, wanted)
    assert state.desired
    assert (state.desired.content_hash, state.desired.purpose) == (GOOD, Purpose.ROLLBACK)
    failure = quarantined(state, BAD)
    assert failure
    assert failure.error == WORDS
    again = want(revision=state.desired.revision)
    state = tell(state, Heard(), 13.0, again)
    state = tell(state, READY, 14.0, again)
    assert status_of(state, "s2", 14.0, POLICY).status is HostStatus.ROLLED_BACK
    assert status_of(state, "s2", 14.0, POLICY).error == WORDS
    assert status_of(state, "s1", 14.0, POLICY).status is HostStatus.ACTIVE


def test_a_proven_node_stays_proven_while_its_resource_changes_and_is_offered_again_when_it_is_gone() -> None:
    state = tell(confirmed(), Heard(ConfigStatus.APPLYING), 20.0)
    assert status_of(state, "s1", 20.0, POLICY).status is HostStatus.ACTIVE
    assert state.effective
    assert state.effective.marker == want().marker
    state = tell(state, Heard(), 21.0)
    assert status_of(state, "s1", 21.0, POLICY).status is HostStatus.OFFERED
    assert status_of(tell(state, READY, 22.0), "s1", 22.0, POLICY).status is HostStatus.ACTIVE


def test_a_collector_that_fails_long_after_is_unhealthy_and_not_quarantined() -> None:
    state = tell(confirmed(), Heard(ConfigStatus.FAILED, "OOMKilled", runs=True), 500.0)
    assert not state.healthy
    assert state.quarantine == ()
    assert tell(state, READY, 600.0).healthy


def test_a_node_of_which_nothing_is_said_fails_at_the_deadline_with_what_is_known() -> None:
    state = tell(assign(AgentState(), "s1", GOOD, 1.0), Heard(), 2.0)
    for now in (60.0, 120.0, 151.0, 153.0):
        state = tell(state, Heard(ConfigStatus.APPLYING, "the operator has not taken it up"), now)
    state, _ = expire(state, 153.0, POLICY)
    failure = quarantined(state, GOOD)
    assert failure
    assert failure.error == "not confirmed within 150 s: the operator has not taken it up"


def test_nothing_wanted_is_proven_when_no_resource_names_the_node() -> None:
    state = assign(confirmed(), "", IDLE_HASH, 10.0)
    for runs, expected in ((True, False), (True, False), (False, True)):
        state, report = say_idle("prod-1", runs, "")(state)
        state = receive(state, report, 11.0, POLICY).state
        assert state.desired
        assert (state.desired.confirmed_at is not None) is expected


def resource(state: NodeState = NodeState.READY, **status: object) -> PipelineSeen:
    (one,) = arrange([group("a", "1")], Sight((), {}, ()))
    asked = config_hash(config("a"))
    node = NodeStatus(node="1", state=state, config_hash=asked if state is NodeState.READY else "", message="why")
    known = {"observed_generation": 3, "config_hash": asked, "nodes": (node,), **status}
    return PipelineSeen(
        name=one.name, generation=3, spec=one.spec, status=PhoenixProcessPipelineStatus.model_validate(known)
    )


@pytest.mark.parametrize(
    ("seen", "applied", "error", "ready"),
    [
        (resource(), ConfigStatus.APPLIED, "", True),
        (resource(NodeState.UPDATING), ConfigStatus.APPLYING, "why", False),
        (resource(NodeState.FAILED), ConfigStatus.FAILED, "why", False),
        (resource(observed_generation=2), ConfigStatus.APPLYING, "the operator in the cluster has", False),
        (resource(nodes=(), active_config_hash=config_hash(config("a"))), ConfigStatus.APPLIED, "", True),
        (resource(nodes=()), ConfigStatus.APPLYING, "", False),
    ],
)
def test_what_a_resource_says_of_a_node(seen: PipelineSeen, applied: ConfigStatus, error: str, ready: bool) -> None:
    found = heard(want(), Sight((seen,), {}, ()))
    assert (found.applied, found.ready) == (applied, ready)
    assert found.error.startswith(error)


def test_a_refusal_of_the_whole_resource_is_a_failure_of_each_node_that_waits_for_it() -> None:
    invalid = Condition(
        type="ConfigValid", status=ConditionStatus.FALSE, last_transition_time="", reason="Refused", message=WORDS
    )
    bad = QuarantinedConfig(config_hash=config_hash(config("a")), error=WORDS, at=1.0, revision=1)
    for seen in (
        resource(NodeState.PENDING, conditions=(invalid,)),
        resource(NodeState.PENDING, quarantine=(bad,)),
    ):
        assert heard(want(), Sight((seen,), {}, ())) == Heard(ConfigStatus.FAILED, WORDS)
        later = heard(want(revision=2), Sight((seen,), {}, ()))
        assert later == Heard(), "an older try says nothing of a newer one"
