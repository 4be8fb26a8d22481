"""What the acceptance tests share: one machine, one user's backend, and the table that is printed at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.acceptance.machine import Machine
from tests.acceptance.table import Row, lines, row_of
from tests.catalog.capture import Capture

FIGURE = pytest.StashKey[list[str]]()
ROWS = pytest.StashKey[dict[str, Row]]()
HOST = "node-a"


@pytest.fixture(scope="package")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A control plane and a host, started by the CLI; for every test that does not break them.

    It ends with the folder, so that no collector of this one runs beside the tests that follow."""
    with Machine(tmp_path_factory.mktemp("machine"), HOST) as found:
        found.up()
        found.enrol()
        yield found


@pytest.fixture(scope="package")
def backend() -> Iterator[Capture]:
    """The user's own OTLP backend: a real HTTP server that keeps what it gets, by path."""
    with Capture() as capture:
        yield capture


@pytest.fixture
def folder(tmp_path: Path, machine: Machine) -> Iterator[Path]:
    """Where the user types: files lie here, and commands are run here."""
    before, machine.phoenix.folder = machine.phoenix.folder, tmp_path
    yield tmp_path
    machine.phoenix.folder = before


@pytest.fixture
def figure(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Note a measured figure for the table; several are joined."""
    return request.node.stash.setdefault(FIGURE, []).append


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Turn the marker, the figures and the outcome of a test into its row."""
    report = yield
    marker = item.get_closest_marker("acceptance")
    if marker is not None:
        rows = item.config.stash.setdefault(ROWS, {})
        rows[item.nodeid] = row_of(rows.get(item.nodeid), marker.args, item.stash.get(FIGURE, []), report.passed)
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the table before pytest's own last line, which counts."""
    rows = config.stash.get(ROWS, {})
    if rows:
        terminalreporter.section("acceptance tests, on real components")
        for line in lines(rows.values()):
            terminalreporter.write_line(line)
