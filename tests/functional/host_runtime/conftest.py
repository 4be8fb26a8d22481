"""The real binaries, found as every user finds them, and a scratch control plane for each test."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from phoenix_cli.binaries.progress import PlainReport
from phoenix_cli.binaries.resolve import resolve_collector, resolve_supervisor
from tests.fakes.opamp_server import OpampServer


@pytest.fixture(scope="session")
def binaries() -> dict[str, Path]:
    report = PlainReport(sys.stderr)
    return {
        "collector": resolve_collector(os.environ, report),
        "supervisor": resolve_supervisor(os.environ, report),
    }


@pytest.fixture
def plane() -> Iterator[OpampServer]:
    with OpampServer() as server:
        yield server
