"""What the catalog tests share: the collector, the catalog and a runner for one configuration."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from chalicelib.adapters.catalog.files import FileCatalog
from chalicelib.adapters.collector.validator import CollectorValidator
from chalicelib.domain.pipeline.document import to_yaml
from phoenix_cli.binaries.resolve import resolve_collector

CATALOG = Path(__file__).parents[2] / "catalog"
TOKEN = "phx_test-token-of-the-host"


@pytest.fixture(scope="session")
def collector() -> Path:
    return resolve_collector(os.environ, print)


@pytest.fixture(scope="session")
def catalog() -> FileCatalog:
    return FileCatalog(CATALOG)


@pytest.fixture(scope="session")
def validator(collector: Path) -> CollectorValidator:
    return CollectorValidator(collector)


class Runner:
    """Runs the collector with a configuration; afterwards its log must be free of errors unless it may fail."""

    def __init__(self, binary: Path, folder: Path) -> None:
        self._binary = binary
        self._folder = folder
        self.log = folder / "collector.log"

    @contextmanager
    def running(self, config: Mapping[str, Any]) -> Iterator[subprocess.Popen[bytes]]:
        """The block runs beside the collector; leaving it stops the collector in order, so that all is delivered."""
        path = self._folder / "config.yaml"
        path.write_text(to_yaml(config), encoding="utf-8")
        with self.log.open("wb") as log:
            process = subprocess.Popen(
                [str(self._binary), f"--config={path}"],
                env={"PHOENIX_TOKEN": TOKEN, "PATH": os.environ.get("PATH", "")},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
            try:
                yield process
                assert process.poll() is None, self.log.read_text()[-3000:]
                process.send_signal(signal.SIGINT)
                assert process.wait(timeout=20) == 0, self.log.read_text()[-3000:]
            finally:
                process.kill()
                process.wait(timeout=10)

    def errors(self) -> list[str]:
        """Lines of the log above level info, but for the one warning that telemetry.identity explains."""
        lines = self.log.read_text().splitlines()
        loud = [line for line in lines if "\terror\t" in line or "\twarn\t" in line]
        return [line for line in loud if "legacy service.telemetry.resource inline map" not in line]


@pytest.fixture
def runner(collector: Path, tmp_path: Path) -> Runner:
    return Runner(collector, tmp_path)
