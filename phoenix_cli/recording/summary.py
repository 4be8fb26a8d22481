"""What is in a recording, in figures: for `phoenix host recording`, and as the conditions of every prediction."""

from __future__ import annotations

from collections import Counter
from typing import Any

from phoenix_cli.recording.errors import RecordingUnusable
from phoenix_cli.recording.points import MAX_NAMES, MAX_PIDS, PID, count, value
from phoenix_cli.recording.reader import Recording

SHOWN_NAMES = 20


def summarise(recording: Recording) -> dict[str, Any]:
    """Figures as JSON values; names are as the host said them. Raises RecordingUnusable."""
    header, end = recording.header, recording.end
    series: set[int] = set()
    names: Counter[str] = Counter()
    pids: set[Any] = set()
    processes, points, times = [], [], []
    for request in recording.requests():
        counted = count(request, series, header.scraper_metrics)
        names.update(counted.by_name)
        if len(names) > MAX_NAMES:
            raise RecordingUnusable(f"{recording.path} has more than {MAX_NAMES} executable names, as no host has")
        if len(pids) < MAX_PIDS:
            pids |= {
                value(pair) for one in request.resource_metrics for pair in one.resource.attributes if pair.key == PID
            }
        processes.append(counted.processes)
        points.append(counted.points)
        times += [counted.first_ns, counted.last_ns] if counted.points else []
    scrapes = max(recording.scrapes, 1)
    return {
        "file": str(recording.path),
        "complete": end is not None,
        "ended": end.why if end else "cut short",
        "cutAt": recording.cut_at,
        "host": header.host,
        "startedAt": header.started_at,
        "seconds": round((max(times) - min(times)) / 1e9, 3) if times else 0.0,
        "intervalSeconds": header.interval_s,
        "scrapes": recording.scrapes,
        "processes": {"mean": sum(processes) / scrapes, "most": max(processes, default=0), "pids": len(pids)},
        "points": {"mean": sum(points) / scrapes, "most": max(points, default=0)},
        "differentSeries": len(series),
        "names": len(names),
        "mostPoints": [
            {"name": name, "points": number} for name, number in sorted(names.items(), key=_most)[:SHOWN_NAMES]
        ],
        "bytes": recording.size,
        "scraperMetrics": list(header.scraper_metrics),
        "redactPatterns": list(header.patterns),
        "redacted": dict(end.redacted) if end else None,
        "collector": header.collector_version,
        "cpus": header.cpu_count,
        "sha256": recording.digest,
    }


def _most(entry: tuple[str, int]) -> tuple[int, str]:
    return -entry[1], entry[0]
