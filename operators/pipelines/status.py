"""A judgement as the resource's status: counts, conditions, and what is worth an event. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from chalicelib.domain.kubernetes.process_pipeline import NODES_SHOWN, NodeState, PhoenixProcessPipelineStatus
from chalicelib.domain.kubernetes.resource import (
    MAX_MESSAGE,
    Condition,
    ConditionStatus,
    condition,
    with_condition,
)
from operators.pipelines.rollout import Judgement, Situation, quarantined

TRUE, FALSE, UNKNOWN = ConditionStatus.TRUE, ConditionStatus.FALSE, ConditionStatus.UNKNOWN


@dataclass(frozen=True)
class Validity:
    """What is known of a spec: whether it can be run, and if not, why (a CamelCase word and a sentence)."""

    status: ConditionStatus
    reason: str
    message: str = ""


ACCEPTED = Validity(TRUE, "Accepted")


@dataclass(frozen=True)
class Said:
    """An event about the resource."""

    reason: str
    message: str
    warning: bool = False


def status_of(
    situation: Situation, judged: Judgement, validity: Validity, label: str, now: float
) -> PhoenixProcessPipelineStatus:
    """The whole status. label: how people call what the spec asks for. now: Unix seconds."""
    before, applied, wanted = situation.before, situation.applied, situation.wanted
    proven = judged.complete and applied is not None
    conditions = before.conditions
    for kind, (status, reason, message) in _conditions(situation, judged, validity).items():
        conditions = with_condition(
            conditions,
            Condition(
                type=kind,
                status=status,
                observed_generation=situation.generation,
                last_transition_time=_time(now),
                reason=reason,
                message=message[:MAX_MESSAGE],
            ),
        )
    return PhoenixProcessPipelineStatus(
        observed_generation=situation.generation,
        conditions=conditions,
        pipeline=label[:300],
        config_hash=wanted.config_hash if wanted else "",
        applied_config_hash=applied.config_hash if applied else "",
        active_config_hash=_active(situation, judged),
        last_good_config_hash=applied.config_hash if proven and applied else before.last_good_config_hash,
        last_good_config_map=applied.config_map if proven and applied else before.last_good_config_map,
        rollout_started_at=judged.started_at,
        desired_nodes=situation.daemon_set.desired,
        updated_nodes=judged.updated,
        ready_nodes=judged.count(NodeState.READY),
        failed_nodes=judged.count(NodeState.FAILED),
        nodes=judged.nodes[:NODES_SHOWN],
        quarantine=judged.quarantine,
    )


def events(before: PhoenixProcessPipelineStatus, after: PhoenixProcessPipelineStatus) -> list[Said]:
    """What happened between two statuses that people want to read in `kubectl describe`."""
    said = []
    if len(after.quarantine) > len(before.quarantine) or (
        after.quarantine and before.quarantine and after.quarantine[-1] != before.quarantine[-1]
    ):
        said.append(Said("RolledBack", f"The last good configuration is put back: {after.quarantine[-1].error}", True))
    for kind, status, warning in (("ConfigValid", FALSE, True), ("Ready", TRUE, False), ("Degraded", TRUE, True)):
        old, new = condition(before.conditions, kind), condition(after.conditions, kind)
        if new is None or new.status is not status or (old is not None and _same(old, new)):
            continue
        if not (kind == "Degraded" and said):
            said.append(Said(new.reason, new.message, warning))
    return said


def _same(old: Condition, new: Condition) -> bool:
    return (old.status, old.reason) == (new.status, new.reason)


def _conditions(
    situation: Situation, judged: Judgement, validity: Validity
) -> dict[str, tuple[ConditionStatus, str, str]]:
    ready, failed = judged.count(NodeState.READY), judged.count(NodeState.FAILED)
    desired = situation.daemon_set.desired
    stand = f"{ready} of {desired} nodes ready"
    out = {"ConfigValid": (validity.status, validity.reason, validity.message)}
    if situation.wanted is None:
        kept = "; what runs is left as it is" if situation.applied else ""
        out["Ready"] = (FALSE, validity.reason, f"{validity.message}{kept}")
        out["Progressing"] = (FALSE, validity.reason, "")
        out["Degraded"] = (FALSE if situation.applied is None else TRUE, validity.reason, validity.message)
        return out
    held = quarantined(situation.wanted, situation.revision, judged.quarantine)
    if held is not None:
        out["Ready"] = (FALSE, "RolledBack", f"the last good configuration runs, not the one asked for: {held.error}")
        out["Progressing"] = (FALSE, "RolledBack", "")
        out["Degraded"] = (TRUE, "RolledBack", held.error)
    elif not situation.daemon_set.observed:
        out["Ready"] = (UNKNOWN, "NotObserved", "the DaemonSet's controller has not looked at it yet")
        out["Progressing"] = (TRUE, "NotObserved", "")
        out["Degraded"] = (FALSE, "AsExpected", "")
    elif desired == 0:
        out["Ready"] = (FALSE, "NoNodes", "no node has the labels of nodeSelector and a name in nodeNames")
        out["Progressing"] = (FALSE, "NoNodes", "")
        out["Degraded"] = (FALSE, "AsExpected", "")
    else:
        out |= _rolling(judged, stand, failed)
    return out


def _rolling(judged: Judgement, stand: str, failed: int) -> dict[str, tuple[ConditionStatus, str, str]]:
    words = next((node.message for node in judged.nodes if node.message), "")
    why = f"{stand}; {words}" if words else stand
    if judged.complete:
        return {
            "Ready": (TRUE, "AllNodesReady", f"{stand}, and each gave the configuration's hash back"),
            "Progressing": (FALSE, "Complete", ""),
            "Degraded": (FALSE, "AsExpected", ""),
        }
    progressing = (FALSE, "RolloutFailed", judged.failure) if judged.failure else (TRUE, "RollingOut", stand)
    degraded = (TRUE, "NodesFailed", judged.failure or words) if failed or judged.failure else (FALSE, "AsExpected", "")
    return {
        "Ready": (FALSE, "NodesFailed" if failed else "RollingOut", why),
        "Progressing": progressing,
        "Degraded": degraded,
    }


def _active(situation: Situation, judged: Judgement) -> str:
    """What all nodes gave back, "" while they differ or one did not."""
    given = {node.config_hash for node in judged.nodes}
    all_said = 0 < situation.daemon_set.desired <= len(judged.nodes)
    return given.pop() if all_said and len(given) == 1 else ""


def _time(now: float) -> str:
    return datetime.fromtimestamp(int(now), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
