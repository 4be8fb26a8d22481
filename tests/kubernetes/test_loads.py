"""LoadSimulationJob on a real node: real processes that the host sees, an honest status, and nothing that survives."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from loadsim.processes.marker import marked
from tests.acceptance.waiting import until
from tests.kubernetes.cluster import NODE, Cluster
from tests.kubernetes.objects import condition, load, status
from tests.kubernetes.operator_process import OperatorProcess

NAME = "load"
SECONDS = 120.0
GONE_SECONDS = 5.0
"""What the product promises: no process of a load is left so long after whatever it hung on was killed."""
KIND = "loadsimulationjob"
LABEL = f"phoenix.io/load={NAME}"
WEB = {"profile": "realistic", "count": 60, "durationS": "10m", "restartsPerMinute": 0}


class Load:
    """The load of this test, as its user, the node and the host see it."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._marks: list[str] = []

    def apply(self, of: dict[str, Any], **spec: Any) -> None:
        self._cluster.apply(load(NAME, of=of, **{"nodeNames": [NODE], **spec}))
        made = self._cluster.get(KIND, NAME)
        assert made is not None
        self._marks.append(f"job-{made['metadata']['uid']}")

    def said(self) -> dict[str, Any]:
        return status(self._cluster.get(KIND, NAME))

    def phase(self, *wanted: str) -> dict[str, Any]:
        def look() -> dict[str, Any] | None:
            said = self.said()
            return said if said.get("phase") in wanted else None

        return until(f"it is {' or '.join(wanted)}, of {self.said()}", look, SECONDS)  # type: ignore[return-value]

    def condition(self, kind: str) -> tuple[str, str]:
        found = condition(self._cluster.get(KIND, NAME), kind)
        return found["status"], found["reason"]

    def pods(self) -> list[dict[str, Any]]:
        return self._cluster.list("pods", LABEL)

    def jobs(self) -> list[dict[str, Any]]:
        return self._cluster.list("jobs", LABEL)

    def alive(self) -> list[int]:
        """Every process of this machine with this load's mark: main process, spawner, simulated ones."""
        return sorted(pid for mark in self._marks for pid in marked(mark))

    def main(self) -> psutil.Process:
        """The pod's main process, by its number on the host: all others are below it."""
        shim, below = "containerd-shim", [psutil.Process(pid) for pid in self.alive() if comm(pid) == "python"]
        (found,) = [one.pid for one in below if comm(one.ppid()).startswith(shim)]
        return psutil.Process(found)


