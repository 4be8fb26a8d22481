"""A configuration on its way to a real collector: confirmed by its marker, failed, undone."""

from __future__ import annotations

import re
import socket
import time

import pytest

from chalicelib.domain.errors import Conflict
from chalicelib.domain.fleet.judge import IDLE_HASH, collector_error
from chalicelib.domain.fleet.report import ConfigStatus
from chalicelib.domain.fleet.state import EventKind, Purpose
from chalicelib.domain.fleet.status import HostStatus
from chalicelib.domain.pipeline.marker import content_hash
from tests.functional.opamp import configs
from tests.functional.opamp.conftest import Start
from tests.functional.opamp.control_plane import ControlPlane


def confirm(control_plane: ControlPlane, scope: str, config: configs.Config) -> str:
    marker = control_plane.want(scope, config)
    control_plane.wait(f"{scope} active", lambda: control_plane.status(scope).status == HostStatus.ACTIVE, 20)
    return marker


def test_marker_and_health_confirm_long_before_the_supervisor_says_applied(
    control_plane: ControlPlane, start_host: Start
) -> None:
    start_host()
    marker = confirm(control_plane, "dep-1", configs.good("one"))
    status = control_plane.status("dep-1")
    assert status.running == status.marker == marker
    assert control_plane.state.remote is not None
    assert control_plane.state.remote.status == ConfigStatus.APPLYING
    offered, confirmed = (control_plane.when(kind, "dep-1") for kind in (EventKind.OFFERED, EventKind.CONFIRMED))
    assert confirmed - offered < 5
    assert control_plane.effective["service"]["telemetry"]["resource"]["phoenix.config"] == marker


@pytest.mark.parametrize("wrong", ["port in use", "unknown component", "not YAML"])
def test_failed_configuration_is_quarantined_and_the_last_confirmed_one_comes_back(
    control_plane: ControlPlane, start_host: Start, wrong: str
) -> None:
    host = start_host()
    first = confirm(control_plane, "dep-1", configs.good("one"))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        bad = {
            "port in use": configs.listening_on(taken.getsockname()[1]),
            "unknown component": configs.unknown_component(),
            "not YAML": configs.good("broken"),
        }[wrong]
        if wrong == "not YAML":
            control_plane.broken_yaml.add(content_hash(bad))
        marker = control_plane.want("exp-1", bad, Purpose.EXPERIMENT)
        control_plane.wait("roll back", lambda: control_plane.status("exp-1").status == HostStatus.ROLLED_BACK, 25)
    undone = control_plane.status("exp-1")
    assert undone.marker == marker
    restored = control_plane.status("dep-1")
    assert restored.status == HostStatus.ACTIVE
    assert restored.running == restored.marker != first
    failed, back = (control_plane.when(kind, "exp-1") for kind in (EventKind.FAILED, EventKind.ROLLED_BACK))
    assert back - failed < 10
    with pytest.raises(Conflict, match="failed on this host"):
        control_plane.want("exp-2", bad)
    if wrong == "not YAML":
        assert "yaml" in undone.error
        return
    assert "exit code 1" in undone.error
    own = "address already in use" if wrong == "port in use" else "nonsense"
    said = re.findall(rf".*{own}.*", host.log.read_text())
    assert said, "the collector says why in its log"
    control_plane.state = collector_error(control_plane.state, said[0], time.time(), marker)
    assert own in control_plane.status("exp-1").error


def test_without_anything_confirmed_a_failure_leaves_the_collector_idle(
    control_plane: ControlPlane, start_host: Start
) -> None:
    start_host()
    control_plane.want("dep-1", configs.unknown_component())
    control_plane.wait("idle", lambda: control_plane.status("dep-1").status == HostStatus.ROLLED_BACK, 25)
    wanted = control_plane.state.desired
    assert wanted is not None
    assert (wanted.content_hash, wanted.purpose) == (IDLE_HASH, Purpose.IDLE)
    assert control_plane.state.healthy


def test_a_slow_stop_of_the_old_collector_is_no_failure(control_plane: ControlPlane, start_host: Start) -> None:
    """The supervisor's timer starts before the old collector is stopped and says FAILED; it is not the last word."""
    start_host(apply_seconds=1)
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        mute.settimeout(10)
        confirm(control_plane, "dep-1", configs.sending_to(mute.getsockname()[1]))
        assert "phx_expanded" not in str(control_plane.effective)
        request, _ = mute.accept()
        with request:
            control_plane.want("dep-2", configs.good("two"))
            control_plane.wait("dep-2 active", lambda: control_plane.status("dep-2").status == HostStatus.ACTIVE, 28)
    said = [report.remote.error for _, report in control_plane.reports if report.remote]
    assert "failed" not in control_plane.kinds()
    assert any("timeout" in text for text in said), said
    assert control_plane.status("dep-1").status == HostStatus.SUPERSEDED
