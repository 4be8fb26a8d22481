"""What a pod of ours says about itself: its node, its form, whether it is ready, why it failed. Pure.

Texts come from nodes: data, bounded, with credentials masked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chalicelib.domain.pipeline.masking import mask_text
from operators.engine.objects import Object
from operators.pipelines import names

MAX_MESSAGE = 2048
_ERROR = re.compile(r"^Error: .+", re.MULTILINE)
_HARMLESS = {"ContainerCreating", "PodInitializing", ""}
_HOPELESS = {
    "CreateContainerConfigError",
    "ImagePullBackOff",
    "InvalidImageName",
    "ErrImageNeverPull",
    "RunContainerError",
}
"""Reasons for which a container waits until somebody changes something."""
_CRASHED_OFTEN = 2
"""Starts again after which a pod is taken for one that will not come up."""


@dataclass(frozen=True)
class PodSeen:
    """One pod. Times are Unix seconds."""

    name: str
    uid: str
    node: str
    form: str
    """Beginning of the form's hash, as its label has it."""
    config_hash: str
    """Of the configuration that it was given (not: that it runs)."""
    ip: str
    going: bool
    """It is being deleted."""
    ready_since: float | None
    started_at: float | None
    """When the collector that runs now started; None when none runs."""
    crashing: bool
    """It started and ended again and again."""
    stuck: bool
    """It cannot be started as long as nobody changes something."""
    message: str
    """Why it does not run, "" when nothing is known to be wrong."""


def pod_seen(pod: Object) -> PodSeen:
    """What a pod says."""
    metadata, spec, status = pod["metadata"], pod.get("spec") or {}, pod.get("status") or {}
    labels, annotations = metadata.get("labels") or {}, metadata.get("annotations") or {}
    main: Mapping[str, Any] = next(
        (one for one in status.get("containerStatuses") or [] if one.get("name") == names.CONTAINER), {}
    )
    running = (main.get("state") or {}).get("running")
    ready = _condition(status, "Ready")
    message = "" if ready and ready.get("status") == "True" else _message(status)
    return PodSeen(
        name=metadata["name"],
        uid=metadata.get("uid", ""),
        node=spec.get("nodeName") or _meant_for(spec),
        form=labels.get(names.FORM, ""),
        config_hash=annotations.get(names.CONFIG_HASH, ""),
        ip=status.get("podIP", ""),
        going="deletionTimestamp" in metadata,
        ready_since=seconds(ready.get("lastTransitionTime")) if ready and ready.get("status") == "True" else None,
        started_at=seconds(running.get("startedAt")) if running else None,
        crashing=_crashing(main),
        stuck=((main.get("state") or {}).get("waiting") or {}).get("reason", "") in _HOPELESS,
        message=mask_text(message)[:MAX_MESSAGE],
    )


def seconds(time: Any) -> float | None:
    """Unix seconds of an RFC 3339 time, None for what is none."""
    if not isinstance(time, str):
        return None
    try:
        return datetime.fromisoformat(time).timestamp()
    except ValueError:
        return None


def last_error(text: str) -> str:
    """The collector's last line that says what is wrong; all of it when no line does."""
    found = _ERROR.findall(text)
    return (found[-1].removeprefix("Error: ") if found else text).strip()


def _crashing(container: Mapping[str, Any]) -> bool:
    state, last = container.get("state") or {}, container.get("lastState") or {}
    if (state.get("waiting") or {}).get("reason") == "CrashLoopBackOff":
        return True
    ended = state.get("terminated") or last.get("terminated") or {}
    often = container.get("restartCount", 0) >= _CRASHED_OFTEN
    return often and not container.get("ready") and ended.get("exitCode", 0) != 0


def _message(status: Mapping[str, Any]) -> str:
    containers = [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]
    for container in containers:
        for text in _words(container):
            if text:
                return text
    scheduled = _condition(status, "PodScheduled")
    if scheduled and scheduled.get("status") == "False":
        return str(scheduled.get("message", ""))
    return str(status.get("message") or "")


def _words(container: Mapping[str, Any]) -> Iterator[str]:
    """What a container says of why it does not run: the collector's own words before the kubelet's."""
    state, last = container.get("state") or {}, container.get("lastState") or {}
    for ended in (state.get("terminated"), last.get("terminated")):
        if ended and ended.get("exitCode", 0) != 0:
            words = last_error(str(ended.get("message") or ""))
            yield words or f"the collector ended with code {ended.get('exitCode')} ({ended.get('reason', 'no reason')})"
    waiting = state.get("waiting") or {}
    if waiting.get("reason", "") not in _HARMLESS:
        yield f"{waiting['reason']}: {waiting.get('message', '')}".rstrip(": ")


def _condition(status: Mapping[str, Any], kind: str) -> Mapping[str, Any] | None:
    return next((one for one in status.get("conditions") or [] if one.get("type") == kind), None)


def _meant_for(spec: Mapping[str, Any]) -> str:
    """The node that a DaemonSet's pod is made for, before it is scheduled there."""
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or {}
    for term in required.get("nodeSelectorTerms") or []:
        for field in term.get("matchFields") or []:
            if field.get("key") == "metadata.name" and field.get("values"):
                return str(field["values"][0])
    return ""
