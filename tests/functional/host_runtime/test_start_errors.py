"""A configuration that does not start: the collector's own words reach the control plane, and their end does too."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.opamp_server import OpampServer
from tests.functional.host_runtime.configs import idle, listening, with_processor
from tests.functional.host_runtime.host_process import HostProcess


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        yield taken.getsockname()[1]


def errors(plane: OpampServer) -> list[dict[str, object]]:
    return [status["collectorError"] for status in plane.statuses if status["collectorError"]]


def test_each_kind_of_start_error_arrives_in_the_collectors_own_words(
    plane: OpampServer, tmp_path: Path, binaries: dict[str, Path], taken_port: int
) -> None:
    cases = {
        "port": (listening("port", taken_port), f"127.0.0.1:{taken_port}: bind: address already in use"),
        "unknown": (with_processor("unknown", "nosuchthing"), 'unknown type: "nosuchthing"'),
        "reference": (with_processor("reference", "batch/x", configured=False), 'references processor "batch/x"'),
        "invalid": (with_processor("invalid", "memory_limiter"), "'check_interval' must be greater than zero"),
    }
    with HostProcess(plane.url, tmp_path / "host", binaries):
        for marker, (config, words) in cases.items():
            plane.offer = config
            plane.wait(marker, lambda p, marker=marker: any(e["marker"] == marker for e in errors(p)))
            assert words in str(errors(plane)[-1]["text"])
            assert str(errors(plane)[-1]["text"]).startswith("Error: ")
        plane.offer = idle("good")
        plane.wait("error gone", lambda p: p.statuses[-1]["collectorError"] is None)
        plane.wait("confirmed", lambda p: p.agent().healthy and "phoenix.config: good" in p.agent().effective_config)


def test_an_error_that_was_cured_while_the_control_plane_was_away_is_still_told_then_its_end(
    plane: OpampServer, tmp_path: Path, binaries: dict[str, Path], taken_port: int
) -> None:
    with HostProcess(plane.url, tmp_path / "host", binaries) as host:
        plane.wait("first status", lambda p: p.statuses)
        plane.status_code = 503
        plane.offer = listening("bad", taken_port)
        host.wait_said("address already in use")
        plane.offer = idle("good")
        plane.wait("cured", lambda p: p.agent().healthy and "phoenix.config: good" in p.agent().effective_config)
        assert errors(plane) == []
        plane.statuses.clear()
        plane.status_code = 204
        plane.wait("both told", lambda p: len(p.statuses) >= 2 and p.statuses[-1]["collectorError"] is None)
        assert [e["marker"] for e in errors(plane)] == ["bad"]


def test_no_start_error_is_lost_however_often_it_happens(
    plane: OpampServer, tmp_path: Path, binaries: dict[str, Path]
) -> None:
    """Through the supervisor about one in twenty-five was lost: it closes its pipe as soon as the collector ends."""
    with HostProcess(plane.url, tmp_path / "host", binaries):
        for number in range(10):
            plane.offer = with_processor(f"bad-{number}", f"nosuchthing{number}")
            plane.wait(str(number), lambda p, n=number: any(e["marker"] == f"bad-{n}" for e in errors(p)), 8.0)
            assert f"nosuchthing{number}" in str(errors(plane)[-1]["text"])


def test_a_collector_that_cannot_be_executed_is_named(
    plane: OpampServer, tmp_path: Path, binaries: dict[str, Path]
) -> None:
    broken = tmp_path / "broken"
    broken.write_bytes(b"\x7fELF but not really")
    broken.chmod(0o755)
    with HostProcess(plane.url, tmp_path / "host", {**binaries, "collector": broken}) as host:
        plane.wait("told", lambda p: errors(p))
        assert "broken" in str(errors(plane)[-1]["text"])
        host.wait_said("the collector did not start")
