"""Filling a template in: parameters go into the parsed tree as typed values, never into text that is parsed later.

A scalar that is nothing but `@{k}` becomes the value itself. A placeholder inside a longer string stands in an OTTL
statement and becomes that value's literal (`ottl`). `@{k-1}` shifts a whole number, because OTTL takes no arithmetic
on literals in an index. Keys are never filled in. So parameters cannot change the shape of the configuration.

What a pipeline must know of the collector it runs in (its interval) has placeholders of its own, `BUILT_IN`. They are
filled in when the configuration is assembled, in the same single pass: what a user gave is never read for placeholders.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import Field

from chalicelib.domain.errors import InvalidInput
from chalicelib.domain.model import Value
from chalicelib.domain.pipeline import ottl
from chalicelib.domain.pipeline.metadata import ParameterValue, PipelineTemplate
from chalicelib.domain.pipeline.parameters import resolve_parameters

PLACEHOLDER = re.compile(r"@\{([a-z][a-z0-9_]*)(?:([+-])(\d{1,6}))?\}")
_ANY_INTERVAL_S = 60.0
"""Filling in for any interval shows what is wrong with a template, before the real interval is known."""
_FORGET_PROCESS_S = 60
_FORGET_GROUP_S = 900
"""How long the sum of a group outlives its last process, at least; a group is there again with the next process."""


class Fragment(Value):
    """A pipeline's own processors with the values of its parameters, ready for any interval.

    processors: as in the template; parameters: all of them, legal.
    scraper_metrics: optional scraper metrics it needs in its input (and removes from its output).
    """

    pipeline: str
    version: str
    processors: dict[str, dict[str, Any]]
    parameters: dict[str, ParameterValue] = Field(default_factory=dict)
    order: tuple[str, ...]
    scraper_metrics: tuple[str, ...] = ()

    def at(self, interval_s: float) -> dict[str, dict[str, Any]]:
        """The processors, filled in for a collector that scrapes every so many seconds. Raises InvalidInput."""
        values = {**self.parameters, **built_in(interval_s)}
        return {name: _fill(body, values) for name, body in self.processors.items()}


def built_in(interval_s: float) -> dict[str, ParameterValue]:
    """Values of the placeholders that no user gives.

    interval_ns: nanoseconds between scrapes (whole milliseconds, as the receiver is told).
    forget_process, forget_group: how long a counter is remembered after its last point, for a process (five scrapes and
    at least a minute: long enough for a late one, short enough for hosts where processes come and go) and for a group.
    """
    five = math.ceil(5 * interval_s)
    return {
        "interval_ns": round(interval_s * 1000) * 1_000_000,
        "forget_process": f"{max(five, _FORGET_PROCESS_S)}s",
        "forget_group": f"{max(five, _FORGET_GROUP_S)}s",
    }


def render(template: PipelineTemplate, given: Mapping[str, Any]) -> Fragment:
    """The fragment for these parameters (given ones checked, defaults added). Raises InvalidInput."""
    fragment = Fragment(
        pipeline=template.metadata.name,
        version=template.metadata.version,
        processors=template.processors,
        parameters=resolve_parameters(template.metadata, given),
        order=template.order,
        scraper_metrics=template.scraper_metrics,
    )
    fragment.at(_ANY_INTERVAL_S)
    return fragment


def placeholders(tree: Any) -> Iterator[str]:
    """Names of all parameters and built-in values that a template's tree uses."""
    if isinstance(tree, Mapping):
        for value in tree.values():
            yield from placeholders(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from placeholders(value)
    elif isinstance(tree, str):
        yield from (match.group(1) for match in PLACEHOLDER.finditer(tree))


def _fill(tree: Any, values: Mapping[str, ParameterValue]) -> Any:
    if isinstance(tree, Mapping):
        return {key: _fill(value, values) for key, value in tree.items()}
    if isinstance(tree, list):
        return [_fill(value, values) for value in tree]
    if isinstance(tree, str):
        return _fill_text(tree, values)
    return tree


def _fill_text(source: str, values: Mapping[str, ParameterValue]) -> Any:
    if whole := PLACEHOLDER.fullmatch(source):
        return _typed(_value(whole, values))
    return PLACEHOLDER.sub(lambda match: ottl.literal(_value(match, values)), source)


def _value(match: re.Match[str], values: Mapping[str, ParameterValue]) -> ParameterValue:
    name, sign, shift = match.groups()
    if name not in values:
        raise InvalidInput(f"the template uses an undeclared parameter: {name}")
    value = values[name]
    if shift is None:
        return value
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidInput(f"the template shifts {name}, which is not a whole number")
    return value + int(sign + shift)


def _typed(value: ParameterValue) -> Any:
    if isinstance(value, str):
        return ottl.plain(value)
    return [ottl.plain(item) for item in value] if isinstance(value, list) else value
