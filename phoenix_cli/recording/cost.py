"""What recordings say about cost by process name: points summed by name. No price here."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from chalicelib.domain.cost.by_name import Recorded
from phoenix_cli.recording.errors import RecordingUnusable
from phoenix_cli.recording.points import MAX_NAMES, count
from phoenix_cli.recording.reader import open_recording


def recorded(path: Path) -> Recorded:
    """The points by name of one recording. Raises RecordingUnusable."""
    found = open_recording(path)
    names: Counter[str] = Counter()
    times: list[int] = []
    # Which series they are is not asked here: a full set costs memory, a throw-away one a little time.
    for request in found.requests():
        counted = count(request, set(), found.header.scraper_metrics)
        names.update(counted.by_name)
        if len(names) > MAX_NAMES:
            raise RecordingUnusable(f"{path} has more than {MAX_NAMES} executable names, as no host has")
        times += [counted.first_ns, counted.last_ns] if counted.points else []
    seconds = (max(times) - min(times)) / 1e9 if times else 0.0
    return Recorded(found.header.host, found.header.interval_s, found.scrapes, seconds, names)
