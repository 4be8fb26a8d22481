"""Fixtures: the binaries through the resolver, a control plane, a supervised host; and the configurations offered."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from phoenix_cli.binaries.progress import PlainReport
from phoenix_cli.binaries.resolve import resolve_collector, resolve_supervisor
from tests.functional.opamp.control_plane import ControlPlane
from tests.functional.opamp.supervised import Supervised

Start = Callable[..., Supervised]


@pytest.fixture(scope="session")
def binaries() -> tuple[Path, Path]:
    """Supervisor and collector."""
    report = PlainReport(sys.stderr)
    return resolve_supervisor(os.environ, report), resolve_collector(os.environ, report)


@pytest.fixture
def control_plane() -> Iterator[ControlPlane]:
    with ControlPlane() as running:
        yield running


@pytest.fixture
def start_host(binaries: tuple[Path, Path], control_plane: ControlPlane, tmp_path: Path) -> Iterator[Start]:
    """Starts a supervised host and waits until its collector runs."""
    with ExitStack() as stack:

        def start(apply_seconds: int = 15) -> Supervised:
            host = stack.enter_context(Supervised(*binaries, tmp_path, control_plane.url, apply_seconds))
            control_plane.wait("a healthy collector", lambda: control_plane.state.healthy, 40)
            return host

        yield start
