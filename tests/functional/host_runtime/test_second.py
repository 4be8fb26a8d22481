"""The second collector: there while the configuration of the own one asks for it, under every kill, and gone after."""

from __future__ import annotations

from pathlib import Path

import psutil

from tests.fakes.opamp_server import OpampServer
from tests.functional.host_runtime.configs import idle
from tests.functional.host_runtime.host_process import HostProcess, wait_for

ASKS = '      phoenix.collectors: "2"\n'
PARTS = {"supervisor", "collector"}


def second(host: HostProcess) -> dict[str, psutil.Process]:
    """The living processes of the second agent, by role."""
    host.family()
    folder, found = str(host.data_dir / "second"), {}
    for process in psutil.Process(host.process.pid).children(recursive=True):
        try:
            command = " ".join(process.cmdline())
        except psutil.Error:
            continue
        if folder in command and "guard.py" not in command:
            found["collector" if "collector-defaults.yaml" in command else "supervisor"] = process
    return found


def test_it_comes_and_goes_with_the_configuration_and_survives_a_kill(
    plane: OpampServer, tmp_path: Path, binaries: dict[str, Path]
) -> None:
    asking = idle("two").replace("      phoenix.config: two\n", "      phoenix.config: two\n" + ASKS)
    assert ASKS in asking
    with HostProcess(plane.url, tmp_path / "host", binaries) as host:
        plane.offer = asking
        wait_for(lambda: set(second(host)) == PARTS, 60, lambda: str(host.said))
        plane.wait("both report", lambda p: len(p.agents) == 2 and all(a.healthy for a in p.agents.values()), 60)
        own = host.data_dir / "supervisor"
        assert {own.is_dir(), (host.data_dir / "second" / "supervisor").is_dir()} == {True}

        killed = second(host)
        killed["supervisor"].kill()
        assert psutil.wait_procs(list(killed.values()), timeout=30)[1] == []
        wait_for(lambda: set(second(host)) == PARTS, 60, lambda: str(host.said))
        assert len(plane.agents) == 2, "it keeps its instance id"

        plane.offer = idle("three")
        wait_for(lambda: second(host) == {}, 60, lambda: str(host.said))
        wait_for(lambda: not (host.data_dir / "second").exists(), 30, lambda: "its folder")
        plane.wait("the own one goes on", lambda p: "phoenix.config: three" in p.agent().effective_config, 60)


def test_after_kill_9_of_the_host_neither_is_left_and_the_next_start_brings_both(
    plane: OpampServer, tmp_path: Path, binaries: dict[str, Path]
) -> None:
    with HostProcess(plane.url, tmp_path / "host", binaries) as host:
        plane.offer = idle("two").replace("      phoenix.config: two\n", "      phoenix.config: two\n" + ASKS)
        wait_for(lambda: set(second(host)) == PARTS, 60, lambda: str(host.said))
        host.process.kill()
        host.process.wait(5)
        assert host.survivors(20) == []
    with HostProcess(plane.url, tmp_path / "host", binaries) as host:
        wait_for(lambda: set(second(host)) == PARTS, 60, lambda: str(host.said))
