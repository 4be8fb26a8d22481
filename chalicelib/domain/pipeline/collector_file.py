"""A pipeline out of a plain collector configuration: the processors between its process scraper and its exporters.

What Phoenix brings itself (receiver, memory limit, exporters) is left out and said so; what cannot be one pipeline of
processors is refused. Whether the processors are sound is `own_rules`' and validation's business.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from chalicelib.domain.errors import Problem
from chalicelib.domain.model import Value
from chalicelib.domain.pipeline import parts
from chalicelib.domain.pipeline.own_rules import LEFT_TO_PHOENIX, refuse
from chalicelib.domain.pipeline.references import pointer
from chalicelib.domain.validation.components import PROCESS_RECEIVERS, kind_of
from chalicelib.domain.validation.scraper import scraper_of
from chalicelib.domain.validation.view import Pipeline, View, shape

_SCRAPED = frozenset(("process.cpu.time", "process.memory.usage", "process.memory.virtual", "process.disk.io"))
"""What the scraper sends unless told otherwise (the receiver's documentation, 0.149)."""
_UNREAD = frozenset(("metrics", "mute_process_all_errors", "mute_process_name_error", "mute_process_exe_error"))
WHAT = "this collector configuration cannot become a pipeline"


class LeftOut(Value):
    """A part of the file that the pipeline does not hold."""

    pointer: str
    """JSON pointer into the file."""
    what: str
    why: str


@dataclass(frozen=True)
class Taken:
    """What a collector configuration gives a pipeline. pipeline: id of the one that was taken."""

    pipeline: str
    processors: dict[str, Any]
    order: tuple[str, ...]
    scraper_metrics: tuple[str, ...]
    left_out: tuple[LeftOut, ...]


def is_collector_file(tree: Any) -> bool:
    """Whether it has the form of a collector configuration, sound or not."""
    return isinstance(tree, Mapping) and ("service" in tree or "receivers" in tree)


def take(tree: Any, choice: str | None = None) -> Taken:
    """The pipeline of this configuration; `choice` names it where there are several ("metrics/x").

    Raises InvalidInput; pointers are into the configuration.
    """
    refuse([Problem(one.pointer, one.message, one.fix) for one in shape(tree)], WHAT)
    view = View(tree)
    pipeline = _chosen(view, choice)
    refuse([*_connected(view, pipeline), *_undefined(view, pipeline)], WHAT)
    order = tuple(one for one in pipeline.processors if not _brought(view, one))
    if not order:
        rule = f"pipeline {pipeline.id} has no processor that Phoenix does not bring itself"
        refuse([Problem(pipeline.pointer("processors"), rule, "use process-baseline-v1, which changes nothing")], WHAT)
    return Taken(
        pipeline=pipeline.id,
        processors={one: _body(view, one) for one in order},
        order=order,
        scraper_metrics=_optional(view, pipeline),
        left_out=tuple(_left_out(view, pipeline)),
    )


def _body(view: View, processor: str) -> Any:
    body = view.section("processors")[processor]
    return {} if body is None else body


def _brought(view: View, processor: str) -> str:
    """Why Phoenix brings this processor itself, "" when it does not: its own ones come back in what it exported."""
    body = view.section("processors").get(processor)
    if processor == "transform/strip" and body == parts.strip():
        return "Phoenix removes its own attributes before a backend"
    if processor == "transform/mark" and _marks(body):
        return "Phoenix marks critical processes: name them in the experiment, or with --critical"
    return LEFT_TO_PHOENIX.get(kind_of(processor), "")


def _marks(body: Any) -> bool:
    """Whether a transform does nothing but mark critical processes, as Phoenix's own does."""
    groups = body.get("metric_statements") if isinstance(body, Mapping) else None
    statements = [one.get("statements") for one in groups or () if isinstance(one, Mapping)]
    flat = [text for group in statements for text in (group if isinstance(group, list) else [group])]
    return bool(flat) and all(isinstance(text, str) and text.startswith(f"set({parts.CRITICAL}, ") for text in flat)


def _fed(view: View, pipeline: Pipeline) -> list[str]:
    """Its receivers that scrape processes."""
    receivers = view.section("receivers")
    return [one for one in pipeline.receivers if kind_of(one) in PROCESS_RECEIVERS and scraper_of(receivers.get(one))]


def _chosen(view: View, choice: str | None) -> Pipeline:
    fed = [one for one in view.pipelines if one.signal == "metrics" and _fed(view, one)]
    names = ", ".join(one.id for one in fed)
    if choice is not None:
        if found := next((one for one in fed if one.id == choice), None):
            return found
        fix = f"choose from {names}" if fed else "it needs a hostmetrics receiver with the process scraper"
        refuse([Problem("/service/pipelines", f"no pipeline {choice[:80]!r} is fed by the process scraper", fix)], WHAT)
    if not fed:
        refuse([_unfed(view)], WHAT)
    if len(fed) > 1:
        rule = f"{len(fed)} pipelines are fed by the process scraper: {names}"
        refuse([Problem("/service/pipelines", rule, f"say which one: --pipeline {fed[0].id}")], WHAT)
    return fed[0]


def _unfed(view: View) -> Problem:
    """Why nothing is there to be taken, at the most telling place."""
    for name in view.section("receivers"):
        if kind_of(name) in PROCESS_RECEIVERS:
            if scraper_of(view.section("receivers")[name]):
                return Problem(pointer(("receivers", name)), f"no metrics pipeline receives from {name}", "add one")
            here = pointer(("receivers", name, "scrapers"))
            return Problem(here, f"{name} has no process scraper", "Phoenix compares process metrics: add process: {}")
    fix = "Phoenix compares what becomes of process metrics: give a pipeline fed by hostmetrics"
    return Problem("/service/pipelines", "no metrics pipeline is fed by a hostmetrics receiver", fix)


def _connected(view: View, pipeline: Pipeline) -> Iterator[Problem]:
    for role in ("receivers", "exporters"):
        for position, one in enumerate(getattr(pipeline, role)):
            if view.is_connector(one):
                rule = f"{pipeline.id} is joined to another pipeline by the connector {one}"
                fix = "put the processors of both into one pipeline; what else a connector makes cannot be taken over"
                yield Problem(pipeline.pointer(role, position), rule, fix)


def _undefined(view: View, pipeline: Pipeline) -> Iterator[Problem]:
    processors = view.section("processors")
    for position, one in enumerate(pipeline.processors):
        here = pipeline.pointer("processors", position)
        if one not in processors:
            yield Problem(here, f"processor {one[:80]!r} is not configured", "add it under processors, or remove it")
        elif one in pipeline.processors[:position]:
            yield Problem(here, f"{one} stands twice in the pipeline", "give the second its own id")
        elif not isinstance(processors[one], Mapping | None):
            yield Problem(pointer(("processors", one)), "not a mapping", "a processor's settings are keys and values")


def _scrapers(view: View, pipeline: Pipeline) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Receiver and settings of each process scraper that feeds the pipeline."""
    for name in _fed(view, pipeline):
        found = scraper_of(view.section("receivers")[name])
        yield name, found.settings if found else {}


def _optional(view: View, pipeline: Pipeline) -> tuple[str, ...]:
    """Metrics that its process scraper sends only because the file asks for them."""
    found: set[str] = set()
    for _, settings in _scrapers(view, pipeline):
        found |= {str(name) for name, on in _switches(settings) if on and name not in _SCRAPED}
    return tuple(sorted(found))


def _switches(settings: Mapping[str, Any]) -> Iterator[tuple[str, bool]]:
    metrics = settings.get("metrics")
    for name, body in metrics.items() if isinstance(metrics, Mapping) else ():
        if isinstance(body, Mapping) and isinstance(body.get("enabled"), bool):
            yield str(name), body["enabled"]


def _left_out(view: View, pipeline: Pipeline) -> Iterator[LeftOut]:
    for one in pipeline.processors:
        if why := _brought(view, one):
            yield LeftOut(pointer=pointer(("processors", one)), what=one, why=why)
    yield from _receivers(view, pipeline)
    for one in pipeline.exporters:
        why = "an experiment or a deployment says where its output goes: backend, or --backend"
        yield LeftOut(pointer=pointer(("exporters", one)), what=f"exporter {one}", why=why)
    for other in view.pipelines:
        if other.id != pipeline.id:
            yield LeftOut(
                pointer=pointer(("service", "pipelines", other.id)), what=f"pipeline {other.id}", why="it is not chosen"
            )
    for one in view.extensions():
        yield LeftOut(
            pointer=pointer(("extensions", one)), what=f"extension {one}", why="extensions belong to a collector"
        )
    if view.service.get("telemetry"):
        why = "Phoenix measures its collectors itself"
        yield LeftOut(pointer="/service/telemetry", what="the collector's own telemetry", why=why)


def _receivers(view: View, pipeline: Pipeline) -> Iterator[LeftOut]:
    fed = _fed(view, pipeline)
    for one in pipeline.receivers:
        if one not in fed:
            why = "a pipeline of Phoenix is fed by the process scraper alone"
            yield LeftOut(pointer=pointer(("receivers", one)), what=f"receiver {one}", why=why)
    for one in fed:
        body = view.section("receivers")[one]
        if "collection_interval" in body:
            why = "an experiment or a deployment has its own: interval, or --interval"
            here = pointer(("receivers", one, "collection_interval"))
            yield LeftOut(pointer=here, what=f"the interval of {one}", why=why)
        for other in body["scrapers"]:
            if other != "process":
                here = pointer(("receivers", one, "scrapers", str(other)))
                yield LeftOut(pointer=here, what=f"scraper {other}", why="Phoenix compares process metrics")
    for one, settings in _scrapers(view, pipeline):
        yield from _settings(one, settings)


def _settings(receiver: str, settings: Mapping[str, Any]) -> Iterator[LeftOut]:
    """What the file's own scraper leaves out or adds: both arms get the same full scrape."""
    at = ("receivers", receiver, "scrapers", "process")
    why = "both arms are fed by one full scrape; do the same with a filter or transform processor"
    for name in settings:
        if name not in _UNREAD:
            yield LeftOut(pointer=pointer((*at, str(name))), what=f"{name} of the process scraper", why=why)
    for name, on in _switches(settings):
        if not on and name in _SCRAPED:
            why_off = f'both arms are fed by one full scrape; drop it with a filter: metric.name == "{name}"'
            yield LeftOut(pointer=pointer((*at, "metrics", name)), what=f"{name}, switched off", why=why_off)
