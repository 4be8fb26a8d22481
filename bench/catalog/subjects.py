"""What `bench catalog` compares: every pipeline of the catalog, and what people use today for the same job, each with
what it promises. Configurations and promises only; nothing runs here.

The stock collector has no sampler for metrics (`probabilistic_sampler` takes traces and logs), so sampling is the
nearest it offers: a filter on a hash, here of name and pid, which keeps a tenth of the processes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bench.instruments import arms
from chalicelib.domain.pipeline import ottl, parts
from chalicelib.domain.pipeline.rendering import Fragment
from tests.catalog import rules
from tests.catalog.brute import HELPER
from tests.catalog.rules import Case

Tree = dict[str, Any]
CPU_MIN, MEMORY_MIN = 0.005, 100 << 20
"""Thresholds of the plain filter: those of process-priority-filter-v1 by default."""
ONE_OF = 10
HEAVY = 10
"""How many names by CPU, and as many by memory, the include list holds."""
IDLE = 50
"""How many names of idle processes the exclude list holds, beside those of all kernel threads."""

CASES: tuple[Case, ...] = (
    rules.baseline(),
    rules.priority(),
    rules.aggregated(),
    rules.topk(),
    rules.adaptive(),
    rules.basic(),
    rules.standard(),
    rules.aggressive(),
    rules.critical(),
    rules.dynamic(),
)
"""Every pipeline with its defaults, in the catalog's own order."""


@dataclass(frozen=True)
class Look:
    """What somebody who writes lists sees on the host, once: names of criticals, of the heaviest by CPU and by memory,
    of idle processes, of kernel threads."""

    critical: tuple[str, ...]
    heavy: tuple[str, ...]
    idle: tuple[str, ...]
    kernel: tuple[str, ...]

    @property
    def included(self) -> tuple[str, ...]:
        """Names on the include list."""
        return tuple(dict.fromkeys((*self.critical, *self.heavy)))

    @property
    def excluded(self) -> tuple[str, ...]:
        """Names on the exclude list."""
        return tuple(dict.fromkeys((*self.kernel, *self.idle)))


NOBODY = Look((), (), (), ())
"""Who wants the promises, but no lists."""


@dataclass(frozen=True)
class Rival:
    """What people use today. own: its scraper settings, where it needs a receiver of its own; conditions: of its
    filter; metrics: optional scraper metrics it needs; promise: what a mismatch is counted against, in words."""

    name: str
    promise: str
    own: Mapping[str, Any] = field(default_factory=dict)
    conditions: Sequence[str] = ()
    metrics: tuple[str, ...] = ()

    def scraper(self) -> Tree:
        """The settings of its process scraper."""
        enabled = {"metrics": {metric: {"enabled": True} for metric in self.metrics}} if self.metrics else {}
        return {"mute_process_all_errors": True, **enabled, **self.own}


def rivals(look: Look) -> tuple[Rival, ...]:
    """All four, with the lists of somebody who looked once."""
    hashed = (
        'FNV(Concat([resource.attributes["process.executable.name"], String(resource.attributes["process.pid"])], "/"))'
    )
    return (
        Rival(
            INCLUDE,
            f"the criticals, the {HEAVY} largest by CPU and the {HEAVY} largest by memory; mismatch: a process",
            own={"include": {"names": list(look.included), "match_type": "strict"}},
        ),
        Rival(
            EXCLUDE,
            "everything but kernel threads and the listed names; mismatch: a process",
            own={"exclude": {"names": list(look.excluded), "match_type": "strict"}},
        ),
        Rival(
            THRESHOLD,
            f"every process over {CPU_MIN:.1%} CPU or {MEMORY_MIN >> 20} MiB, no other; mismatch: a process that is "
            "missing, too many or without some of its metrics",
            conditions=(
                f'metric.name == "{HELPER}" and datapoint.value_double < {CPU_MIN}',
                f'metric.name == "process.memory.usage" and datapoint.value_int < {MEMORY_MIN}',
                f'metric.name != "{HELPER}" and metric.name != "process.memory.usage"',
            ),
            metrics=(HELPER,),
        ),
        Rival(
            SAMPLING,
            f"times {ONE_OF} it is the host; mismatch: a total (CPU by state, memory, processes) off by over 10 %",
            conditions=(f"{hashed} != ({hashed} / {ONE_OF}) * {ONE_OF}",),
        ),
    )


INCLUDE, EXCLUDE = "receiver: include names", "receiver: exclude names"
THRESHOLD, SAMPLING = "filter: threshold on points", f"filter: hash, 1 of {ONE_OF} processes"
RIVALS = (INCLUDE, EXCLUDE, THRESHOLD, SAMPLING)


def deployment(rival: Rival, baseline: Fragment, interval_s: float, backend: str) -> Tree:
    """A collector of its own for a rival, as people write it: receiver, memory limiter, filter, exporter."""
    config = arms.deployment(baseline, interval_s, backend, None)
    order = ["memory_limiter"]
    processors = {name: config["processors"][name] for name in ("memory_limiter", "resource/deployed")}
    if rival.conditions:
        processors["filter/rival"] = filter_of(rival)
        order.append("filter/rival")
    receiver = {"collection_interval": parts.go_duration(interval_s), "scrapers": {"process": rival.scraper()}}
    (exporter,) = config["exporters"]
    pipeline = {"receivers": ["hostmetrics"], "processors": [*order, "resource/deployed"], "exporters": [exporter]}
    return {
        "receivers": {"hostmetrics": receiver},
        "processors": processors,
        "exporters": config["exporters"],
        "service": {"telemetry": config["service"]["telemetry"], "pipelines": {"metrics": pipeline}},
    }


def beside(config: Tree, rival: Rival, index: int, interval_s: float, backend: str) -> None:
    """Add a rival to the collector that runs every pipeline at once; it is received at <backend>."""
    name = f"rival.{index}"
    receiver = "hostmetrics"
    order = []
    if rival.own:
        receiver = f"hostmetrics/{name}"
        config["receivers"][receiver] = {
            "collection_interval": parts.go_duration(interval_s),
            "scrapers": {"process": rival.scraper()},
        }
    elif HELPER not in rival.metrics:
        order.append("filter/unasked")
    if rival.conditions:
        config["processors"][f"filter/{name}"] = filter_of(rival)
        order.append(f"filter/{name}")
    config["exporters"][f"otlp_http/{name}"] = {
        **config["exporters"]["otlp_http/raw"],
        "metrics_endpoint": ottl.plain(backend),
    }
    config["service"]["pipelines"][f"metrics/{name}"] = {
        "receivers": [receiver],
        "processors": order,
        "exporters": [f"otlp_http/{name}"],
    }


def filter_of(rival: Rival) -> Tree:
    """Its filter processor."""
    return {"error_mode": "propagate", "metric_conditions": list(rival.conditions)}
