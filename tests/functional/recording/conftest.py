"""What these tests share: the command line without a control plane, and a made-up recording with hostile names."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from phoenix_cli.binaries.resolve import resolve_collector
from phoenix_cli.recording.reader import Recording
from tests.acceptance.command_line import Phoenix
from tests.catalog.history import SECOND, History
from tests.catalog.recorded import recorded

ROOT = Path(__file__).parents[3]
INTERVAL_S = 15.0


@pytest.fixture
def phoenix(tmp_path: Path) -> Phoenix:
    collector = str(resolve_collector(os.environ, print))
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PHOENIX_PROFILE": str(tmp_path / "none"), "NO_COLOR": "1"}
    env |= {"PHOENIX_OTELCOL": collector, "COLUMNS": "200"}
    return Phoenix(env, tmp_path)


@pytest.fixture
def made_up(tmp_path: Path) -> tuple[Recording, History]:
    """Three scrapes of 60 processes with hostile names, that began a day ago."""
    began = time.time_ns() - 86_400 * SECOND
    history = History(3, began + 600 * SECOND, round(INTERVAL_S * SECOND), 60, 2.0)
    requests = [history.scrape() for _ in range(3)]
    path = tmp_path / "made-up.phxrec"
    return recorded(path, requests, interval_s=INTERVAL_S, collector_started_ns=began), history
