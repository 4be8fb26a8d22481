"""The host runtime with the real supervisor and collector against a scratch control plane over real HTTP."""

from __future__ import annotations

import socket
import stat
import sys
import urllib.request
from pathlib import Path

from tests.fakes.opamp_server import OpampServer
from tests.functional.host_runtime.configs import idle
from tests.functional.host_runtime.host_process import HostProcess, wait_for


def confirmed(plane: OpampServer, marker: str) -> bool:
    return plane.agent().healthy and f"phoenix.config: {marker}" in plane.agent().effective_config


def test_an_offer_is_running_soon_and_no_file_holds_the_token(
    plane: OpampServer, tmp_path: Path, binaries: dict[str, Path]
) -> None:
    data = tmp_path / "host"
    with HostProcess(plane.url, data, binaries, labels={"env": "prod", "zone": "a"}, poll_seconds=3) as host:
        host.wait_said("ready")
        plane.offer = idle("one")
        plane.wait("first config", lambda p: confirmed(p, "one"))
        plane.offer = idle("two")
        assert plane.wait("second config", lambda p: confirmed(p, "two")) < 5.0
        attributes = plane.agent().description
        assert attributes["phoenix.host"] == "vm-a"
        assert attributes["phoenix.labels"] == "env=prod,zone=a"
        assert attributes["phoenix.poll"] == "3"
        status = plane.statuses[-1]
        assert status["collectorError"] is None
        assert status["collectorVersion"]
        assert status["cpuCount"] >= 1
        assert status["memoryBytes"] > 2**20
        assert status["bootId"]
        assert set(plane.status_tokens) == {"/api/v1/hosts/vm-a/status"}
    for path in [data, *data.rglob("*")]:
        mode = path.stat().st_mode
        assert not mode & (stat.S_IRWXG | stat.S_IRWXO), path
        if stat.S_ISREG(mode):
            assert b"phx_scratch" not in path.read_bytes(), path
    assert "Everything is ready" in (data / "logs" / "supervisor.log").read_text()


def test_two_hosts_live_side_by_side_though_port_8888_is_taken(
    plane: OpampServer, tmp_path: Path, binaries: dict[str, Path]
) -> None:
    try:
        taken = socket.create_server(("127.0.0.1", 8888))
    except OSError:
        taken = socket.socket()  # Somebody else has taken it already: all the better.
    plane.offer = idle("both")
    with (
        taken,
        HostProcess(plane.url, tmp_path / "a", binaries) as a,
        HostProcess(plane.url, tmp_path / "b", binaries, host="vm-b") as b,
    ):
        a.wait_said("ready")
        b.wait_said("ready")
        plane.wait("both run", lambda p: sum("both" in agent.effective_config for agent in p.agents.values()) == 2)


def test_offered_self_telemetry_wins_over_the_defaults(
    plane: OpampServer, tmp_path: Path, binaries: dict[str, Path]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    reader = {"pull": {"exporter": {"prometheus": {"host": "127.0.0.1", "port": port}}}}
    plane.offer = idle("telemetry", metrics={"level": "detailed", "readers": [reader]})
    with HostProcess(plane.url, tmp_path / "host", binaries):
        plane.wait("running", lambda p: confirmed(p, "telemetry"))
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            assert b"otelcol_process" in answer.read()


def test_the_control_plane_may_go_away_and_come_back(
    plane: OpampServer, tmp_path: Path, binaries: dict[str, Path]
) -> None:
    plane.offer = idle("steady")
    with HostProcess(plane.url, tmp_path / "host", binaries) as host:
        plane.wait("running", lambda p: confirmed(p, "steady") and p.statuses)
        collector = host.family()["collector"].pid
        plane.opamp_code = plane.status_code = 503
        host.wait_said("answers 503")
        plane.statuses.clear()
        plane.opamp_code, plane.status_code = 200, 204
        host.wait_said("answers again")
        plane.wait("status again", lambda p: p.statuses)
        plane.offer = idle("after")
        plane.wait("offers again", lambda p: confirmed(p, "after"))
        assert host.process.poll() is None
        assert sum("answers 503" in line for line in host.said) == 1
        assert collector


def test_without_any_control_plane_the_last_config_runs_from_disk(tmp_path: Path, binaries: dict[str, Path]) -> None:
    with OpampServer() as plane:
        plane.offer = idle("kept")
        with HostProcess(plane.url, tmp_path / "host", binaries):
            plane.wait("running", lambda p: confirmed(p, "kept"))
        url = plane.url
    with HostProcess(url, tmp_path / "host", binaries) as host:
        host.wait_said("ready")
        host.wait_said("is away")
        wait_for(lambda: "collector" in host.family(), 10, lambda: "a collector")
        assert "kept" in (tmp_path / "host" / "supervisor" / "effective.yaml").read_text()


def test_a_refused_token_is_said_once_and_without_the_token(
    plane: OpampServer, tmp_path: Path, binaries: dict[str, Path]
) -> None:
    with HostProcess(plane.url, tmp_path / "host", binaries, token="phx_stolen") as host:
        host.wait_said("enrol the host again")
        wait_for(lambda: plane.status_attempts >= 3, 20, lambda: "three attempts")
        assert sum("401" in line for line in host.said) == 1
        assert not any("phx_stolen" in line for line in host.said)
        assert "phx_stolen" not in (tmp_path / "host" / "logs" / "supervisor.log").read_text()


def test_a_second_runtime_on_the_same_folder_is_refused(
    plane: OpampServer, tmp_path: Path, binaries: dict[str, Path]
) -> None:
    with HostProcess(plane.url, tmp_path / "host", binaries) as first:
        first.wait_said("ready")
        with HostProcess(plane.url, tmp_path / "host", binaries) as second:
            second.wait_said(f"runs on {tmp_path / 'host'} already (pid {first.process.pid})")
            assert second.process.wait(10) == 1
        assert first.process.poll() is None


def test_the_load_agent_runs_with_its_arguments_and_is_started_again(
    plane: OpampServer, tmp_path: Path, binaries: dict[str, Path]
) -> None:
    agent = tmp_path / "agent.py"
    agent.write_text(
        "import os, subprocess, sys, time\n"
        f"print(' '.join(sys.argv[1:]), file=open({str(tmp_path / 'starts')!r}, 'a'), flush=True)\n"
        "assert os.environ['PHOENIX_TOKEN'] == 'phx_scratch'\n"
        "print('agent has', os.environ['PHOENIX_TOKEN'], flush=True)\n"
        "subprocess.Popen(['sleep', '300'])\n"
        "time.sleep(1)\n"
    )
    starts = tmp_path / "starts"
    with HostProcess(plane.url, tmp_path / "host", binaries, load_agent=[sys.executable, str(agent)]) as host:
        wait_for(lambda: "sleep 300" in host.family(), 10, lambda: "the agent's own child")
        wait_for(lambda: starts.exists() and len(starts.read_text().splitlines()) >= 2, 15, lambda: "a second start")
        host.wait_said("load agent ended (exit 0); starting it again in 1 s")
        line = starts.read_text().splitlines()[0]
        assert line == f"--endpoint {plane.url} --host vm-a --data-dir {tmp_path / 'host' / 'loadsim'}"
    log = (tmp_path / "host" / "logs" / "load-agent.log").read_text()
    assert "agent has [REDACTED]" in log
