"""Whatever is killed: the rest ends or comes back, and nothing is left behind."""

from __future__ import annotations

import sys
from pathlib import Path

import psutil
import pytest

from tests.fakes.opamp_server import OpampServer
from tests.functional.host_runtime.configs import idle
from tests.functional.host_runtime.host_process import HostProcess, wait_for

GONE_SECONDS = 6.0


def start(plane: OpampServer, host: HostProcess) -> dict[str, psutil.Process]:
    plane.offer = idle("one")
    plane.wait("running", lambda p: p.agent().healthy and "phoenix.config: one" in p.agent().effective_config)
    family = host.family()
    assert {"guard", "supervisor", "collector"} <= set(family)
    return family


def test_after_kill_9_of_the_host_nothing_is_left(
    plane: OpampServer, tmp_path: Path, binaries: dict[str, Path]
) -> None:
    agent = [sys.executable, "-c", "import subprocess; subprocess.run(['sleep', '301'])"]
    with HostProcess(plane.url, tmp_path / "host", binaries, load_agent=agent) as host:
        start(plane, host)
        wait_for(lambda: "sleep 301" in host.family(), 10, lambda: "the agent's own child")
        host.process.kill()
        host.process.wait(5)
        assert host.survivors(GONE_SECONDS) == []


def test_a_supervisor_that_does_not_listen_is_gone_too(
    plane: OpampServer, tmp_path: Path, binaries: dict[str, Path]
) -> None:
    with HostProcess(plane.url, tmp_path / "host", binaries) as host:
        family = start(plane, host)
        family["supervisor"].suspend()
        family["collector"].suspend()
        host.process.kill()
        host.process.wait(5)
        assert host.survivors(GONE_SECONDS + 3) == []


@pytest.mark.parametrize("victim", ["guard", "supervisor"])
def test_kill_9_below_the_host_brings_a_new_supervisor_and_leaves_no_orphan(
    plane: OpampServer, tmp_path: Path, binaries: dict[str, Path], victim: str
) -> None:
    with HostProcess(plane.url, tmp_path / "host", binaries) as host:
        before = start(plane, host)
        polls = plane.agent().polls
        before[victim].kill()
        assert psutil.wait_procs(list(before.values()), timeout=GONE_SECONDS)[1] == []
        host.wait_said("starting it again")
        wait_for(lambda: {"supervisor", "collector"} <= set(host.family()), 15, lambda: str(host.family()))
        plane.wait("polls again", lambda p: p.agent().polls > polls + 1 and p.agent().healthy)
        assert len(plane.agents) == 1  # The instance id is kept.


def test_kill_9_of_the_collector_is_repaired_by_the_supervisor(
    plane: OpampServer, tmp_path: Path, binaries: dict[str, Path]
) -> None:
    with HostProcess(plane.url, tmp_path / "host", binaries) as host:
        before = start(plane, host)
        before["collector"].kill()
        plane.wait("unhealthy", lambda p: not p.agent().healthy)
        plane.wait("healthy again", lambda p: p.agent().healthy)
        assert host.family()["supervisor"].pid == before["supervisor"].pid
        assert host.family()["collector"].pid != before["collector"].pid


def test_the_folder_is_free_again_at_once(plane: OpampServer, tmp_path: Path, binaries: dict[str, Path]) -> None:
    with HostProcess(plane.url, tmp_path / "host", binaries) as first:
        start(plane, first)
        first.process.kill()
        first.process.wait(5)
        with HostProcess(plane.url, tmp_path / "host", binaries) as second:
            second.wait_said("ready")
