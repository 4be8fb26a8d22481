"""How `bench catalog` shows its result: columns, titles, notes. The page in catalog/README.md has the same."""

from __future__ import annotations

from typing import Protocol

from bench.report import Column

COLUMNS = (
    Column("live_processes", "live", ",d"),
    Column("name", "pipeline"),
    Column("series_per_scrape", "series a scrape", ",.0f"),
    Column("series_fewer", "fewer series", ".1%"),
    Column("wire_fewer", "fewer bytes", ".1%"),
    Column("critical_kept", "criticals kept", ".0%"),
    Column("critical_seen", "of"),
    Column("mismatches_per_scrape", "mismatches a scrape", ".4g"),
    Column("scrapes", "scrapes", "d"),
    Column("cpu_ms_per_scrape", "CPU ms a scrape", ".1f"),
    Column("cpu_ratio", "CPU ÷ baseline", ".2f"),
    Column("cpu_ratio_spread", "lowest–highest"),
    Column("cpu_scrapes", "scrapes (CPU)", "d"),
    Column("rss_mib", "RSS MiB", ".0f"),
    Column("rss_ratio", "RSS ÷ baseline", ".2f"),
)
NAMES_TITLE = "Unique and shared names, at about 1 000 processes"
NAMES = (
    Column("name", "pipeline"),
    Column("series_fewer_unique", "fewer series, unique names", ".1%"),
    Column("series_fewer_shared", "fewer series, shared names", ".1%"),
    Column("wire_fewer_unique", "fewer bytes, unique names", ".1%"),
    Column("wire_fewer_shared", "fewer bytes, shared names", ".1%"),
    Column("mismatches_per_scrape_shared", "mismatches a scrape, shared names", ".4g"),
)
TARGETS_TITLE = "Targets"
TARGETS = (
    Column("target", "target"),
    Column("measured", "measured"),
    Column("met", "met"),
)
PROMISES_TITLE = "What the others promise, and what counts as a mismatch"
PROMISES = (Column("name", "what"), Column("promise", "promise"))
NOTES = (
    "Each size is one population of real processes (loadsim high-cardinality: nearly every process with a name and a "
    "command line of its own, most idle, 20 busy, 5 critical, 6 restarts a minute) beside what else the machine runs.",
    "Series: data points of a scrape; fewer than process-baseline-v1 sends for the same scrapes. For basic and "
    "dynamic, which send in turns, fewer points: over some scrapes nearly all series come by.",
    "Bytes: bodies of the requests at the receiver, gzip, as sent.",
    "Criticals kept: critical processes that were sent, of those in the raw stream, over all scrapes of a fresh "
    "collector, the first included.",
    "Mismatches: against brute force from the raw stream of the same scrape; for a pipeline a row or a sum that is "
    "missing, too many or another.",
    "CPU and RSS: each in a collector of its own, all running at once, evenly apart, exporting with gzip; CPU ÷ "
    "baseline: median of the rounds' ratios; RSS: the highest since the collector's start.",
    "The lists of the include and exclude rivals were written from one look at the host right before.",
)


class Spaced(Protocol):
    """What a title needs of a plan."""

    @property
    def interval_s(self) -> float: ...

    @property
    def rounds(self) -> int: ...


def title(size: int, plan: Spaced) -> str:
    """The heading of one size's table."""
    return f"About {size:,d} live processes, every {plan.interval_s:g} s, {plan.rounds} rounds of collectors"