def comm(pid: int) -> str:
    """The kernel's name of a process; none of one that has ended."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


@pytest.fixture
def one(cluster: Cluster, operator: OperatorProcess) -> Iterator[Load]:
    found = Load(cluster)
    yield found
    cluster.delete(KIND, NAME)
    until("its pods are gone", lambda: not found.pods(), SECONDS)
    assert found.alive() == []


def gone_within(one: Load, figure: Callable[[str], None], what: str) -> None:
    """No process is left in time; notes how long it took."""
    began = time.monotonic()
    until("no process is left", lambda: not one.alive(), GONE_SECONDS, every=0.02)
    figure(f"{what}: 0 processes after {time.monotonic() - began:.2f} s")


def test_real_processes_with_no_right_but_to_run_and_an_honest_status(one: Load, cluster: Cluster) -> None:
    one.apply({**WEB, "critical": 3, "durationS": "15s"})
    said = one.phase("running")
    assert (said["asked"], said["running"], said["spawned"]) == (60, 60, 60)
    assert said["nodes"][0]["node"] == NODE
    assert said["nodes"][0]["status"]["names"][:3] == ["phx-crit-01", "phx-crit-02", "phx-crit-03"]
    assert one.condition("Ready") == ("True", "AllRunning")
    alive = [psutil.Process(pid) for pid in one.alive()]
    assert len(alive) == 60 + 2  # its spawner and its main process
    assert sum(process.name().startswith("phx-nginx") for process in alive) > 0
    assert {process.uids().effective for process in alive} == {65534}
    held = {line for process in alive for line in Path(f"/proc/{process.pid}/status").read_text().splitlines()}
    assert "CapEff:\t0000000000000000" in held
    assert sum(line.startswith("CapEff") for line in held) == 1
    (pod,) = one.pods()
    assert "volumes" not in pod["spec"]  # no service account token either
    ended = one.phase("stopped")
    assert (ended["running"], ended["spawned"], ended["reason"]) == (0, 60, "duration reached")
    assert ended["startedAt"] < ended["endedAt"] < ended["endsBy"]
    assert one.condition("Complete") == ("True", "Ended")
    assert one.alive() == []
    assert len(one.jobs()) == 1  # kept, and never made again


def kill_main(one: Load, cluster: Cluster) -> None:
    one.main().kill()


def kill_parent(one: Load, cluster: Cluster) -> None:
    (spawner,) = one.main().children()
    spawner.kill()


def kill_sandbox(one: Load, cluster: Cluster) -> None:
    shim = one.main().parent()
    assert shim is not None
    (pause,) = [child for child in shim.children() if child.pid != one.main().pid]
    pause.kill()


def delete_pod(one: Load, cluster: Cluster) -> None:
    (pod,) = one.pods()
    cluster.kubectl("delete", "pod", pod["metadata"]["name"], "--force", "--grace-period=0")


KILLS = [
    (kill_main, "killed (exit code 137)"),
    (kill_parent, "the spawner ended unexpectedly (signal 9)"),
    (kill_sandbox, ""),
    (delete_pod, ""),
]


@pytest.mark.parametrize(("kill", "words"), KILLS)
def test_whatever_is_killed_nothing_survives_and_nothing_is_started_again(
    one: Load,
    cluster: Cluster,
    figure: Callable[[str], None],
    kill: Callable[[Load, Cluster], None],
    words: str,
) -> None:
    one.apply(WEB)
    one.phase("running")
    assert len(one.alive()) == 62
    kill(one, cluster)
    gone_within(one, figure, kill.__name__)
    said = one.phase("failed")
    assert words in said["reason"]
    assert said["reason"]
    assert (said["running"], said["spawned"]) == (0, 60)
    assert one.condition("Failed") == ("True", "LoadFailed")
    assert len(one.jobs()) == 1
    assert len(one.pods()) <= 1
    assert one.alive() == []


def test_without_an_operator_a_load_goes_on_ends_by_itself_and_goes_when_it_is_deleted(
    one: Load, cluster: Cluster, operator: OperatorProcess, figure: Callable[[str], None]
) -> None:
    one.apply({**WEB, "durationS": "20s"})
    one.phase("running")
    operator.kill()
    try:
        assert len(one.alive()) == 62
        until("its own duration ends it", lambda: not one.alive(), SECONDS)
        operator.start()
        assert one.phase("stopped")["reason"] == "duration reached"
        cluster.delete(KIND, NAME)
        one.apply(WEB)
        one.phase("running")
        operator.kill()
        cluster.delete(KIND, NAME)
        until("it is gone by ownership", lambda: not one.alive(), SECONDS)
    finally:
        if not operator.alive:
            operator.start()
    assert one.jobs() == []


def test_stopped_ends_it_and_keeps_the_status(one: Load, cluster: Cluster, figure: Callable[[str], None]) -> None:
    one.apply(WEB)
    one.phase("running")
    cluster.kubectl("patch", KIND, NAME, "--type=merge", "-p", '{"spec": {"stopped": true}}')
    until("no process is left", lambda: not one.alive(), SECONDS)
    said = one.phase("stopped")
    assert (said["running"], said["spawned"]) == (0, 60)
    assert one.condition("Failed") == ("False", "NoneFailed")
    until("its Job is gone", lambda: not one.jobs(), SECONDS)
    assert one.phase("stopped")["spawned"] == 60


def test_over_its_memory_limit_it_is_ended_as_a_whole_and_says_so(one: Load, cluster: Cluster) -> None:
    one.apply({**WEB, "busy": 0}, resources={"limits": {"memory": "160Mi"}})
    one.phase("running")
    (pod,) = one.pods()
    # More than the load asked for, and no process's own (a load that does not fit is refused before it starts).
    fill = "file = open('/dev/shm/full', 'wb')\nwhile True: file.write(b'x' * 65536)"
    cluster.tried("exec", pod["metadata"]["name"], "--", "python", "-c", fill)
    said = one.phase("failed")
    assert "memory limit" in said["reason"]
    assert "137" in said["reason"]
    (ended,) = one.pods()[0]["status"]["containerStatuses"]
    assert ended["state"]["terminated"]["exitCode"] == 137
    assert one.alive() == []


def test_one_that_cannot_fit_is_refused_with_numbers_before_it_starts(one: Load) -> None:
    one.apply({**WEB, "count": 400}, resources={"limits": {"memory": "160Mi"}})
    said = one.phase("failed")
    assert "are free on this host: lower count or memory" in said["reason"]
    assert said["spawned"] == 0


def test_one_that_cannot_be_placed_or_started_says_why(one: Load, cluster: Cluster) -> None:
    one.apply(WEB, nodeNames=[], nodeSelector={"phoenix.io/no-such-node": "true"})
    until("it says why", lambda: "Unschedulable" in one.said().get("reason", ""), SECONDS)
    assert one.said()["phase"] == "starting"
    cluster.delete(KIND, NAME)
    one.apply(WEB, image="phoenix.local/no-such-image:1")
    until("it says why", lambda: "the pod does not start: " in one.said().get("reason", ""), SECONDS)
    assert "no-such-image" in one.said()["reason"]


def test_never_more_processes_than_asked_while_they_come_and_go(one: Load) -> None:
    churn = {"profile": "process-churn", "count": 80, "busy": 2, "critical": 3, "startsPerSecond": 20}
    one.apply({**churn, "durationS": "10m"})
    one.phase("running")
    most = 0

    def measured() -> bool:
        nonlocal most
        most = max(most, len(one.alive()))
        said = one.said()
        return bool(said["nodes"][0]["status"].get("rates")) and said["restarts"] >= 80

    until("every job was replaced", measured, SECONDS)
    assert 60 < most <= 80 + 2
    os.kill(one.main().pid, signal.SIGTERM)
    said = one.phase("failed")  # nobody asked for that here
    assert said["reason"].startswith("ended from outside after ")
    assert "SIGTERM" in said["reason"]
