"""Collector configurations under test, made by the product's own assembly from the product's own catalog."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bench.instruments.running import CRITICAL_PROCESSES
from chalicelib.adapters.catalog.files import FileCatalog
from chalicelib.domain.critical import CriticalPattern
from chalicelib.domain.experiment.spec import Backend
from chalicelib.domain.measurement import Variant
from chalicelib.domain.pipeline.assembly import assemble
from chalicelib.domain.pipeline.rendering import Fragment, render
from chalicelib.domain.pipeline.request import AssemblyArm, AssemblyRequest, Kpi

CATALOG = Path(__file__).resolve().parents[2] / "catalog"
BASELINE, PRIORITY, TOPK = "process-baseline-v1", "process-priority-filter-v1", "process-topk-v1"
CRITICAL = tuple(
    CriticalPattern.model_validate({"id": f"crit-{n:02d}", "name": f"^phx-crit-{n:02d}$"})
    for n in range(1, CRITICAL_PROCESSES + 1)
)


def fragments(names: tuple[str, ...]) -> dict[str, Fragment]:
    """The catalog's pipelines with their default parameters, by name."""
    catalog = FileCatalog(CATALOG)
    return {name: render(catalog.get(name), {}) for name in names}


def deployment(fragment: Fragment, interval_s: float, backend: str | None, control: str | None) -> dict[str, Any]:
    """One pipeline on one host. backend, control: URLs of what receives metrics, and counts with telemetry; None:
    nothing is exported, nothing is counted."""
    arm = AssemblyArm(variant=Variant.DEPLOYED, fragment=fragment, backend=Backend(otlp=backend) if backend else None)
    return _assembled((arm,), interval_s, control)


def comparison(
    baseline: Fragment, candidate: Fragment, interval_s: float, backends: tuple[str, str], control: str
) -> dict[str, Any]:
    """Two pipelines on the same scrape, as an experiment runs them; each sends to its own URL."""
    pairs = ((Variant.BASELINE, baseline, backends[0]), (Variant.CANDIDATE, candidate, backends[1]))
    arms = tuple(AssemblyArm(variant=v, fragment=f, backend=Backend(otlp=url)) for v, f, url in pairs)
    return _assembled(arms, interval_s, control)


def _assembled(arms: tuple[AssemblyArm, ...], interval_s: float, control: str | None) -> dict[str, Any]:
    kpi = Kpi(endpoint=control, scope="bench", host="bench-host") if control else None
    return assemble(AssemblyRequest(interval_s=interval_s, critical=CRITICAL, arms=arms, kpi=kpi))
