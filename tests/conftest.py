"""What all tests share: how hypothesis runs. No timed assertions: a slow machine is no failure."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

settings.register_profile(
    "phoenix",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    # CI runs the same examples each time; a machine of one's own looks for new ones.
    derandomize=bool(os.environ.get("CI")),
)
settings.load_profile("phoenix")
