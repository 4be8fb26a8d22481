"""What a tenant's own pipeline must keep to, so that it can be filled in as safely as one of the catalog, run beside
another in one collector, and stored. What the collector thinks of it is validation's business.

Pointers are relative to the pipeline's spec ("/processors/filter~1small/metric_conditions/0").
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from chalicelib.domain.errors import InvalidInput, Problem
from chalicelib.domain.pipeline.instrument import secrets_in_clear_text, too_deep
from chalicelib.domain.pipeline.masking import MAX_DEPTH
from chalicelib.domain.pipeline.metadata import PROCESSOR_ID, ParameterType
from chalicelib.domain.pipeline.own import MAX_BYTES, PipelineSpec
from chalicelib.domain.pipeline.own_placeholders import placeholder_problems
from chalicelib.domain.pipeline.parameters import check_value
from chalicelib.domain.pipeline.references import Path, find_references, pointer
from chalicelib.domain.pipeline.rendering import placeholders

LEFT_TO_PHOENIX = {
    "memory_limiter": "Phoenix puts one before both arms of an experiment, so that memory decides nothing",
    "batch": "Phoenix gathers a scrape in the exporter's queue; a batch processor would cut scrapes apart",
}
_TAKEN = {"transform/mark", "transform/strip", "transform/kpi", "filter/unasked"}
"""Ids that Phoenix's own processors have in the same configuration."""
_SCRAPER_METRIC = re.compile(r"process\.[a-z_.]{1,60}")
MAX_PATTERNS = 50
MAX_PARAMETER_TEXT = 1000


def check_spec(spec: PipelineSpec) -> list[Problem]:
    """Everything that keeps it from being a pipeline; empty when nothing does."""
    if problem := _too_large(spec.processors):
        return [problem]
    found = [
        *_scalars(spec.processors, ("processors",)),
        *_ids(spec),
        *_scraper_metrics(spec),
        *_outside(spec),
        *_parameters(spec),
        *placeholder_problems(spec),
    ]
    if not found and (size := len(spec.canonical())) > MAX_BYTES:
        found.append(
            Problem("", f"{size // 1024} KiB as JSON", f"at most {MAX_BYTES // 1024} KiB can be kept: shorten it")
        )
    return found


def refuse(problems: list[Problem], what: str) -> None:
    """Raises InvalidInput with these problems, if there are any."""
    if problems:
        first = problems[0]
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise InvalidInput(f"{what}: {first.rule}{more}", problems=tuple(problems[:20]), hint=first.fix)


def _too_large(tree: Any) -> Problem | None:
    """Whether it is over the limits, decided before anything unfolds what a few YAML aliases can multiply."""
    left = MAX_BYTES
    level = [tree]
    while level:
        node = level.pop()
        left -= len(node) + 2 if isinstance(node, str) else 4
        if left < 0:
            return Problem("/processors", f"over {MAX_BYTES // 1024} KiB", "shorten it, or split it into two pipelines")
        if isinstance(node, Mapping):
            level += [*node.keys(), *node.values()]
        elif isinstance(node, (list, tuple)):
            level += node
    if too_deep(tree):
        return Problem("/processors", f"nested deeper than {MAX_DEPTH} levels", "a processor's settings are flat")
    return None


def _scalars(tree: Any, path: Path) -> Iterator[Problem]:
    """Values that have no place in a configuration, or none in what is stored of it."""
    if isinstance(tree, Mapping):
        for key, value in tree.items():
            yield from _key(key, path)
            yield from _scalars(value, (*path, str(key)))
    elif isinstance(tree, (list, tuple)):
        for index, value in enumerate(tree):
            yield from _scalars(value, (*path, index))
    elif isinstance(tree, str):
        if any("\ud800" <= char <= "\udfff" for char in tree):
            yield Problem(pointer(path), "a lone surrogate, which no encoding can carry", "remove it")
    elif isinstance(tree, float) and not math.isfinite(tree):
        yield Problem(pointer(path), f"{tree} is not a finite number", "write a number")
    elif not (tree is None or isinstance(tree, (bool, int, float))):
        yield Problem(pointer(path), f"a {type(tree).__name__} has no place in a configuration", "write it as text")


