"""A control plane with clusters around it that answer at once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.kubernetes_cluster import FakeApis
from tests.functional.clusters.landscape import Landscape
from tests.functional.control_plane.world import World


@pytest.fixture
def land(tmp_path: Path) -> Iterator[Landscape]:
    apis = FakeApis()
    world = World(tmp_path, memory=True, clusters=apis)
    yield Landscape(world, apis)
    world.close()
