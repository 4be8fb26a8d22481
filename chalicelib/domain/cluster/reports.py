"""What a cluster says of a node, as the report that a supervisor would send of its host: so that confirmation, failure,
roll back and deadlines are one code for both.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from chalicelib.domain.cluster.orders import Sight, Want
from chalicelib.domain.fleet.judge import IDLE_HASH
from chalicelib.domain.fleet.report import (
    CAPABILITY_BITS,
    AgentReport,
    ConfigStatus,
    Description,
    Effective,
    Health,
    RemoteStatus,
)
from chalicelib.domain.fleet.state import AgentState, Assignment, FleetPolicy
from chalicelib.domain.kubernetes.exchange import PipelineSeen
from chalicelib.domain.kubernetes.process_pipeline import NodeState, NodeStatus
from chalicelib.domain.kubernetes.resource import ConditionStatus, condition

ALL = sum(CAPABILITY_BITS.values())
CONFIRM_WITHIN_S = 150.0
"""Seconds a node has: a rollout goes through the nodes in waves, ready for ten seconds each; experiments wait 180."""
SILENCE_S = 120.0
"""A schedule looks once a minute."""
_WAITS = "the operator in the cluster has not taken it up; is it running there?"
Say = Callable[[AgentState], tuple[AgentState, AgentReport]]


def node_policy(policy: FleetPolicy) -> FleetPolicy:
    """The times of a host with a supervisor, made to fit a node."""
    return policy.model_copy(update={"confirm_within": CONFIRM_WITHIN_S, "silence": SILENCE_S})


@dataclass(frozen=True)
class Heard:
    """What was said of a wanted configuration on a node. status None: nothing yet."""

    applied: ConfigStatus = ConfigStatus.UNSET
    error: str = ""
    ready: bool = False
    runs: bool = False
    """Whether the node's collector gave its hash back."""
    started_at: float | None = None


def heard(want: Want, sight: Sight) -> Heard:
    """What the cluster says of what a node wants. Only a resource that asks for the very same, in this or a later try,
    and that the operator has looked at since, is believed."""
    same = (one for one in sight.living() if sight.markers[one.name] == want.marker)
    there = next((one for one in same if sight.names(one, want.node)), None)
    if there is None or there.spec.revision < want.revision:
        return Heard()
    if there.status.observed_generation < there.generation:
        return Heard(ConfigStatus.APPLYING, _WAITS)
    node = sight.status(there, want.node)
    if _confirmed(there, node):
        ready = node is None or node.state is NodeState.READY
        failed = node is not None and node.state is NodeState.FAILED
        return Heard(
            ConfigStatus.FAILED if failed else ConfigStatus.APPLIED,
            node.message if node is not None and failed else "",
            ready=ready,
            runs=True,
            started_at=node.started_at if node else None,
        )
    if error := _refused(there) or _failed(node):
        return Heard(ConfigStatus.FAILED, error)
    return Heard(ConfigStatus.APPLYING, node.message if node else "")


def _confirmed(there: PipelineSeen, node: NodeStatus | None) -> bool:
    asked = there.status.config_hash
    if node is None:  # a status lists a thousand nodes; of the others it says that all are alike
        return bool(asked) and there.status.active_config_hash == asked
    return bool(asked) and node.config_hash == asked


def _refused(there: PipelineSeen) -> str:
    """Why the whole resource is refused or was taken back, ""."""
    valid = condition(there.status.conditions, "ConfigValid")
    if valid is not None and valid.status is ConditionStatus.FALSE:
        return valid.message or valid.reason
    for one in there.status.quarantine:
        if one.config_hash == there.status.config_hash and one.revision >= there.spec.revision:
            return one.error or "it was rolled back"
    return ""


def _failed(node: NodeStatus | None) -> str:
    if node is None or node.state is not NodeState.FAILED:
        return ""
    return node.message or "its collector failed and said nothing"


def say_wanted(want: Want, found: Heard, version: str) -> Say:
    """The report of a node that shall run something. version: of the collector, for people."""

    def say(state: AgentState) -> tuple[AgentState, AgentReport]:
        wanted = state.desired
        if wanted is None or (wanted.scope, wanted.content_hash) != (want.scope, want.content_hash):
            return state, _report(state, want.host, version, _as_before(state), _running(state, ""), _held(state, ""))
        state = _marked(state, wanted, want.marker)
        proven = state.confirmed is not None and state.confirmed.marker == want.marker
        if found.runs and (found.ready or proven):
            well = found.applied is not ConfigStatus.FAILED
            started = int((found.started_at or 0) * 1e9)
            if started == wanted.start_before_ns:  # put back by the operator: the very collector that ran before
                started = 0
            health = Health(healthy=well, last_error="" if well else found.error, status="node", start_ns=started)
            status = RemoteStatus(status=found.applied, marker=want.marker, error=found.error)
            return state, _report(state, want.host, version, health, want.marker, status)
        # A confirmed one of which nothing is said any more is offered again; any other waits for its first word.
        said = want.marker if found.applied is not ConfigStatus.UNSET else ""
        status = RemoteStatus(status=found.applied, marker=said, error=found.error)
        return state, _report(
            state, want.host, version, _as_before(state), _running(state, "" if proven else want.marker), status
        )

    return say


def say_idle(host: str, runs: bool, version: str) -> Say:
    """The report of a node that shall run nothing. runs: whether a resource still names it."""

    def say(state: AgentState) -> tuple[AgentState, AgentReport]:
        wanted = state.desired
        idle = wanted is not None and wanted.content_hash == IDLE_HASH
        if wanted is None or not idle or runs:
            marker = _running(state, wanted.marker if idle and wanted else "") if runs else ""
            return state, _report(state, host, version, _as_before(state), marker, _held(state, ""))
        status = RemoteStatus(status=ConfigStatus.APPLIED, marker=wanted.marker)
        health = Health(healthy=True, status="nothing runs and nothing is wanted")
        return state, _report(state, host, version, health, wanted.marker, status)

    return say


def _marked(state: AgentState, wanted: Assignment, marker: str) -> AgentState:
    """The state with the marker that the node's collector will give back: that of all nodes that want the same."""
    if wanted.marker == marker:
        return state
    return state.model_copy(update={"desired": wanted.model_copy(update={"marker": marker})})


def _as_before(state: AgentState) -> Health:
    """The collector that runs goes on, for all that is known; a node on which none runs is well too."""
    if state.health is None or (not state.health.healthy and state.confirmed is None):
        return Health(healthy=True, status="node")
    return state.health


def _running(state: AgentState, but: str) -> str:
    """The marker that was given back last, unless it is `but`, which is not proven."""
    marker = state.effective.marker if state.effective else ""
    return "" if marker == but else marker


def _held(state: AgentState, marker: str) -> RemoteStatus:
    return state.remote or RemoteStatus(status=ConfigStatus.UNSET, marker=marker)


def _report(
    state: AgentState, host: str, version: str, health: Health, effective: str, remote: RemoteStatus
) -> AgentReport:
    """A whole message: nothing before it matters. No two are the same, so that each is judged."""
    number = (state.sequence or 0) + 1
    return AgentReport(
        instance_uid=hashlib.sha256(f"node/{host}".encode()).hexdigest()[:32],
        sequence=number,
        capabilities=ALL,
        description=Description(identifying={"service.version": version}),
        health=health,
        effective=Effective(marker=effective),
        remote=remote,
        digest=hashlib.sha256(f"{host}/{number}".encode()).hexdigest(),
    )
