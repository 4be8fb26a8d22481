"""The collector's own words about why it did not start, picked out of its error output.

Pure: lines in, values out. Forms seen from collector 0.155: one line `Error: invalid configuration: …` or
`Error: cannot start pipelines: …`, or `Error: failed to get config: …` with the reason in the lines after a blank one.
Not here: reading (line_reader.py) and sending (status_report.py).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from phoenix_cli.host_runtime.supervisor_files import COLLECTORS_PREFIX, START_PREFIX

LONGEST_TEXT = 2000
MOST_LINES = 24
LONGEST_MARKER = 128
BEGINS = re.compile(r"(Error: |panic: |fatal error: |runtime: |.*collector-start\.sh: )")
LOG_LINE = re.compile(r"\d{4}-\d\d-\d\dT\S+\t(debug|info|warn|error|dpanic|panic|fatal)\t")
SUPERVISOR_END = re.compile(r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d (failed to .*)")
READY = "Everything is ready. Begin running and processing data."


@dataclass(frozen=True)
class StartError:
    """Why a collector did not start, in its own words; marker: of the configuration it was started with, if known."""

    text: str
    marker: str | None


class StartErrors:
    """Assembles errors from the lines of the collector's error output, in order.

    `line` and `idle` return an error once it is complete: when another begins, or when nothing came for a moment.
    """

    def __init__(self) -> None:
        self._marker: str | None = None
        self._lines: list[str] = []

    def line(self, text: str) -> StartError | None:
        """Take one line; the error that it ends, if any."""
        if text.startswith(START_PREFIX.rstrip()):
            done = self.idle()
            self._marker = text[len(START_PREFIX) :].strip().strip("\"'")[:LONGEST_MARKER] or None
            return done
        if BEGINS.match(text) and not self._lines:
            self._lines = [text]
        elif self._lines and text.strip() and not LOG_LINE.match(text):
            self._lines.append(text)
        return None

    def idle(self) -> StartError | None:
        """Nothing more came: the error collected so far, if any."""
        if not self._lines:
            return None
        text = "\n".join(self._lines[:MOST_LINES])[:LONGEST_TEXT]
        self._lines = []
        return StartError(text=text, marker=self._marker)


def collectors_asked(line: str) -> int | None:
    """How many collectors the configuration that is being started asks for; None when the line does not say."""
    if not line.startswith(COLLECTORS_PREFIX.rstrip()):
        return None
    return 2 if line[len(COLLECTORS_PREFIX) :].strip().strip("\"'") == "2" else 1


def supervisor_failure(line: str) -> StartError | None:
    """The error with which the supervisor itself gave up, when this line of its output is one."""
    match = SUPERVISOR_END.match(line)
    return StartError(text=f"supervisor: {match[1]}"[:LONGEST_TEXT], marker=None) if match else None


def collector_runs(line: str) -> bool:
    """Whether this line of the supervisor's output says that a collector came up (after bootstrap)."""
    return READY in line and _logger(line) == "supervisor.collector"


def supervisor_is_up(line: str) -> bool:
    """Whether this line says that bootstrap is over: the collector runs and can be configured."""
    return '"Supervisor starting"' in line and _logger(line) == "supervisor"


def _logger(line: str) -> str:
    try:
        entry = json.loads(line)
    except ValueError:
        return ""
    return str(entry.get("logger", "")) if isinstance(entry, dict) else ""
