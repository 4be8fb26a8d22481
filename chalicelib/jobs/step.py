"""The step: one message of work, thing by thing. What fails is named, so that only that is delivered again."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence

from chalicelib.ports.queue import Work, decode

log = logging.getLogger("phoenix.step")


class Step:
    """steppers: kind of work to the service that steps it (tenant, name)."""

    def __init__(self, steppers: Mapping[str, Callable[[str, str], None]]) -> None:
        self._steppers = steppers

    def __call__(self, batch: Sequence[Work]) -> list[Work]:
        """Step everything in the batch; returns what failed. One failure never stops the others."""
        failed: list[Work] = []
        for work in batch:
            stepper = self._steppers.get(work.kind)
            if stepper is None:
                log.error("no stepper for kind %r: the work is dropped", work.kind)
                continue
            try:
                stepper(work.tenant, work.name)
            except Exception:
                log.exception("step of %s %s failed; it is tried again", work.kind.lower(), work.name)
                failed.append(work)
        return failed

    def message(self, body: str) -> bool:
        """Step one queue message; whether all of it went well. What cannot be read goes to the dead letters."""
        try:
            batch = decode(body)
        except ValueError:
            log.exception("a message of the work queue cannot be read")
            return False
        return not self(batch)
