"""What a rollout comes to: which form is to run, how each node stands, whether it failed. Pure: time is an argument.

Three forms matter: the one that the spec asks for (wanted), the one in the DaemonSet (applied) and the one that was
last ready everywhere (last good). A wanted form is applied until it failed; then the last good one is, and the wanted
one is quarantined until the spec, or its revision, changes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from chalicelib.domain.kubernetes.process_pipeline import (
    MAX_QUARANTINE,
    NodeState,
    NodeStatus,
    PhoenixProcessPipelineStatus,
    QuarantinedConfig,
    RolloutPolicy,
)
from operators.pipelines.confirmation import Answer
from operators.pipelines.pods import PodSeen

CONFIRM_AGAIN_S = 2.0
_LISTED = {NodeState.FAILED: 0, NodeState.PENDING: 1, NodeState.UPDATING: 1, NodeState.READY: 2}
"""A status lists a thousand nodes, the ready ones last: of those that are left out, the counts say enough."""
_SOON_S = 0.05
"""Added to a time to look again at, so that the look is after it."""


@dataclass(frozen=True)
class FormName:
    """Which form, without what is in it."""

    config_hash: str
    form_hash: str
    config_map: str


class Target(Enum):
    """What the DaemonSet is to run."""

    WANTED = "wanted"
    LAST_GOOD = "last good"
    KEPT = "kept"
    """Whatever it runs now: nothing better is known."""


@dataclass(frozen=True)
class DaemonSetSeen:
    """What the DaemonSet's controller says of it. observed: of its newest form, not of an older one."""

    observed: bool = False
    desired: int = 0
    updated: int = 0
    available: int = 0


@dataclass(frozen=True)
class Situation:
    """All that a judgement is made of. refusal: why there is no wanted form. answers: by a pod's uid."""

    generation: int
    revision: int
    policy: RolloutPolicy
    wanted: FormName | None
    refusal: str
    applied: FormName | None
    daemon_set: DaemonSetSeen
    pods: Sequence[PodSeen]
    answers: Mapping[str, Answer]
    before: PhoenixProcessPipelineStatus


@dataclass(frozen=True)
class Judgement:
    """nodes: all of them, those that failed first. started_at: of the rollout's last progress, None when none is under
    way. failure: why this rollout failed, "" when it did not (yet). complete: every node is ready with the applied
    form. again: seconds after which to look again, None when only a change matters."""

    nodes: tuple[NodeStatus, ...]
    updated: int
    complete: bool
    started_at: float | None
    failure: str
    quarantine: tuple[QuarantinedConfig, ...]
    again: float | None

    def count(self, state: NodeState) -> int:
        """Nodes in a state."""
        return sum(node.state is state for node in self.nodes)


def quarantined(wanted: FormName, revision: int, quarantine: Sequence[QuarantinedConfig]) -> QuarantinedConfig | None:
    """The entry that keeps a form from being applied, or None."""
    for entry in reversed(quarantine):
        if entry.form_hash == wanted.form_hash and entry.revision == revision:
            return entry
    return None


def choose(wanted: FormName | None, revision: int, before: PhoenixProcessPipelineStatus) -> Target:
    """What the DaemonSet is to run now."""
    if wanted is None:
        return Target.KEPT
    if quarantined(wanted, revision, before.quarantine) is None:
        return Target.WANTED
    return Target.LAST_GOOD if before.last_good_config_map else Target.KEPT


def judge(situation: Situation, now: float) -> Judgement:
    """How it stands. now: Unix seconds."""
    before, applied = situation.before, situation.applied
    against = _held_against(situation)
    nodes = _nodes(situation, against, now)
    form = applied.form_hash if applied else ""
    updated = len({pod.node for pod in situation.pods if _of(pod, form) and not pod.going})
    ready = sum(node.state is NodeState.READY for node in nodes)
    complete = not against and _complete(situation.daemon_set, ready)
    under_way = (
        not against
        and applied is not None
        and before.last_good_config_map != applied.config_map
        and situation.daemon_set.desired > 0
        and not complete
    )
    started_at = _started_at(situation, updated, ready, now) if under_way else None
    failure = _failure(situation, started_at, now) if started_at is not None else ""
    quarantine = _quarantine(situation, failure, now)
    if failure and len(quarantine) == len(before.quarantine):
        nodes = tuple(_failed_by_deadline(node, failure) for node in nodes)
    return Judgement(
        nodes=tuple(sorted(nodes, key=lambda node: (_LISTED[node.state], node.node))),
        updated=updated,
        complete=complete,
        started_at=started_at,
        failure=failure,
        quarantine=quarantine,
        again=_again(situation, started_at, failure, now),
    )


def _held_against(situation: Situation) -> str:
    """Why what runs is not what is wanted; "" when it is."""
    if situation.wanted is None:
        return situation.refusal
    entry = quarantined(situation.wanted, situation.revision, situation.before.quarantine)
    return entry.error if entry is not None else ""


