"""Many pipelines behind one receiver in one collector, each with an exporter of its own, beside the raw stream; and
the comparison of what they sent with the rules, scrape by scrape.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from chalicelib.adapters.catalog.files import FileCatalog
from chalicelib.domain.critical import CriticalPattern
from chalicelib.domain.experiment.spec import Backend
from chalicelib.domain.pipeline import parts
from chalicelib.domain.pipeline.assembly import standalone
from chalicelib.domain.pipeline.rendering import render
from tests.catalog import brute
from tests.catalog.brute import HELPER, Row, Scrape
from tests.catalog.rules import Around, Case
from tests.catalog.sums import COUNTERS, Key

RAW = "/raw"
SECOND = 1_000_000_000


def config_of(
    cases: Sequence[Case],
    catalog: FileCatalog,
    critical: Sequence[CriticalPattern],
    interval_s: float,
    url: str,
    receiver: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """All cases on one scrape; case i is received at <url>/<i>. receiver: in place of the process scraper."""
    name, body = "hostmetrics", parts.receiver(interval_s, (HELPER,))
    if receiver is not None:
        name, body = "otlp", dict(receiver)
    config: dict[str, Any] = {
        "receivers": {name: body},
        "processors": {"filter/unasked": parts.drop_metrics([HELPER])},
        "exporters": {"otlp_http/raw": parts.exporter(Backend(otlp=f"{url}{RAW}"), interval_s)},
        "service": {"pipelines": {"metrics/raw": {"receivers": [name], "exporters": ["otlp_http/raw"]}}},
    }
    for index, case in enumerate(cases):
        fragment = render(catalog.get(case.pipeline), case.parameters)
        backend = Backend(otlp=f"{url}/{index}")
        own = standalone(fragment, critical, interval_s, backend)
        first = [] if fragment.scraper_metrics else ["filter/unasked"]
        names = {one: one.replace("/", f"/{index}.", 1) for one in own["processors"] if one != "memory_limiter"}
        config["processors"] |= {names[one]: own["processors"][one] for one in names}
        config["exporters"][f"otlp_http/{index}"] = own["exporters"]["otlp_http"]
        config["service"]["pipelines"][f"metrics/{index}"] = {
            "receivers": [name],
            "processors": [*first, *names.values()],
            "exporters": [f"otlp_http/{index}"],
        }
    config["service"]["telemetry"] = {"metrics": {"level": "none"}}
    return config


def compare(case: Case, around: Around, scrapes: Sequence[Scrape], rows: Sequence[Sequence[Row]]) -> list[str]:
    """Every difference between what a case sent and what its rule says, in words; empty when it is exact."""
    return [what for what, _ in differences(case, around, scrapes, rows)]


def differences(
    case: Case, around: Around, scrapes: Sequence[Scrape], rows: Sequence[Sequence[Row]]
) -> list[tuple[str, int]]:
    """As `compare`, each with how many rows or sums it is about."""
    rule = case.rule(around)
    found: list[tuple[str, int]] = []
    for index, (scrape, sent) in enumerate(zip(scrapes, rows, strict=True)):
        expected = rule(scrape)
        single = brute.identities(row for row in sent if row.pid >= 0)
        for what, diff in (("missing", expected.rows - single), ("too many", single - expected.rows)):
            if diff:
                rows_off = sum(diff.values())
                found.append((f"scrape {index}: {rows_off} rows {what}, such as {next(iter(diff))}", rows_off))
        sums = _sums(expected.sums, [row for row in sent if row.pid < 0])
        found += [(f"scrape {index}: {line}", 1) for line in sums]
    return found


def compare_live(
    case: Case, around: Around, launched: int, scrapes: Sequence[Scrape], rows: Sequence[Sequence[Row]]
) -> list[str]:
    """As `compare`, for a live collector: the moment from which new processes count in full lies between its launch
    and its first scrape. Only processes that began around then depend on it, so their starts are all there is to try
    (Linux tells starts up to a second early, so some of these are first seen later).
    """
    return [what for what, _ in differences_live(case, around, launched, scrapes, rows)]


def differences_live(
    case: Case, around: Around, launched: int, scrapes: Sequence[Scrape], rows: Sequence[Sequence[Row]]
) -> list[tuple[str, int]]:
    """As `compare_live`, each with how many rows or sums it is about."""
    latest = scrapes[0].end + SECOND
    starts = {row.start for scrape in scrapes for row in scrape.rows if launched - SECOND <= row.start <= latest}
    likely = scrapes[0].start - SECOND  # The receiver waits a second before it scrapes for the first time.
    moments = sorted(starts | {launched, likely, latest}, key=lambda moment: abs(moment - likely))
    found: list[tuple[str, int]] = []
    for moment in moments:
        found = differences(case, around.since(moment), scrapes[:1], rows[:1])
        found = found or differences(case, around.since(moment), scrapes, rows)
        if not found:
            return []
    return found


def _sums(expected: Mapping[Key, int | float], sent: Sequence[Row]) -> list[str]:
    got: dict[Key, list[int | float]] = defaultdict(list)
    for row in sent:
        got[row.name, row.metric, row.state or row.direction].append(row.value)
    found = [f"{key} reported {len(values)} times" for key, values in got.items() if len(values) > 1]
    found += [f"{key} missing, expected {expected[key]}" for key in expected.keys() - got.keys()]
    found += [f"{key} not expected" for key in got.keys() - expected.keys()]
    for key in expected.keys() & got.keys():
        want, have = expected[key], got[key][0]
        exact = have == want if isinstance(want, int) else math.isclose(have, want, rel_tol=1e-9, abs_tol=1e-9)
        if not exact:
            found.append(f"{key} is {have}, expected {want}")
    return found


def falls(rows: Sequence[Sequence[Row]]) -> list[str]:
    """Sums of counters that fell, or began anew, from one scrape to a later one."""
    last: dict[Key, Row] = {}
    found = []
    for sent in rows:
        for row in sent:
            if row.pid >= 0 or not row.metric.endswith(COUNTERS):
                continue
            key = (row.name, row.metric, row.state or row.direction)
            before = last.get(key)
            if before and (row.value < before.value or row.start != before.start or row.time <= before.time):
                found.append(f"{key} went from {before.value} to {row.value}")
            last[key] = row
    return found
