"""Loads for the tests of this folder; whatever a test finds out, nothing of them stays."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.functional.loadsim.started import Load


@pytest.fixture
def start_load(tmp_path: Path) -> Iterator[Callable[..., Load]]:
    loads: list[Load] = []

    def start(**arguments: object) -> Load:
        loads.append(Load(tmp_path, **arguments))  # type: ignore[arg-type]
        return loads[-1]

    yield start
    for load in loads:
        load.end()
