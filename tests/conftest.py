"""What all tests share: how hypothesis runs, and the table of acceptance tests.

No timed assertions: a slow machine is no failure.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

from tests.acceptance.table import MARKER, Row, lines, row_of

settings.register_profile(
    "phoenix",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    # CI runs the same examples each time; a machine of one's own looks for new ones.
    derandomize=bool(os.environ.get("CI")),
)
settings.load_profile("phoenix")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """The marker goes along with the reports, which make the table."""
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
    """One table per run."""
    config.pluginmanager.register(Table(), "acceptance-table")
