"""What one node's Job and pod say of its load. Pure: objects and what was read come in, a NodeLoad goes out.

The last counts that were heard are kept while nothing newer can be had; why it cannot is said in `reason`. Strings from
pods and kubelets are cut to size and cleaned before they go on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from chalicelib.domain.kubernetes.load_job import LoadSimulationJobSpec, NodeLoad
from chalicelib.domain.load import LoadPhase, LoadStatus
from operators.engine.objects import Object
from operators.loads.desired import CONTAINER

_REASON = 500
_NAME = 15
_KILLED = 137
_ORDINARY_WAITS = ("ContainerCreating", "PodInitializing")
_EARLY_S = 2.0
"""A load that ends by its duration may say so many seconds less: its clock starts before its first status."""


@dataclass(frozen=True)
class Reading:
    """What came of asking a pod how it stands: a status, or why there is none. at: Unix seconds.
    failures: how often in a row there was none."""

    at: float
    status: LoadStatus | None = None
    failure: str = ""
    failures: int = 0


@dataclass(frozen=True)
class NodeSeen:
    """All that is known of one node's load. before: what was said of it last; a Job has been made if it is there."""

    target: str
    job: Object | None
    pod: Object | None
    before: NodeLoad | None
    reading: Reading | None


def said(text: object) -> str:
    """Words from elsewhere: one line, printable, at most as long as a reason may be."""
    words = "".join(letter if letter.isprintable() else " " for letter in str(text)[: 4 * _REASON])
    words = " ".join(words.split())
    return words if len(words) <= _REASON else words[: _REASON - 1] + "…"


def container_state(pod: Object) -> Mapping[str, Any]:
    """The state of the load's container: {"running": …}, {"waiting": …}, {"terminated": …}, or nothing yet."""
    statuses = pod.get("status", {}).get("containerStatuses") or ()
    for one in statuses:
        if one.get("name") == CONTAINER:
            state: Mapping[str, Any] = one.get("state") or {}
            return state
    return {}


def readable(pod: Object) -> str:
    """The address on which the pod can be asked; empty when it cannot be."""
    address = pod.get("status", {}).get("podIP", "")
    return str(address) if "running" in container_state(pod) else ""


def node_load(seen: NodeSeen, spec: LoadSimulationJobSpec, now: float) -> NodeLoad:
    """How this node's load stands. An end is final: nothing that comes later changes it."""
    before = seen.before or NodeLoad(node=seen.target, status=LoadStatus(phase=LoadPhase.STARTING))
    if before.status.phase.ended:
        return before
    if seen.pod is None:
        return before.model_copy(update={"status": _without_pod(seen, before.status, spec, now)})
    where = {
        "node": seen.target or str(seen.pod.get("spec", {}).get("nodeName", ""))[:253],
        "pod": seen.pod["metadata"]["name"],
    }
    status, heard = _of_pod(seen, before, spec, now)
    return before.model_copy(update={**where, "status": status, "reported_at": heard})


def _of_pod(
    seen: NodeSeen, before: NodeLoad, spec: LoadSimulationJobSpec, now: float
) -> tuple[LoadStatus, float | None]:
    pod: Object = seen.pod or {}
    state = container_state(pod)
    old, heard = before.status, before.reported_at
    if "terminated" in state:
        return _terminated(state["terminated"], pod, old, spec, now), now
    if pod.get("status", {}).get("phase") in ("Failed", "Succeeded"):  # refused, evicted, or past its deadline
        return _ended(old, LoadPhase.FAILED, f"the pod was ended: {_why(pod['status'])}", now), heard
    if pod["metadata"].get("deletionTimestamp"):
        return old.model_copy(update={"phase": LoadPhase.STOPPING, "reason": "its pod is being deleted"}), heard
    if "running" in state:
        return _running(seen.reading, old, heard, spec)
    return old.model_copy(update={"phase": LoadPhase.STARTING, "reason": _waiting(pod, state)}), heard


def _running(
    reading: Reading | None, old: LoadStatus, heard: float | None, spec: LoadSimulationJobSpec
) -> tuple[LoadStatus, float | None]:
    if reading is None:
        return old, heard
    if reading.status is None:
        return old.model_copy(update={"reason": said(f"its pod could not be asked: {reading.failure}")}), heard
    return _in_time(clean(reading.status), spec, reading.at), reading.at


