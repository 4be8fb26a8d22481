"""What the acceptance tests share: one machine, one user's backend, and a way to note figures for the table."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.acceptance.machine import Machine
from tests.acceptance.table import FIGURE
from tests.catalog.capture import Capture

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
    return lambda text: request.node.user_properties.append((FIGURE, text))
