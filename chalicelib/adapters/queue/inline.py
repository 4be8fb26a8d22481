"""The work queue of one machine: a batch is worked off at once, in the caller's thread."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from chalicelib.ports.queue import Work


class InlineQueue:
    """Delivers to `worker`; what fails comes again with the next tick, because it is still active."""

    def __init__(self) -> None:
        self.worker: Callable[[Sequence[Work]], object] | None = None

    def send(self, batches: Sequence[Sequence[Work]]) -> None:
        for batch in batches:
            if self.worker is not None:
                self.worker(batch)
