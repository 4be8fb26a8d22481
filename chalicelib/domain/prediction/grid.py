"""Which parameters of a pipeline are tried: few, derived from what its metadata says, always the same ones.

A number is tried at its default, at half of it and at twice it, within its bounds (a default of 0 has no such
neighbours); a truth both ways; texts and patterns at their default, as they say what a user wants. All combinations
where these are at most twelve, else one parameter at a time.
"""

from __future__ import annotations

from itertools import product

from chalicelib.domain.pipeline.metadata import Parameter, ParameterType, ParameterValue, PipelineMetadata

MAX_COMBINATIONS = 12
_NUMERIC = (ParameterType.INT, ParameterType.NUMBER, ParameterType.BYTES, ParameterType.SHARE)
_WHOLE = (ParameterType.INT, ParameterType.BYTES)
Parameters = dict[str, ParameterValue]


def grid(metadata: PipelineMetadata) -> list[Parameters]:
    """Parameters to try, the defaults first ({}); only what differs from a default is named."""
    choices = {parameter.name: values(parameter) for parameter in metadata.parameters}
    number = 1
    for found in choices.values():
        number *= len(found)
    if number <= MAX_COMBINATIONS:
        combined = [dict(zip(choices, one, strict=True)) for one in product(*choices.values())]
    else:
        combined = [{}, *({name: value} for name, found in choices.items() for value in found[1:])]
    defaults = {parameter.name: parameter.default for parameter in metadata.parameters}
    return [{name: value for name, value in one.items() if value != defaults[name]} for one in combined]


def values(parameter: Parameter) -> list[ParameterValue]:
    """What one parameter is tried at, its default first."""
    default = parameter.default
    if parameter.type is ParameterType.BOOL:
        return [default, not default]
    if parameter.type not in _NUMERIC or isinstance(default, (bool, str, list)):
        return [default]
    found: list[ParameterValue] = [default]
    for factor in (0.5, 2.0):
        near = _within(parameter, default * factor)
        if near not in found:
            found.append(near)
    return found


def _within(parameter: Parameter, value: float) -> float | int:
    low = parameter.minimum if parameter.minimum is not None else value
    high = parameter.maximum if parameter.maximum is not None else value
    near = min(max(value, low), high)
    return round(near) if parameter.type in _WHOLE else near
