"""How many bytes leave the host: the two arms of an experiment on the same scrapes, measured where they arrive.

One collector runs process-baseline-v1 and process-topk-v1 as an experiment does; each arm sends to a path of its own
with the product's exporter settings (OTLP/HTTP, gzip). The baseline is the raw stream: nothing is dropped from it.
What Phoenix itself sends (counts, the collector's own telemetry) is shown beside it.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.instruments import arms, conditions
from bench.instruments.receiver import Contents, Receiver, Sent, contents
from bench.instruments.running import BenchFailed, collector, collector_binary, missing, population
from bench.registry import Options
from bench.report import Cell, Column, Report, Table
from chalicelib.domain.pipeline.kpi import SERIES

TOTALS = (300, 1000)
INTERVAL_S = 5.0
SETTLE_SCRAPES = 2
PATHS = {arms.BASELINE: "/baseline", arms.TOPK: "/candidate"}
CONTROL = "/v1/metrics"
COLUMNS = (
    Column("live_processes", "live processes", ",.0f"),
    Column("stream", "stream"),
    Column("scrapes", "scrapes", "d"),
    Column("series_per_scrape", "series", ",.0f"),
    Column("wire_bytes_per_scrape", "B on the wire", ",.0f"),
    Column("plain_bytes_per_scrape", "B before gzip", ",.0f"),
    Column("wire_bytes_per_series", "B/series", ".1f"),
    Column("wire_ratio", "÷ baseline", ".3f"),
)
OURS = (
    Column("live_processes", "live processes", ",.0f"),
    Column("what", "sent to the control plane"),
    Column("requests", "requests", "d"),
    Column("wire_bytes", "B on the wire", ",.0f"),
    Column("plain_bytes", "B before gzip", ",.0f"),
)


@dataclass(frozen=True)
class Stream:
    """Whole scrapes as one path received them."""

    scrapes: int
    series: float
    processes: float
    wire: float
    plain: float


def run(options: Options) -> Report:
    """Measure both sizes."""
    scrapes = 4 if options.quick else 10
    binary = collector_binary()
    machine = conditions.machine()
    rows: list[tuple[Cell, ...]] = []
    ours: list[tuple[Cell, ...]] = []
    with tempfile.TemporaryDirectory() as folder:
        for total in TOTALS:
            print(f"  {total} processes", file=sys.stderr, flush=True)
            with population(missing(total), Path(folder)):
                receiver = _measure(binary, scrapes, Path(folder) / str(total))
            streams = {name: stream_of(receiver.sent(path), scrapes) for name, path in PATHS.items()}
            rows += _rows(streams)
            ours += _ours(streams[arms.BASELINE].processes, receiver.sent(CONTROL))
    said = {
        **machine,
        **conditions.load_after(),
        "collector": conditions.version_of(binary),
        "interval_s": INTERVAL_S,
        "parameters": "the catalog's defaults (k = 10)",
    }
    tables = (
        Table("Body of the requests per scrape, at the receiver", COLUMNS, tuple(rows)),
        Table("What the experiment itself sends, per request", OURS, tuple(ours)),
    )
    return Report("wire", said, tables, NOTES)


NOTES = (
    "Means over the scrapes; both arms saw the same scrapes. HTTP bodies only, without headers. B/series: on the wire.",
    "counts: one request a scrape; the collector's own telemetry: one an interval, but at most one in five seconds.",
)


def _measure(binary: Path, scrapes: int, folder: Path) -> Receiver:
    with Receiver() as receiver:
        pipelines = arms.fragments((arms.BASELINE, arms.TOPK))
        backends = tuple(receiver.url + path for path in PATHS.values())
        config = arms.comparison(
            pipelines[arms.BASELINE], pipelines[arms.TOPK], INTERVAL_S, (backends[0], backends[1]), receiver.url
        )
        with collector(binary, config, folder):
            time.sleep((SETTLE_SCRAPES + scrapes + 1) * INTERVAL_S)
    return receiver


def stream_of(sent: Sequence[Sent], most: int) -> Stream:
    """Sizes per scrape of at most so many scrapes, without the first ones, where CPU shares are not known yet, and the
    last, which may be cut off. Raises BenchFailed when too little arrived."""
    scrapes = whole_scrapes([(one, contents(one)) for one in sent])[SETTLE_SCRAPES:-1][:most]
    if not scrapes:
        raise BenchFailed(f"only {len(sent)} requests arrived: the machine is too busy")
    return Stream(
        scrapes=len(scrapes),
        series=statistics.fmean(sum(held.points for _, held in scrape) for scrape in scrapes),
        processes=statistics.fmean(sum(held.processes for _, held in scrape) for scrape in scrapes),
        wire=statistics.fmean(sum(len(one.wire) for one, _ in scrape) for scrape in scrapes),
        plain=statistics.fmean(sum(len(one.plain) for one, _ in scrape) for scrape in scrapes),
    )


def whole_scrapes(found: Sequence[tuple[Sent, Contents]]) -> list[list[tuple[Sent, Contents]]]:
    """Requests put together into scrapes: on a busy machine one scrape may come in parts. A gap in the points' own
    time of more than a third of the interval begins a new scrape."""
    scrapes: list[list[tuple[Sent, Contents]]] = []
    last = 0
    for one, held in sorted(found, key=lambda pair: pair[1].first_ns):
        if not scrapes or held.first_ns - last > INTERVAL_S / 3 * 1e9:
            scrapes.append([])
        scrapes[-1].append((one, held))
        last = held.last_ns
    return scrapes


def _rows(streams: dict[str, Stream]) -> list[tuple[Cell, ...]]:
    base = streams[arms.BASELINE]
    return [
        (base.processes, name, s.scrapes, s.series, s.wire, s.plain, s.wire / s.series, s.wire / base.wire)
        for name, s in streams.items()
    ]


def _ours(processes: float, sent: Sequence[Sent]) -> list[tuple[Cell, ...]]:
    kinds: dict[str, list[Sent]] = {"counts": [], "own telemetry": []}
    for one in sent:
        kinds["counts" if SERIES in contents(one).metrics else "own telemetry"].append(one)
    return [
        (
            processes,
            what,
            len(found),
            statistics.fmean(len(one.wire) for one in found) if found else None,
            statistics.fmean(len(one.plain) for one in found) if found else None,
        )
        for what, found in kinds.items()
    ]
