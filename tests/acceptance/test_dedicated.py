"""Dedicated mode on a real host: two supervised collectors, each counted and measured by itself; and nothing left."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.acceptance.conftest import HOST
from tests.acceptance.machine import Machine
from tests.acceptance.manifests import manifest, written
from tests.acceptance.waiting import until

NAME = "each-by-itself"
AGENT = f"{HOST}+second"


def second(machine: Machine) -> dict[str, psutil.Process]:
    """The processes of the second agent, by role."""
    folder = str(machine.folder / "host" / "second")
    found = {}
    for pid, command in machine.left().items():
        if folder in command and "guard.py" not in command:
            with suppress(psutil.Error):
                role = "collector" if "collector-defaults.yaml" in command else "supervisor"
                found[role] = psutil.Process(pid)
    return found


@pytest.mark.timeout(600)
@pytest.mark.acceptance(
    "dedicated", "two supervised collectors on one host, an arm each; the second one's supervisor killed, then stopped"
)
def test_two_collectors_are_measured_each_by_itself_and_the_second_leaves_nothing(
    machine: Machine, tmp_path: Path, figure: Callable[[str], None]
) -> None:
    before = machine.get(f"/api/v1/hosts/{HOST}")["activeScope"]
    schedule = {"warmUp": "1s", "minDuration": "10s", "maxDuration": "10m", "evaluateEvery": "1s"}
    document = manifest(
        NAME,
        HOST,
        {"pipeline": "process-baseline-v1"},
        mode="dedicated",
        interval="2s",
        critical=[{"name": "^(otelcol|opampsupervisor)$"}],
        schedule=schedule,
    )
    machine.phoenix("experiment", "create", "-f", written(tmp_path, document), "--start")

    def experiment() -> Any:
        return machine.get(f"/api/v1/experiments/{NAME}")

    until("both collectors are proven", lambda: experiment()["state"] == "running", 90)
    assert {proof["host"] for proof in experiment()["proofs"]} == {HOST, AGENT}
    shown = machine.get(f"/api/v1/hosts/{HOST}")
    assert shown["second"]["activeScope"] == shown["activeScope"] == experiment()["uid"]
    assert shown["second"]["activeMarker"] != shown["activeMarker"]
    processes = second(machine)
    assert set(processes) == {"collector", "supervisor"}

    def measured() -> Any:
        found = machine.get(f"/api/v1/experiments/{NAME}/evaluation")
        if found is None:
            return None
        arms = [host["cpuShare"] for host in found["overhead"]["hosts"]]
        return found if found["evidence"]["scrapes"] >= 4 and None not in arms else None

    found = until("pairs of scrapes, and the CPU of each arm", measured, 120)
    assert [host["arm"] for host in found["overhead"]["hosts"]] == ["baseline", "candidate"]
    assert all(host["cpuSeconds"] > 0 and host["rssMeanBytes"] > 0 for host in found["overhead"]["hosts"])
    assert found["overhead"]["measuring"]["cpuShare"] > 0
    (sums,) = found["evidence"]["hosts"]
    assert sums["raw"] > 0
    assert sums["candidateRaw"] > 0
    assert found["critical"]["breaches"] == []
    cpu = ", ".join(f"{host['arm']} {host['cpuShare']:.1%} of a core" for host in found["overhead"]["hosts"])
    figure(f"{found['evidence']['scrapes']} pairs of scrapes; {cpu}")

    # A second collector that is killed is a stream that cannot be measured for a moment: the experiment goes on or ends
    # with that, and in either case nothing of the killed one stays.
    processes["supervisor"].kill()
    psutil.wait_procs(list(processes.values()), timeout=30)
    assert not any(process.is_running() for process in processes.values()), "the guard leaves no orphan"
    until(
        "a new supervisor, or the end",
        lambda: set(second(machine)) == {"collector", "supervisor"} or experiment()["state"] != "running",
        60,
    )

    machine.phoenix("experiment", "stop", NAME, code=None)  # refused when it is over already
    until("it has ended", lambda: experiment()["state"] in ("stopped", "rolled_back"), 120)
    assert [proof["host"] for proof in experiment()["proofs"]] == [HOST]
    assert second(machine) == {}
    until("its folder is gone", lambda: not (machine.folder / "host" / "second").exists(), 30)
    after = machine.get(f"/api/v1/hosts/{HOST}")
    assert after["activeScope"] == before
    assert after["second"] is None or after["second"]["desiredMarker"] == ""