def _waiting(pod: Object, state: Mapping[str, Any]) -> str:
    """Why the container does not run yet; empty while nothing is wrong."""
    waiting = state.get("waiting") or {}
    if waiting and waiting.get("reason") not in _ORDINARY_WAITS:
        return said(f"the pod does not start: {_why(waiting)}")
    for condition in pod.get("status", {}).get("conditions") or ():
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            return said(f"the pod is not scheduled: {_why(condition)}")
    return ""


def _why(thing: Mapping[str, Any]) -> str:
    return ": ".join(str(part) for part in (thing.get("reason"), thing.get("message")) if part) or "no reason is given"


def _terminated(
    state: Mapping[str, Any], pod: Object, old: LoadStatus, spec: LoadSimulationJobSpec, now: float
) -> LoadStatus:
    code = int(state.get("exitCode", -1))
    last = _last_words(str(state.get("message", "")))
    if last is None:
        if code == 0:
            return _ended(old, LoadPhase.STOPPED, "it ended in order and left no last word", now)
        return _ended(old, LoadPhase.FAILED, _killed(state, pod, code, spec), now)
    if code != 0 and last.phase is not LoadPhase.FAILED:
        last = last.model_copy(update={"phase": LoadPhase.FAILED, "reason": said(f"exit code {code}; {last.reason}")})
    return _in_time(last, spec, now)


def _in_time(status: LoadStatus, spec: LoadSimulationJobSpec, now: float) -> LoadStatus:
    """The status, which is a failure where it ended before its time and nobody had asked for that here."""
    if status.phase is not LoadPhase.STOPPED or spec.stopped:
        return status
    ran = (status.ended_at or now) - (status.started_at or now)
    if ran >= spec.load.duration_s - _EARLY_S:
        return status
    why = f"ended from outside after {ran:.0f} of {spec.load.duration_s:.0f} s: {status.reason}"
    return status.model_copy(update={"phase": LoadPhase.FAILED, "reason": said(why)})


def _killed(state: Mapping[str, Any], pod: Object, code: int, spec: LoadSimulationJobSpec) -> str:
    limit = spec.resources.limits.memory or "none"
    if state.get("reason") == "OOMKilled":
        return f"over its memory limit ({limit}), so the kernel ended it (exit code {code})"
    if _why(pod.get("status", {})) != "no reason is given":
        return said(f"ended with exit code {code}: {_why(pod['status'])}")
    if code == _KILLED:
        return f"killed (exit code {code}): by somebody, or by the kernel, over its memory limit ({limit})"
    return said(f"ended with exit code {code}: {_why(state)}")


def _last_words(message: str) -> LoadStatus | None:
    """The LoadStatus in a termination message, if there is one that says an end."""
    try:
        status = LoadStatus.model_validate_json(message)
    except ValidationError:
        return None
    return clean(status) if status.phase.ended else None


def clean(status: LoadStatus) -> LoadStatus:
    """A status from a pod, with words that can be stored and shown."""
    names = tuple(said(name)[:_NAME] for name in status.names)
    return status.model_copy(update={"names": names, "reason": said(status.reason)})


def _without_pod(seen: NodeSeen, old: LoadStatus, spec: LoadSimulationJobSpec, now: float) -> LoadStatus:
    if spec.stopped and (seen.job is None or seen.job["metadata"].get("deletionTimestamp")):
        return _ended(old, LoadPhase.STOPPED, "stopped" if old.spawned else "stopped before it ran", now)
    if seen.job is None:
        if seen.before is None:  # it is about to be made
            return old
        return _ended(old, LoadPhase.FAILED, "its Job was deleted; a load is never started twice", now)
    for condition in seen.job.get("status", {}).get("conditions") or ():
        if condition.get("type") == "Failed" and condition.get("status") == "True":
            return _ended(old, LoadPhase.FAILED, f"ended by Kubernetes, its pod is gone: {_why(condition)}", now)
        if condition.get("type") == "Complete" and condition.get("status") == "True":
            return _ended(old, LoadPhase.STOPPED, "it ended in order; its pod was deleted before it was heard", now)
    if seen.before is not None and seen.before.pod:
        return old.model_copy(update={"reason": "its pod is gone"})
    return old


def _ended(old: LoadStatus, phase: LoadPhase, reason: str, now: float) -> LoadStatus:
    """The last counts that were heard, and none of it alive any more."""
    update = {"phase": phase, "running": 0, "rates": None, "names": (), "ended_at": now, "reason": said(reason)}
    return old.model_copy(update=update)