def _key(key: Any, path: Path) -> Iterator[Problem]:
    if not isinstance(key, str):
        yield Problem(pointer(path), f"{key!r} is not a text and cannot be a key", "quote it")
    elif "@{" in key:
        yield Problem(pointer(path), f"{key[:60]!r}: keys are never filled in", "use the parameter in a value")
    elif any("\ud800" <= char <= "\udfff" for char in key):
        yield Problem(pointer(path), "a key with a lone surrogate, which no encoding can carry", "remove it")


def _ids(spec: PipelineSpec) -> Iterator[Problem]:
    for name in spec.processors:
        kind = name.partition("/")[0]
        here = pointer(("processors", name))
        if kind in LEFT_TO_PHOENIX:
            yield Problem(here, f"{kind} is left to Phoenix", f"remove it: {LEFT_TO_PHOENIX[kind]}")
        elif not re.fullmatch(PROCESSOR_ID, name):
            yield Problem(
                here, f"{name[:80]!r} is no id that Phoenix takes", "a type, or type/name of A-Z a-z 0-9 _ . -"
            )
        elif name in _TAKEN:
            yield Problem(here, f"Phoenix has a processor {name} of its own", f"give yours another name: {kind}/own")
    for position, name in enumerate(spec.order):
        if name not in spec.processors:
            yield Problem(
                pointer(("order", position)), f"no processor {name[:80]!r} is given", "add it, or remove it here"
            )
        elif name in spec.order[:position]:
            yield Problem(
                pointer(("order", position)), f"{name} stands twice in the order", "give the second its own id"
            )
    for name in spec.processors:
        if name not in spec.order:
            yield Problem(pointer(("processors", name)), f"{name} is not in the order", "add it to order, or remove it")


def _scraper_metrics(spec: PipelineSpec) -> Iterator[Problem]:
    for position, metric in enumerate(spec.scraper_metrics):
        here = pointer(("scraperMetrics", position))
        if not _SCRAPER_METRIC.fullmatch(metric):
            yield Problem(here, f"{metric[:80]!r} is no metric of the process scraper", "such as process.threads")
        elif metric in spec.scraper_metrics[:position]:
            yield Problem(here, f"{metric} stands there twice", "remove one")


def _outside(spec: PipelineSpec) -> Iterator[Problem]:
    """A pipeline must mean the same on every host, and is shown to everybody who may look."""
    for path, inner in find_references(spec.processors):
        yield Problem(
            "/processors" + pointer(path),
            f"${{{inner[:60]}}} reads the environment or a file",
            "a pipeline means the same on every host: write the value out, or make it a parameter: @{name}",
        )
    for problem in secrets_in_clear_text(spec.processors):
        yield Problem("/processors" + problem.pointer, problem.rule, "secrets have no place in a pipeline")


def _parameters(spec: PipelineSpec) -> Iterator[Problem]:
    used = set(placeholders(spec.processors))
    seen: set[str] = set()
    for position, parameter in enumerate(spec.parameters):
        here = pointer(("parameters", position))
        if parameter.name in seen:
            yield Problem(f"{here}/name", f"parameter {parameter.name} is declared twice", "remove one")
        seen.add(parameter.name)
        if parameter.name not in used:
            fix = f"use it as @{{{parameter.name}}}, or remove it"
            yield Problem(f"{here}/name", f"parameter {parameter.name} is used in no processor", fix)
        if max(len(parameter.description), len(parameter.unit)) > MAX_PARAMETER_TEXT:
            yield Problem(here, f"a text of over {MAX_PARAMETER_TEXT} characters", "shorten it")
        if parameter.type is ParameterType.REGEXES and (parameter.maximum or 0) > MAX_PATTERNS:
            yield Problem(f"{here}/maximum", f"more than {MAX_PATTERNS} patterns", f"at most {MAX_PATTERNS}")
        try:
            check_value(parameter, parameter.default)
        except ValueError as error:
            yield Problem(f"{here}/default", f"the default is not legal: {error}", "choose one inside the bounds")
