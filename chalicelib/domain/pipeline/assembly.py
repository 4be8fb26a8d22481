"""The whole collector configuration of a host: one scrape, fanned out to one or two arms, each counted and sent.

source -> (forward) -> arm -> (forward) -> out -> exporter, and beside each arm and the raw stream a counting branch
(collector.md, section 4). Rendering of a pipeline's own processors is `rendering`'s work.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chalicelib.domain.critical import CriticalPattern
from chalicelib.domain.experiment.spec import Backend
from chalicelib.domain.measurement import Variant
from chalicelib.domain.pipeline import kpi as kpi_branch
from chalicelib.domain.pipeline import parts
from chalicelib.domain.pipeline.rendering import Fragment
from chalicelib.domain.pipeline.request import DEFAULT_MEMORY_LIMIT_MIB, AssemblyArm, AssemblyRequest
from chalicelib.domain.pipeline.telemetry import telemetry

RECEIVER = "hostmetrics"
_SOURCE = "metrics/source"


def assemble(request: AssemblyRequest) -> dict[str, Any]:
    """The configuration as a tree, without a marker (`marker.stamp` adds it). Raises InvalidInput."""
    build = _Build(request)
    build.source()
    for arm in request.arms:
        build.arm(arm)
    if request.raw_backend:
        build.raw_out(request.raw_backend)
    if request.kpi:
        build.counting()
    return build.config()


class _Build:
    """Collects components and pipelines while they are decided; lives for one call."""

    def __init__(self, request: AssemblyRequest) -> None:
        self.request = request
        self.processors: dict[str, Any] = {}
        self.connectors: dict[str, Any] = {}
        self.exporters: dict[str, Any] = {}
        self.pipelines: dict[str, Any] = {}

    def config(self) -> dict[str, Any]:
        request = self.request
        return {
            "receivers": {RECEIVER: parts.receiver(request.interval_s, request.scraper_metrics)},
            "processors": self.processors,
            "connectors": self.connectors,
            "exporters": self.exporters,
            "service": {
                "telemetry": telemetry(request.kpi, request.interval_s, request.collectors),
                "pipelines": self.pipelines,
            },
        }

    def source(self) -> None:
        request = self.request
        self.processors["memory_limiter"] = parts.memory_limiter(request.memory_limit_mib)
        order = ["memory_limiter", *self._mark()]
        outputs = [self._forward(arm.variant.value) for arm in request.arms]
        if request.raw_backend:
            outputs.append(self._forward("raw.out"))
        if request.kpi:
            outputs.append(self._forward(f"{request.raw.value}.kpi"))
        self._pipeline(_SOURCE, RECEIVER, order, outputs)

    def arm(self, arm: AssemblyArm) -> None:
        name = arm.variant.value
        order = []
        unwanted = sorted(set(self.request.scraper_metrics) - set(arm.fragment.scraper_metrics))
        if unwanted:
            order.append(self._processor(f"filter/{name}.unasked", parts.drop_metrics(unwanted)))
        filled = arm.fragment.at(self.request.interval_s)
        for processor in arm.fragment.order:
            order.append(self._processor(_own(processor, name), filled[processor]))
        outputs = [self._forward(f"{name}.out")]
        if self.request.kpi:
            outputs.append(self._forward(f"{name}.kpi"))
        self._pipeline(f"metrics/{name}", f"forward/{name}", order, outputs)
        self._out(arm.variant, arm.backend)

    def raw_out(self, backend: Backend) -> None:
        self._out(Variant.RAW, backend)

    def counting(self) -> None:
        request = self.request
        if request.kpi is None:
            return
        self.connectors["count/kpi"] = kpi_branch.count()
        self.processors["groupbyattrs/kpi"] = {}
        for variant in (request.raw, *(arm.variant for arm in request.arms)):
            order = []
            if variant is request.raw and request.scraper_metrics:
                order.append(self._processor("filter/raw.unasked", parts.drop_metrics(request.scraper_metrics)))
            order.append(self._processor(f"transform/{variant.value}.kpi", kpi_branch.transform(variant)))
            order.append("groupbyattrs/kpi")
            self._pipeline(f"metrics/{variant.value}.kpi", f"forward/{variant.value}.kpi", order, ["count/kpi"])
        order = [
            self._processor(kpi_branch.FILTER_PROCESSOR, kpi_branch.only_ours()),
            self._processor(kpi_branch.RESOURCE_PROCESSOR, kpi_branch.resource(request.kpi)),
        ]
        self.exporters[kpi_branch.EXPORTER] = kpi_branch.exporter(request.kpi, request.interval_s)
        self._pipeline("metrics/kpi", "count/kpi", order, [kpi_branch.EXPORTER])

    def _mark(self) -> list[str]:
        return [self._processor("transform/mark", parts.mark(self.request.critical))] if self.request.critical else []

    def _out(self, variant: Variant, backend: Backend | None) -> None:
        name = variant.value
        stamps = [("upsert", "phoenix.variant", name)]
        if self.request.kpi:
            # The scraper names no host; without one, the series of all hosts would fall together in the backend.
            stamps.append(("insert", "host.name", self.request.kpi.host))
        self._processor("transform/strip", parts.strip())
        self._processor(f"resource/{name}", parts.resource(stamps))
        if backend is None:
            target = "nop"
            self.exporters[target] = {}
        else:
            target = f"{parts.exporter_type(backend)}/{name}"
            self.exporters[target] = parts.exporter(backend, self.request.interval_s)
        order = ["transform/strip", f"resource/{name}"]
        self._pipeline(f"metrics/{name}.out", f"forward/{name}.out", order, [target])

    def _forward(self, name: str) -> str:
        self.connectors[f"forward/{name}"] = {}
        return f"forward/{name}"

    def _processor(self, name: str, body: dict[str, Any]) -> str:
        self.processors[name] = body
        return name

    def _pipeline(self, name: str, receiver: str, processors: list[str], exporters: list[str]) -> None:
        self.pipelines[name] = {"receivers": [receiver], "processors": processors, "exporters": exporters}


def _own(processor: str, variant: str) -> str:
    """The processor's id within its arm: "transform/score" -> "transform/candidate.score", "resource" ->
    "resource/candidate._" (no name begins so, and "resource/candidate" is ours). Arms share no processor, so that each
    one's time is its own in the collector's telemetry."""
    kind, _, name = processor.partition("/")
    return f"{kind}/{variant}.{name or '_'}"


def standalone(
    fragment: Fragment,
    critical: Sequence[CriticalPattern],
    interval_s: float,
    backend: Backend | None = None,
    memory_limit_mib: int = DEFAULT_MEMORY_LIMIT_MIB,
) -> dict[str, Any]:
    """A configuration that a stock collector runs as it is, without any part of Phoenix: scrape, mark, the pipeline,
    and a backend or, without one, the debug exporter."""
    processors: dict[str, Any] = {"memory_limiter": parts.memory_limiter(memory_limit_mib)}
    if critical:
        processors["transform/mark"] = parts.mark(critical)
    filled = fragment.at(interval_s)
    processors.update({name: filled[name] for name in fragment.order})
    if critical or fragment.order:
        processors["transform/strip"] = parts.strip()
    name = parts.exporter_type(backend) if backend else "debug"
    body = parts.exporter(backend, interval_s) if backend else {"verbosity": "basic"}
    return {
        "receivers": {RECEIVER: parts.receiver(interval_s, fragment.scraper_metrics)},
        "processors": processors,
        "exporters": {name: body},
        "service": {
            "pipelines": {"metrics": {"receivers": [RECEIVER], "processors": list(processors), "exporters": [name]}}
        },
    }
