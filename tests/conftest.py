"""What all tests share: how hypothesis runs, which tests run beside which, and the table of acceptance tests.

No timed assertions: a slow machine is no failure.
"""

from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling

from tests.acceptance.table import MARKER, Row, lines, row_of

LIVE = ("acceptance", "catalog", "functional/loadsim")
"""Folders whose tests look at the processes of the machine: two such populations at once would falsify each other."""

settings.register_profile(
    "phoenix",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    # CI runs the same examples each time; a machine of one's own looks for new ones.
    derandomize=bool(os.environ.get("CI")),
)
settings.load_profile("phoenix")


class Rooms(LoadScopeScheduling):
    """Tests of live processes all in one process, the others by file, because the tests of a file share fixtures."""

    def _split_scope(self, nodeid: str) -> str:
        return "live" if _live(nodeid) else nodeid.partition("::")[0]


def _live(nodeid: str) -> bool:
    path = nodeid.partition("tests/")[2]
    return any(path.startswith(folder + "/") for folder in LIVE)


class RightOfWay:
    """In a process that does not begin with the live tests, and so will not get them: it takes only what they leave of
    the CPU. A starved collector scrapes late, and coverage is what a verdict rests on. Tests on a cluster have one of
    their own in each process, and equal rights."""

    def __init__(self) -> None:
        self._decided = False

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        if not self._decided and not _live(item.nodeid) and not item.nodeid.startswith("tests/kubernetes/"):
            os.nice(19)
        self._decided = True


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Rooms:
    """Which of several processes (`-n`) runs what."""
    return Rooms(config, log)


def pytest_make_parametrize_id(val: object) -> str | None:
    """Bytes by their length: compressed ones hold the time, and all processes must name a test the same."""
    return f"{len(val)} bytes" if isinstance(val, bytes) else None


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """The marker goes along with the reports: another process may print the table."""
    marker = item.get_closest_marker(MARKER)
    if marker is not None:
        item.user_properties.append((MARKER, list(marker.args)))


class Table:
    """Collects the rows of acceptance tests from reports and prints them before pytest's last line, which counts."""

    def __init__(self) -> None:
        self._rows: dict[str, Row] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        row = row_of(self._rows.get(report.nodeid), report.user_properties, report.passed)
        if row is not None:
            self._rows[report.nodeid] = row

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self._rows:
            terminalreporter.section("acceptance tests, on real components")
            for line in lines(self._rows.values()):
                terminalreporter.write_line(line)


def pytest_configure(config: pytest.Config) -> None:
    """One table per run; with several processes (`-n`) the live tests first."""
    config.pluginmanager.register(Table(), "acceptance-table")
    if hasattr(config, "workerinput"):
        config.pluginmanager.register(RightOfWay(), "right-of-way")
