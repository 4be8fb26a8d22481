"""Strategies for pipelines: legal parameters of any template, and text that tries to break out of its literal."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import strategies as st

from chalicelib.domain.critical import CriticalPattern
from chalicelib.domain.pipeline.metadata import (
    Change,
    Parameter,
    ParameterType,
    PipelineMetadata,
    PipelineTemplate,
)

ATTACKS = (
    '"',
    '\\"',
    '") where true',
    '"]) == nil or true',
    "\\",
    "$",
    "$$",
    "${env:HOME}",
    "$${env:HOME}",
    "$$${file:/etc/passwd}",
    "${",
    "}",
    "@{k}",
    "@{k-1}",
    "\n",
    "\r\n- set(x, 1)",
    "\t",
    "\x00",
    "\x85",
    "\u2028",
    "\ufeff",
    "# no",
    ": ",
    "'",
    "{{.}}",
    "|-",
    "é日本\U0001f525",
    "<script>",
)
PLAIN = st.characters(blacklist_categories=("Cs",))
HOSTILE = (
    st.lists(st.one_of(st.sampled_from(ATTACKS), st.text(PLAIN, max_size=6)), min_size=1, max_size=6)
    .map("".join)
    .filter(bool)
)


def critical_patterns() -> st.SearchStrategy[tuple[CriticalPattern, ...]]:
    """Patterns of all three kinds around hostile text; ids are distinct."""
    text = HOSTILE.map(lambda value: value[:60])
    one = st.one_of(
        text.map(lambda value: {"name": re.escape(value)}),
        text.map(lambda value: {"command_line": re.escape(value)}),
        text.map(lambda value: {"owner": value}),
    )
    return st.lists(one, min_size=1, max_size=5).map(
        lambda items: tuple(CriticalPattern(id=f"p{index}", **item) for index, item in enumerate(items))
    )


def legal(parameter: Parameter) -> st.SearchStrategy[Any]:
    """Any legal value of a parameter."""
    low, high = parameter.minimum or 0, parameter.maximum or 0
    kind = parameter.type
    if kind in (ParameterType.INT, ParameterType.BYTES):
        return st.integers(int(low), int(high))
    if kind in (ParameterType.NUMBER, ParameterType.SHARE):
        return st.floats(low, high, allow_nan=False)
    if kind is ParameterType.BOOL:
        return st.booleans()
    if kind is ParameterType.STRING:
        return HOSTILE.map(lambda value: value[: int(high)])
    pattern = HOSTILE.map(lambda value: re.escape(value[:40]))
    return pattern if kind is ParameterType.REGEX else st.lists(pattern, max_size=3)


def legal_parameters(metadata: PipelineMetadata) -> st.SearchStrategy[dict[str, Any]]:
    """Any legal choice of parameters, some left to their default."""
    every = {parameter.name: legal(parameter) for parameter in metadata.parameters}
    return st.fixed_dictionaries({}, optional=every)


def template_of_every_type() -> PipelineTemplate:
    """A template that uses a parameter of each type, as a whole scalar and inside OTTL."""
    kinds: dict[ParameterType, Any] = {
        ParameterType.INT: 3,
        ParameterType.NUMBER: 0.5,
        ParameterType.BYTES: 64,
        ParameterType.SHARE: 0.1,
        ParameterType.BOOL: True,
        ParameterType.STRING: "plain",
        ParameterType.REGEX: "^a$",
        ParameterType.REGEXES: ["^a$", "b"],
    }
    bounds = {kind: 20 if kind is ParameterType.REGEXES else 400 for kind in kinds}
    bounds[ParameterType.SHARE] = 1
    parameters = tuple(
        Parameter(name=f"p_{kind.value}", type=kind, minimum=0, maximum=bounds[kind], default=default, description="x")
        for kind, default in kinds.items()
    )
    metadata = PipelineMetadata(
        name="every-type",
        version="1.0.0",
        title="t",
        description="d",
        parameters=parameters,
        keeps=("process.cpu.time",),
        backends=("cumulative",),
        names="n",
        changelog=(Change(version="1.0.0", text="First."),),
    )
    statements = [
        'set(resource.attributes["n"], @{p_int}) where resource.attributes["x"] == @{p_number}',
        'set(resource.attributes["b"], @{p_bytes}.0) where resource.attributes["x"] < @{p_share}',
        'set(resource.attributes["t"], @{p_string}) where @{p_bool}',
        'set(resource.attributes["r"], true) where IsMatch(resource.attributes["y"], @{p_regex})',
        'set(resource.attributes["r"], true) where IsMatch(resource.attributes["y"], @{p_regexes})',
        'set(resource.attributes["i"], @{p_int+1})',
    ]
    body = {"error_mode": "propagate", "metric_statements": [{"context": "resource", "statements": statements}]}
    stamp = {"attributes": [{"key": "t", "value": "@{p_string}", "action": "upsert"}]}
    return PipelineTemplate(
        metadata=metadata,
        processors={"transform/all": body, "resource/all": stamp},
        order=("transform/all", "resource/all"),
    )
