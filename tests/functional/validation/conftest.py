"""What these tests share: the real collector behind the real service."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from chalicelib.adapters.collector.reader import YamlReader
from chalicelib.adapters.collector.trials import CollectorTrials
from chalicelib.adapters.collector.validator import CollectorValidator
from chalicelib.adapters.system.clock import SystemClock
from chalicelib.services.pipelines.validation import Validation
from phoenix_cli.binaries.resolve import resolve_collector

PATIENT_S = 60.0
"""Other tests share the machine; what a trial does is tested here, its deadline in one test of its own."""


@pytest.fixture(scope="session")
def collector() -> Path:
    return resolve_collector(os.environ, print)


@pytest.fixture(scope="session")
def validation(collector: Path) -> Validation:
    trials = CollectorTrials(collector, deadline_s=PATIENT_S)
    return Validation(YamlReader(), CollectorValidator(collector, deadline_s=PATIENT_S), trials, SystemClock())
