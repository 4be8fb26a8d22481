"""What a recording holds, for people. Names are the recorded host's: hostile, shown without what does not print."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from phoenix_cli.show.figures import clean, day_and_time, duration, plural, size, whole
from phoenix_cli.show.tables import table


def recording_table(found: Mapping[str, Any]) -> RenderableType:
    """The figures of `recording.summary`, one a row, and the names with most points."""
    names = table(((one["name"], whole(one["points"])) for one in found["mostPoints"]), ("name", "points>"))
    return Group(table(_facts(found), ("recording", clean(found["file"], 200))), Text(""), names)


def _facts(found: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "host", f"{clean(found['host'], 253)}, {plural(found['cpus'], 'CPU')}, collector {clean(found['collector'])}"
    yield "recorded", f"{day_and_time(found['startedAt'])}, {duration(found['seconds'])}, ended: {found['ended']}"
    yield "scrapes", f"{whole(found['scrapes'])}, one every {duration(found['intervalSeconds'])}"
    processes, points = found["processes"], found["points"]
    yield "processes", f"{whole(processes['mean'])} a scrape, at most {whole(processes['most'])}"
    yield "points", f"{whole(points['mean'])} a scrape, at most {whole(points['most'])}"
    yield "series", f"{whole(found['differentSeries'])} different ones, {plural(found['names'], 'name')}"
    yield "size", size(found["bytes"])
    yield "helper metrics", ", ".join(clean(one) for one in found["scraperMetrics"]) or "none"
    yield "redaction", _redaction(found)
    yield "sha256", found["sha256"]


def _redaction(found: Mapping[str, Any]) -> str:
    if found["redacted"] is None:
        return "not known: the file has no end"
    parts = [f"{plural(number, 'value')} of {clean(key)}" for key, number in found["redacted"].items()]
    return f"{plural(len(found['redactPatterns']), 'pattern')} and secrets: {', '.join(parts) or 'nothing replaced'}"
