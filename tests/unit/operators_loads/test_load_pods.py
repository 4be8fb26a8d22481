"""What a node's Job and pod say of its load, in every state they may be found in."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.domain.kubernetes.load_job import LoadSimulationJobSpec, NodeLoad
from chalicelib.domain.load import LoadPhase
from operators.engine.objects import Object
from operators.loads.pods import NodeSeen, Reading, node_load, said
from tests.unit.operators_loads.world import container, last_word, running, terminated

NOW = 1000.0
BEFORE = NodeLoad(node="node-1", pod="web-x", status=running(), reported_at=990.0)
MADE: Object = {"metadata": {"name": "web"}, "status": {}}


def pod(deleting: bool = False, **status: Any) -> Object:
    metadata = {"name": "web-x", "uid": "u1"} | ({"deletionTimestamp": "2027-01-15T08:00:00Z"} if deleting else {})
    return {"metadata": metadata, "spec": {"nodeName": "node-1"}, "status": status}


def load(
    seen_pod: Object | None,
    before: NodeLoad | None = BEFORE,
    reading: Reading | None = None,
    job: Object | None = MADE,
    **spec: Any,
) -> NodeLoad:
    asked = LoadSimulationJobSpec.model_validate({"load": {"durationS": 600}, **spec})
    return node_load(NodeSeen("node-1", job, seen_pod, before, reading), asked, NOW)


def test_a_running_pod_is_what_it_says() -> None:
    found = load(pod(**container(running={})), reading=Reading(NOW, running(running=59, spawned=62)))
    assert (found.status.running, found.status.spawned, found.reported_at) == (59, 62, NOW)


def test_one_that_does_not_answer_keeps_its_last_counts_and_says_why() -> None:
    found = load(pod(**container(running={})), reading=Reading(NOW, failure="no answer within 2 s"))
    assert (found.status.phase, found.status.running, found.status.spawned) == (LoadPhase.RUNNING, 60, 61)
    assert found.status.reason == "its pod could not be asked: no answer within 2 s"
    assert found.reported_at == 990.0


WAITS = [
    (container(waiting={"reason": "ContainerCreating"}), ""),
    (
        container(waiting={"reason": "ErrImageNeverPull", "message": 'Container image "x" is not present'}),
        'the pod does not start: ErrImageNeverPull: Container image "x" is not present',
    ),
    (
        {
            "phase": "Pending",
            "conditions": [
                {
                    "type": "PodScheduled",
                    "status": "False",
                    "reason": "Unschedulable",
                    "message": "0/1 nodes are available: 1 Insufficient memory.",
                }
            ],
        },
        "the pod is not scheduled: Unschedulable: 0/1 nodes are available: 1 Insufficient memory.",
    ),
]


@pytest.mark.parametrize(("status", "words"), WAITS)
def test_one_that_does_not_run_yet_says_why(status: dict[str, Any], words: str) -> None:
    found = load(pod(**status), before=None)
    assert (found.status.phase, found.status.reason, found.reported_at) == (LoadPhase.STARTING, words, None)


ENDS = [
    (terminated(0, last_word()), LoadPhase.STOPPED, "duration reached", 70),
    (
        terminated(0, last_word(endedAt=200.0, reason="asked to stop (SIGTERM)")),
        LoadPhase.FAILED,
        "ended from outside after 100 of 600 s: asked to stop (SIGTERM)",
        70,
    ),
    (
        terminated(1, last_word(phase="failed", reason="only 3 of 60 processes started within 60 s")),
        LoadPhase.FAILED,
        "only 3 of 60 processes started within 60 s",
        70,
    ),
    (terminated(1, last_word()), LoadPhase.FAILED, "exit code 1; duration reached", 70),
    (
        terminated(137, reason="OOMKilled"),
        LoadPhase.FAILED,
        "over its memory limit (1Gi), so the kernel ended it (exit code 137)",
        61,
    ),
    (
        terminated(137),
        LoadPhase.FAILED,
        "killed (exit code 137): by somebody, or by the kernel, over its memory limit (1Gi)",
        61,
    ),
    (
        terminated(128, "exec: python: not found", "StartError"),
        LoadPhase.FAILED,
        "ended with exit code 128: StartError: exec: python: not found",
        61,
    ),
    (terminated(0, "not json"), LoadPhase.STOPPED, "it ended in order and left no last word", 61),
    (terminated(0, last_word(phase="running")), LoadPhase.STOPPED, "it ended in order and left no last word", 61),
    (
        {"phase": "Failed", "reason": "Evicted", "message": "The node was low on resource: memory."},
        LoadPhase.FAILED,
        "the pod was ended: Evicted: The node was low on resource: memory.",
        61,
    ),
]


@pytest.mark.parametrize(("status", "phase", "words", "spawned"), ENDS)
def test_one_that_has_ended_says_how_and_keeps_what_was_counted(
    status: dict[str, Any], phase: LoadPhase, words: str, spawned: int
) -> None:
    found = load(pod(**status))
    assert (found.status.phase, found.status.reason) == (phase, words)
    assert (found.status.running, found.status.spawned) == (0, spawned)
    assert found.status.ended_at is not None
    later = load(None, before=found, job=None)
    assert later == found  # an end is final, whatever is deleted afterwards


def test_asked_to_stop_here_is_no_failure() -> None:
    ended = terminated(0, last_word(endedAt=200.0, reason="asked to stop (SIGTERM)"))
    found = load(pod(**ended), stopped=True)
    assert (found.status.phase, found.status.reason) == (LoadPhase.STOPPED, "asked to stop (SIGTERM)")


def test_a_pod_that_is_being_deleted_is_stopping() -> None:
    found = load(pod(deleting=True, phase="Running", **container(running={})))
    assert (found.status.phase, found.status.running) == (LoadPhase.STOPPING, 60)


def failed(reason: str, message: str) -> Object:
    condition = {"type": "Failed", "status": "True", "reason": reason, "message": message}
    return {"metadata": {"name": "web"}, "status": {"conditions": [condition]}}


WITHOUT = [
    (MADE, BEFORE, {}, LoadPhase.RUNNING, "its pod is gone"),
    (MADE, None, {}, LoadPhase.STARTING, ""),
    (None, None, {}, LoadPhase.STARTING, ""),
    (None, BEFORE, {}, LoadPhase.FAILED, "its Job was deleted; a load is never started twice"),
    (None, BEFORE, {"stopped": True}, LoadPhase.STOPPED, "stopped"),
    (None, None, {"stopped": True}, LoadPhase.STOPPED, "stopped before it ran"),
    (
        failed("DeadlineExceeded", "Job was active longer than specified deadline"),
        BEFORE,
        {},
        LoadPhase.FAILED,
        "ended by Kubernetes, its pod is gone: DeadlineExceeded: Job was active longer than specified deadline",
    ),
]


@pytest.mark.parametrize(("job", "before", "spec", "phase", "words"), WITHOUT)
def test_without_a_pod_the_job_and_what_was_said_decide(
    job: Object | None, before: NodeLoad | None, spec: dict[str, Any], phase: LoadPhase, words: str
) -> None:
    found = load(None, before=before, job=job, **spec)
    assert (found.status.phase, found.status.reason) == (phase, words)


@pytest.mark.parametrize("words", ["\x1b[31mred\x1b[0m", "a\nb\x00c", "x" * 9000, "‮evil"])
def test_words_from_elsewhere_are_one_printable_line_of_bounded_length(words: str) -> None:
    assert said(words).isprintable()
    assert len(said(words)) <= 500
    status = running(names=(words,), reason=words[:500])
    found = load(pod(**container(running={})), reading=Reading(NOW, status))
    assert found.status.reason.isprintable()
    assert all(name.isprintable() and len(name) <= 15 for name in found.status.names)
