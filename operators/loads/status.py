"""How a LoadSimulationJob stands: the sum of its nodes, conditions, and whether that is news. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from chalicelib.domain.kubernetes.load_job import LoadSimulationJobSpec, LoadSimulationJobStatus, NodeLoad
from chalicelib.domain.kubernetes.resource import Condition, ConditionStatus, with_condition
from chalicelib.domain.load import LoadPhase
from operators.engine.objects import Object
from operators.loads.pods import said

HEARTBEAT_S = 30.0
"""A status in which nothing changed but when it was heard is written this often: its readers see that it is alive."""
_MESSAGE = 1000


def status(
    nodes: Sequence[NodeLoad],
    spec: LoadSimulationJobSpec,
    old: LoadSimulationJobStatus,
    jobs: Sequence[Object],
    generation: int,
    now: float,
) -> LoadSimulationJobStatus:
    """The sum. now: Unix seconds."""
    phase = _phase(nodes, spec)
    reason = _reason(nodes)
    ends = [one.status.ended_at for one in nodes if one.status.ended_at is not None]
    starts = [one.status.started_at for one in nodes if one.status.started_at is not None]
    return LoadSimulationJobStatus(
        observed_generation=generation,
        conditions=_conditions(old.conditions, nodes, phase, reason, generation, now),
        phase=phase,
        asked=sum(one.status.asked if one.status.asked is not None else spec.load.count for one in nodes),
        running=sum(one.status.running for one in nodes),
        spawned=sum(one.status.spawned for one in nodes),
        restarts=sum(one.status.restarts for one in nodes),
        started_at=min(starts, default=None),
        ended_at=max(ends, default=None) if phase.ended else None,
        ends_by=max((_ends_by(job) for job in jobs), default=old.ends_by),
        reason=reason,
        nodes=tuple(nodes),
    )


def refused(problem: str, old: LoadSimulationJobStatus, generation: int, now: float) -> LoadSimulationJobStatus:
    """Of a resource that cannot be carried out as it is."""
    reason = said(problem)
    return old.model_copy(
        update={
            "observed_generation": generation,
            "phase": LoadPhase.FAILED,
            "reason": reason,
            "ended_at": old.ended_at or now,
            "conditions": _conditions(old.conditions, (), LoadPhase.FAILED, reason, generation, now),
        }
    )


def is_news(new: LoadSimulationJobStatus, old: LoadSimulationJobStatus) -> bool:
    """Whether it must be written: something changed beside what changes with every look, or that is old by now."""
    if _lasting(new) != _lasting(old):
        return True
    return any(
        (one.reported_at or 0.0) - (before.reported_at or 0.0) >= HEARTBEAT_S
        for one, before in zip(new.nodes, old.nodes, strict=True)
    )


def _lasting(whole: LoadSimulationJobStatus) -> LoadSimulationJobStatus:
    nodes = []
    for one in whole.nodes:
        stage = one.status.stage.model_copy(update={"ends_at": None}) if one.status.stage else None
        kept = one.status.model_copy(update={"rates": None, "names": (), "stage": stage})
        nodes.append(one.model_copy(update={"reported_at": None, "status": kept}))
    return whole.model_copy(update={"nodes": tuple(nodes)})


def _phase(nodes: Sequence[NodeLoad], spec: LoadSimulationJobSpec) -> LoadPhase:
    """One that has failed does not end the others; the whole has failed when all have ended and one so."""
    phases = [one.status.phase for one in nodes]
    if all(phase.ended for phase in phases):
        return LoadPhase.FAILED if LoadPhase.FAILED in phases else LoadPhase.STOPPED
    if spec.stopped:
        return LoadPhase.STOPPING
    for phase in (LoadPhase.STARTING, LoadPhase.STOPPING):
        if phase in phases:
            return phase
    return LoadPhase.RUNNING


def _reason(nodes: Sequence[NodeLoad]) -> str:
    """The first node's reason of each kind, worst first, with how many there are of it."""
    lines = []
    for failed in (True, False):
        found = [one for one in nodes if one.status.reason and (one.status.phase is LoadPhase.FAILED) is failed]
        if found:
            first = found[0]
            where = f"{first.node}: " if len(nodes) > 1 and first.node else ""
            lines.append(where + first.status.reason + (f" (and {len(found) - 1} more)" if len(found) > 1 else ""))
    return said("; ".join(lines))


def _conditions(
    old: Sequence[Condition],
    nodes: Sequence[NodeLoad],
    phase: LoadPhase,
    reason: str,
    generation: int,
    now: float,
) -> tuple[Condition, ...]:
    failed = sum(one.status.phase is LoadPhase.FAILED for one in nodes) or int(phase is LoadPhase.FAILED)
    ready, why = _ready(nodes, phase)
    done = phase is LoadPhase.STOPPED
    at = datetime.fromtimestamp(int(now), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    for kind, status_, word, message in (
        ("Ready", ready, why, reason),
        ("Complete", _flag(done), "Ended" if done else "NotEnded", reason if done else ""),
        ("Failed", _flag(failed > 0), "LoadFailed" if failed else "NoneFailed", reason if failed else ""),
    ):
        new = Condition(
            type=kind,
            status=status_,
            observed_generation=generation,
            last_transition_time=at,
            reason=word,
            message=message[:_MESSAGE],
        )
        old = with_condition(old, new)
    return tuple(old)


def _flag(value: bool) -> ConditionStatus:
    return ConditionStatus.TRUE if value else ConditionStatus.FALSE


def _ready(nodes: Sequence[NodeLoad], phase: LoadPhase) -> tuple[ConditionStatus, str]:
    if phase is not LoadPhase.RUNNING:
        return ConditionStatus.FALSE, phase.value.capitalize()
    if any(one.status.phase.ended for one in nodes):
        return ConditionStatus.FALSE, "SomeEnded"
    if any(one.status.reason for one in nodes):  # a load that runs has no reason of its own: it was not heard
        return ConditionStatus.UNKNOWN, "NotHeard"
    return ConditionStatus.TRUE, "AllRunning"


def _ends_by(job: Object) -> float:
    began = job.get("status", {}).get("startTime") or job["metadata"]["creationTimestamp"]
    return datetime.fromisoformat(began).timestamp() + float(job["spec"]["activeDeadlineSeconds"])
