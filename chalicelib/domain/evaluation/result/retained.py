"""How much of the critical processes each arm kept, as values: by process and by pattern. Computed in measures."""

from __future__ import annotations

from pydantic import Field

from chalicelib.domain.model import Value


def _none(value: object) -> bool:
    return value is None


class ProcessRetention(Value):
    """One critical process: in how many complete scrapes each stream had it."""

    host: str
    pattern: str
    name: str
    pid: int
    raw: int
    baseline: int
    candidate: int
    baseline_retention: float | None
    """None where the host does not run the baseline, or its own raw stream never had the process (dedicated mode)."""
    candidate_retention: float | None
    candidate_raw: int | None = Field(default=None, exclude_if=_none)
    """What the candidate's own collector had, in dedicated mode; None: `raw` is for both arms."""

    @property
    def candidate_due(self) -> int:
        """What the candidate is held to."""
        return self.raw if self.candidate_raw is None else self.candidate_raw


class PatternRetention(Value):
    """One critical pattern over all hosts. Counts are process-scrapes: one process in one complete scrape."""

    pattern: str
    processes: int
    """Different processes seen in raw; 0: the pattern matched nothing, and its retention has no value."""
    raw: int
    baseline: int
    candidate: int
    baseline_retention: float | None = None
    candidate_retention: float | None = None
    baseline_raw: int | None = Field(default=None, exclude_if=_none)
    """What raw had on the baseline's hosts, where the arms run on different ones (canary); `raw` is the candidate's
    then. None: `raw` is for both."""
    candidate_raw: int | None = Field(default=None, exclude_if=_none)
    """What the candidate's own collector had, in dedicated mode; None: `raw` is for both arms."""

    @property
    def candidate_due(self) -> int:
        """What the candidate is held to."""
        return self.raw if self.candidate_raw is None else self.candidate_raw

    @property
    def seen(self) -> bool:
        """Whether raw ever had a process of this pattern."""
        return self.processes > 0