def _nodes(situation: Situation, against: str, now: float) -> tuple[NodeStatus, ...]:
    by_node: dict[str, list[PodSeen]] = {}
    for pod in situation.pods:
        if pod.node:
            by_node.setdefault(pod.node, []).append(pod)
    return tuple(_node(situation, node, pods, against, now) for node, pods in sorted(by_node.items()))


def _node(situation: Situation, node: str, pods: Sequence[PodSeen], against: str, now: float) -> NodeStatus:
    applied = situation.applied
    staying = [pod for pod in pods if not pod.going]
    new = next((pod for pod in staying if applied and _of(pod, applied.form_hash)), None)
    runs = next((pod for pod in [new, *staying, *pods] if pod is not None and _confirmed(situation, pod)), None)
    state, message = _state(situation, new, now)
    if against:
        state, message = NodeState.FAILED, against
    return NodeStatus(
        node=node,
        pod=new.name if new else (staying[0].name if staying else ""),
        state=state,
        config_hash=_confirmed(situation, runs) if runs else "",
        started_at=runs.started_at if runs else None,
        message=message[:2048],
    )


def _state(situation: Situation, new: PodSeen | None, now: float) -> tuple[NodeState, str]:
    if new is None or situation.applied is None:
        return NodeState.PENDING, ""
    if new.crashing or new.stuck:
        return NodeState.FAILED, new.message
    if new.ready_since is None:
        return (NodeState.UPDATING if new.ip or new.message else NodeState.PENDING), new.message
    answer = situation.answers.get(new.uid, Answer(reason="it was not asked yet"))
    if not answer.config_hash:
        return NodeState.UPDATING, f"ready, but which configuration it runs is not known: {answer.reason}"
    if answer.config_hash != situation.applied.config_hash:
        return NodeState.UPDATING, f"it runs another configuration: {answer.config_hash}"
    if now < _long_enough(situation, new.ready_since):
        return NodeState.UPDATING, ""
    return NodeState.READY, ""


def _long_enough(situation: Situation, ready_since: float) -> float:
    """When a pod has been ready for as long as the policy asks; at once where the form was ready everywhere before
    (a node that joined late, a pod that was started anew)."""
    applied = situation.applied
    proven = applied is not None and situation.before.last_good_config_map == applied.config_map
    return ready_since + (0 if proven else situation.policy.min_ready_seconds)


def _confirmed(situation: Situation, pod: PodSeen) -> str:
    return situation.answers.get(pod.uid, Answer()).config_hash


def _of(pod: PodSeen, form_hash: str) -> bool:
    return bool(pod.form) and form_hash.startswith(pod.form)


def _complete(daemon_set: DaemonSetSeen, ready: int) -> bool:
    wanted = daemon_set.desired
    return daemon_set.observed and 0 < wanted == daemon_set.updated == daemon_set.available == ready


def _started_at(situation: Situation, updated: int, ready: int, now: float) -> float:
    """Of the last progress: one more node updated or ready, or another spec."""
    before = situation.before
    if before.rollout_started_at is None or before.observed_generation != situation.generation:
        return now
    if situation.applied is not None and before.applied_config_hash != situation.applied.config_hash:
        return now
    progressed = updated > before.updated_nodes or ready > before.ready_nodes
    return now if progressed else before.rollout_started_at


def _failure(situation: Situation, started_at: float, now: float) -> str:
    applied = situation.applied
    new = [pod for pod in situation.pods if applied and _of(pod, applied.form_hash) and not pod.going]
    for pod in new:
        if pod.crashing:
            return pod.message or "the collector ends again and again"
    deadline = situation.policy.progress_deadline
    if now - started_at < deadline:
        return ""
    words = next((pod.message for pod in new if pod.message), "")
    return f"no progress for {deadline:g} s" + (f": {words}" if words else "")


def _quarantine(situation: Situation, failure: str, now: float) -> tuple[QuarantinedConfig, ...]:
    """With a last good form to go back to, a failed one is not tried again. Without one it stays: it may yet come up,
    when a Secret that it needs is made, say."""
    before, wanted = situation.before, situation.wanted
    if not failure or wanted is None or not before.last_good_config_map:
        return before.quarantine
    entry = QuarantinedConfig(
        config_hash=wanted.config_hash,
        form_hash=wanted.form_hash,
        error=failure[:2048],
        at=now,
        revision=situation.revision,
    )
    return (*before.quarantine, entry)[-MAX_QUARANTINE:]


def _failed_by_deadline(node: NodeStatus, failure: str) -> NodeStatus:
    if node.state in (NodeState.READY, NodeState.FAILED):
        return node
    return node.model_copy(update={"state": NodeState.FAILED, "message": (node.message or failure)[:2048]})


def _again(situation: Situation, started_at: float | None, failure: str, now: float) -> float | None:
    times = []
    if started_at is not None and not failure:
        times.append(started_at + situation.policy.progress_deadline)
    for pod in situation.pods:
        if pod.going or pod.ready_since is None:
            continue
        if not _confirmed(situation, pod):
            times.append(now + CONFIRM_AGAIN_S)
        elif (at := _long_enough(situation, pod.ready_since)) > now:
            times.append(at)
    return max(min(times) - now, 0.0) + _SOON_S if times else None
