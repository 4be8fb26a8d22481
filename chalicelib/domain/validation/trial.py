"""The trial: a user's pipelines, made harmless, between our receiver and our sinks. Building only; nothing runs here.

Receivers, exporters and extensions of the user are never created; processors and connectors only when they are known to
do nothing but compute. What the real process scraper would leave out (its include and exclude lists, metrics and
attributes that are switched off) is left out by a first stage of our own, in the collector's own words.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from chalicelib.domain.critical import CriticalPattern
from chalicelib.domain.pipeline import parts
from chalicelib.domain.pipeline.references import pointer
from chalicelib.domain.validation.components import (
    PROCESS_RECEIVERS,
    SAFE_CONNECTORS,
    SAFE_PROCESSORS,
    kind_of,
)
from chalicelib.domain.validation.scraper import Scraper, scraper_of
from chalicelib.domain.validation.view import Pipeline, View

OWN = "phoenix-trial"
MARKED = "marked"
"""Sink of the scrape itself, with phoenix.critical where a critical pattern matches."""
MAX_STAGES = 100
Tree = dict[str, Any]


@dataclass(frozen=True)
class Stage:
    """A place that a processor of the user stands in: what goes in and comes out has a sink each."""

    pointer: str
    name: str
    before: str
    after: str


@dataclass(frozen=True)
class Trial:
    """A configuration to run. sinks: name of the sink of each of the user's exporters. refusal: why it cannot be run,
    "" when it can; idle: no pipeline takes in metrics, so that there is nothing to run."""

    config: Tree = field(default_factory=dict)
    sinks: Mapping[str, str] = field(default_factory=dict)
    stages: tuple[Stage, ...] = ()
    refusal: str = ""
    idle: bool = False


def trial(view: View, critical: Sequence[CriticalPattern], listen: str, sink: str, *, stages: bool = False) -> Trial:
    """The user's metrics pipelines, ready to be run.

    listen: host:port for the scrape, by OTLP over HTTP. sink: base URL; each sink is <sink>/<its name>. stages: give
    every processor a sink before and behind it.
    """
    build = _Build(view, listen, sink)
    if not build.pipelines:
        return Trial(idle=True)
    if refusal := build.refusal():
        return Trial(refusal=refusal)
    build.begin(critical)
    found = tuple(build.staged()) if stages else ()
    if not stages:
        build.whole()
    return Trial(build.config(), build.sinks, found)


class _Build:
    """Collects components and pipelines while they are decided; lives for one call."""

    def __init__(self, view: View, listen: str, sink: str) -> None:
        self.view, self.listen, self.sink = view, listen, sink
        self.pipelines = reached(view)
        self.sinks: dict[str, str] = {}
        used = {one for pipeline in self.pipelines for one in pipeline.processors}
        self.processors: Tree = {one: copy.deepcopy(view.section("processors").get(one)) for one in used}
        self.connectors: Tree = {}
        self.exporters: Tree = {}
        self.built: Tree = {}
        for pipeline in self.pipelines:
            for one in (*pipeline.receivers, *pipeline.exporters):
                if view.is_connector(one):
                    self.connectors[one] = copy.deepcopy(view.section("connectors")[one])

    def refusal(self) -> str:
        unsafe = [one for one in self.processors if kind_of(one) not in SAFE_PROCESSORS]
        unsafe += [one for one in self.connectors if kind_of(one) not in SAFE_CONNECTORS]
        if unsafe:
            return f"{', '.join(sorted(unsafe)[:5])} may do more than compute, so it is not run on your behalf"
        if any(OWN in one for pipeline in self.pipelines for one in _ids(pipeline)):
            return f"an id holds {OWN!r}, which names our own parts of the run"
        missing = [one for one in self.processors if one not in self.view.section("processors")]
        if missing:
            return f"{', '.join(sorted(missing)[:5])} is not configured"
        if sum(len(pipeline.processors) + 1 for pipeline in self.pipelines) > MAX_STAGES:
            return f"there are more than {MAX_STAGES} processors in its pipelines"
        return ""

    def begin(self, critical: Sequence[CriticalPattern]) -> None:
        """The scrape as it is, marked; and the scrape as each receiver of the user would have it."""
        if critical:
            self.processors[f"transform/{OWN}"] = parts.mark(critical)
            self._pipeline(f"metrics/{OWN}.marked", [f"otlp/{OWN}"], [f"transform/{OWN}"], [self._tap(MARKED)])
        for receiver in self._sources():
            order = []
            for name, body in _as_scraped(self.view.section("receivers").get(receiver), receiver):
                self.processors[f"{name}.{receiver}"] = body
                order.append(f"{name}.{receiver}")
            self._pipeline(f"metrics/{OWN}.from.{receiver}", [f"otlp/{OWN}"], order, [self._source(receiver)])

    def whole(self) -> None:
        for pipeline in self.pipelines:
            self._pipeline(pipeline.id, self._inputs(pipeline), _order(pipeline), self._outputs(pipeline))

    def staged(self) -> Iterator[Stage]:
        for number, pipeline in enumerate(self.pipelines):
            link, order = f"forward/{OWN}.{number}", _order(pipeline)
            before = f"stage.{number}.0"
            self._link(pipeline.id, self._inputs(pipeline), [], f"{link}.0", before)
            for place, processor in enumerate(order):
                after = f"stage.{number}.{place + 1}"
                name = f"metrics/{OWN}.{number}.{place}"
                self._link(name, [f"{link}.{place}"], [processor], f"{link}.{place + 1}", after)
                yield Stage(pointer(("processors", processor)), processor, before, after)
                before = after
            last = [f"{link}.{len(order)}"]
            self._pipeline(f"metrics/{OWN}.{number}.out", last, [], self._outputs(pipeline))

    def config(self) -> Tree:
        return {
            "receivers": {f"otlp/{OWN}": {"protocols": {"http": {"endpoint": self.listen}}}},
            "processors": {name: body for name, body in self.processors.items() if not _limits(name)},
            "connectors": self.connectors,
            "exporters": self.exporters,
            "service": {
                "telemetry": {
                    "metrics": {"level": "none", "readers": []},
                    "logs": {"level": "warn", "encoding": "json", "disable_stacktrace": True},
                },
                "pipelines": self.built,
            },
        }

    def _sources(self) -> list[str]:
        found = {one for pipeline in self.pipelines for one in pipeline.receivers if not self.view.is_connector(one)}
        return sorted(found)

    def _source(self, receiver: str) -> str:
        name = f"forward/{OWN}.from.{receiver}"
        self.connectors[name] = {}
        return name

    def _inputs(self, pipeline: Pipeline) -> list[str]:
        return [one if self.view.is_connector(one) else self._source(one) for one in pipeline.receivers]

    def _outputs(self, pipeline: Pipeline) -> list[str]:
        found = []
        for one in pipeline.exporters:
            if self.view.is_connector(one):
                found.append(one)
            else:
                self.sinks.setdefault(one, f"out.{len(self.sinks)}")
                found.append(self._tap(self.sinks[one]))
        return found

    def _link(self, name: str, receivers: list[str], processors: list[str], link: str, tap: str) -> None:
        self.connectors[link] = {}
        self._pipeline(name, receivers, processors, [link, self._tap(tap)])

    def _tap(self, name: str) -> str:
        exporter = f"otlp_http/{OWN}.{name}"
        self.exporters[exporter] = {
            "metrics_endpoint": f"{self.sink}/{name}",
            "compression": "none",
            "timeout": "5s",
            "sending_queue": {"enabled": False},
            "retry_on_failure": {"enabled": False},
        }
        return exporter

    def _pipeline(self, name: str, receivers: list[str], processors: list[str], exporters: list[str]) -> None:
        self.built[name] = {"receivers": receivers, "processors": processors, "exporters": exporters}


def _ids(pipeline: Pipeline) -> tuple[str, ...]:
    return (pipeline.id, *pipeline.receivers, *pipeline.processors, *pipeline.exporters)


def reached(view: View) -> tuple[Pipeline, ...]:
    """The metrics pipelines that process metrics come through, without receivers and exporters that then lead nowhere.

    Where a process scraper is configured, only its data counts; otherwise all receivers are taken for upstream agents.
    """
    metrics = [one for one in view.pipelines if one.signal == "metrics"]
    scrapers = {
        one
        for pipeline in metrics
        for one in pipeline.receivers
        if kind_of(one) in PROCESS_RECEIVERS and scraper_of(view.section("receivers").get(one)) is not None
    }
    alive = [_fed_by(view, pipeline, scrapers) for pipeline in metrics]
    while True:
        from_connectors = {one for pipeline in alive for one in pipeline.receivers if view.is_connector(one)}
        into_connectors = {one for pipeline in alive if pipeline.receivers for one in pipeline.exporters}
        kept = [
            Pipeline(
                one.id,
                tuple(r for r in one.receivers if not view.is_connector(r) or r in into_connectors),
                one.processors,
                tuple(e for e in one.exporters if not view.is_connector(e) or e in from_connectors),
            )
            for one in alive
        ]
        kept = [one for one in kept if one.receivers and one.exporters]
        if kept == alive:
            return tuple(kept)
        alive = kept


def _fed_by(view: View, pipeline: Pipeline, scrapers: set[str]) -> Pipeline:
    receivers = (one for one in pipeline.receivers if view.is_connector(one) or not scrapers or one in scrapers)
    return Pipeline(pipeline.id, tuple(receivers), pipeline.processors, pipeline.exporters)


def _as_scraped(body: Any, receiver: str) -> Iterator[tuple[str, Tree]]:
    if kind_of(receiver) not in PROCESS_RECEIVERS:
        return
    scraper = scraper_of(body) or Scraper()
    if conditions := scraper.dropped():
        yield f"filter/{OWN}", {"error_mode": "propagate", "metric_conditions": conditions}
    if attributes := scraper.attributes_off():
        yield f"resource/{OWN}", {"attributes": [{"key": key, "action": "delete"} for key in attributes]}


def _order(pipeline: Pipeline) -> list[str]:
    """Its processors without memory_limiter: our memory is not the host's, and has its own limit."""
    return [one for one in pipeline.processors if not _limits(one)]


def _limits(processor: str) -> bool:
    return kind_of(processor) == "memory_limiter"
