"""Sessions with a real supervisor that break: killed supervisor, forgetful server, compressed replies."""

from __future__ import annotations

from chalicelib.domain.fleet.report import AgentReport, ConfigStatus
from chalicelib.domain.fleet.status import HostStatus
from tests.functional.opamp import configs
from tests.functional.opamp.conftest import Start
from tests.functional.opamp.control_plane import ControlPlane
from tests.functional.opamp.supervised import Supervised


class KillWhenApplying:
    """Kills the supervisor at the very message that says it is applying; once."""

    def __init__(self, host: Supervised) -> None:
        self.host = host
        self.done = False

    def __call__(self, report: AgentReport) -> None:
        if report.remote and report.remote.status == ConfigStatus.APPLYING and not self.done:
            self.done = True
            self.host.kill()


def test_a_supervisor_killed_while_applying_ends_confirmed(control_plane: ControlPlane, start_host: Start) -> None:
    host = start_host()
    kill = KillWhenApplying(host)
    control_plane.on_report = kill
    marker = control_plane.want("dep-1", configs.good("one"))
    control_plane.wait("the kill", lambda: kill.done, 10)
    host.start()
    control_plane.wait("active", lambda: control_plane.status("dep-1").status == HostStatus.ACTIVE, 25)
    assert control_plane.status("dep-1").marker == marker
    assert "failed" not in control_plane.kinds()


def test_a_supervisor_killed_while_applying_a_bad_configuration_is_rolled_back(
    control_plane: ControlPlane, start_host: Start
) -> None:
    """After the restart its status stays APPLYING while the collector crash-loops."""
    host = start_host()
    control_plane.want("dep-1", configs.good("one"))
    control_plane.wait("active", lambda: control_plane.status("dep-1").status == HostStatus.ACTIVE, 20)
    kill = KillWhenApplying(host)
    control_plane.on_report = kill
    control_plane.want("dep-2", configs.unknown_component())
    control_plane.wait("the kill", lambda: kill.done, 10)
    host.start()
    control_plane.wait("undone", lambda: control_plane.status("dep-2").status == HostStatus.ROLLED_BACK, 45)
    assert control_plane.status("dep-1").status == HostStatus.ACTIVE


def test_a_server_that_forgot_the_session_asks_once_for_everything(
    control_plane: ControlPlane, start_host: Start
) -> None:
    control_plane.gzip_replies = True
    start_host()
    control_plane.want("dep-1", configs.good("one"))
    control_plane.wait("active", lambda: control_plane.status("dep-1").status == HostStatus.ACTIVE, 20)
    with control_plane.lock:
        gone = {"instance_uid": None, "sequence": None, "description": None, "health": None, "effective": None}
        control_plane.state = control_plane.state.model_copy(update=gone)
        before = len(control_plane.replies)
    control_plane.wait("everything", lambda: control_plane.state.description is not None, 10)
    control_plane.wait("two more polls", lambda: len(control_plane.replies) >= before + 4, 10)
    assert [reply.report_full_state for reply in control_plane.replies[before : before + 4]] == [
        True,
        False,
        False,
        False,
    ]
    assert control_plane.state.healthy
    assert control_plane.status("dep-1").status == HostStatus.ACTIVE


def test_a_supervisor_that_lost_its_storage_gets_the_configuration_again(
    control_plane: ControlPlane, start_host: Start
) -> None:
    host = start_host()
    marker = control_plane.want("dep-1", configs.good("one"))
    control_plane.wait("active", lambda: control_plane.status("dep-1").status == HostStatus.ACTIVE, 20)
    host.stop()
    for file in (host.folder / "storage").iterdir():
        file.unlink()
    host.start()
    control_plane.wait("drift", lambda: "drifted" in control_plane.kinds(), 20)
    control_plane.wait("active", lambda: control_plane.status("dep-1").status == HostStatus.ACTIVE, 20)
    assert control_plane.status("dep-1").running == marker
