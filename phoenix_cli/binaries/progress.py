"""How the progress of a slow build reaches a person: a spinner on a terminal, plain lines everywhere else.

Not here: the build. A report is any callable that takes a Progress; tests pass `list.append`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TextIO

PLAIN_EVERY_SECONDS = 15.0


@dataclass(frozen=True)
class Progress:
    """Where a build stands. `elapsed` is in seconds since its start; `detail` changes often, `step` seldom."""

    what: str
    step: str
    elapsed: float
    detail: str = ""

    @property
    def line(self) -> str:
        """One line for people."""
        detail = f" · {self.detail}" if self.detail else ""
        return f"{self.what}: {self.step}{detail} · {self.elapsed:.0f} s"


Report = Callable[[Progress], None]


class PlainReport:
    """Writes a line for each new step, and one every 15 s within a step."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._last: Progress | None = None

    def __call__(self, progress: Progress) -> None:
        last = self._last
        same_step = last is not None and (last.what, last.step) == (progress.what, progress.step)
        if same_step and last is not None and progress.elapsed - last.elapsed < PLAIN_EVERY_SECONDS:
            return
        self._last = progress
        print(progress.line, file=self._stream, flush=True)


@contextmanager
def progress_report(env: Mapping[str, str], stream: TextIO) -> Iterator[Report]:
    """A report for this stream: a spinner when it is a terminal and NO_COLOR is unset, else plain lines."""
    if not stream.isatty() or env.get("NO_COLOR"):
        yield PlainReport(stream)
        return
    from rich.console import Console  # Loaded only where a terminal will show it.

    console = Console(file=stream)
    with console.status("looking for collector and supervisor …") as status:
        yield lambda progress: status.update(progress.line)
