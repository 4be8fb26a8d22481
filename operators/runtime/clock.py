"""The wall clock. Nothing else."""

from __future__ import annotations

import time


class SystemClock:
    """Implements ports.clock.Clock."""

    def now(self) -> float:
        """Unix seconds of this machine."""
        return time.time()
