"""Turning what a user gave for a pipeline's parameters into legal, complete values; all problems come at once."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Mapping
from typing import Any

from chalicelib.domain.critical import check_regex
from chalicelib.domain.errors import InvalidInput, Problem
from chalicelib.domain.pipeline.metadata import Parameter, ParameterType, ParameterValue, PipelineMetadata
from chalicelib.domain.units import parse_bytes, parse_ratio

MAX_TEXT = 1000
"""Longest text in any parameter, whatever its own maximum says."""


def resolve_parameters(metadata: PipelineMetadata, given: Mapping[str, Any]) -> dict[str, ParameterValue]:
    """Every parameter of the pipeline with its value: the given one, checked and in its unit, or the default.

    Raises InvalidInput with one problem per wrong or unknown parameter, pointers relative to the pipeline reference
    ("/parameters/k").
    """
    problems: list[Problem] = []
    values: dict[str, ParameterValue] = {}
    known = [parameter.name for parameter in metadata.parameters]
    for name in sorted(set(given) - set(known), key=str):
        problems.append(_unknown(metadata, str(name), known))
    for parameter in metadata.parameters:
        try:
            values[parameter.name] = check_value(parameter, given.get(parameter.name, parameter.default))
        except ValueError as error:
            problems.append(Problem(f"/parameters/{parameter.name}", str(error), describe(metadata, parameter)))
    if problems:
        count = f"{len(problems)} parameters are" if len(problems) > 1 else "a parameter is"
        raise InvalidInput(f"{metadata.name}: {count} wrong", problems=tuple(problems))
    return values


def check_value(parameter: Parameter, value: Any) -> ParameterValue:
    """The value in the parameter's type and unit. ValueError says which rule it breaks."""
    return _CHECKS[parameter.type](parameter, value)


def describe(metadata: PipelineMetadata, parameter: Parameter) -> str:
    """One line that says what would be right and where to look."""
    look = f"; see: phoenix pipeline show {metadata.name}"
    unit = f" {parameter.unit}" if parameter.unit else ""
    if parameter.type is ParameterType.BOOL:
        return f"{metadata.name} takes {parameter.name} as true or false{look}"
    low, high = _show(parameter.minimum), _show(parameter.maximum)
    if parameter.type in _NUMERIC:
        span = f"from {low} to {high}" if low else f"up to {high}"
        return f"{metadata.name} takes {parameter.name} {span}{unit}{look}"
    if parameter.type is ParameterType.REGEXES:
        return f"{metadata.name} takes {parameter.name} as a list of at most {high} RE2 patterns{look}"
    kind = "an RE2 pattern" if parameter.type is ParameterType.REGEX else "text"
    return f"{metadata.name} takes {parameter.name} as {kind} of at most {high} characters{look}"


def _unknown(metadata: PipelineMetadata, name: str, known: list[str]) -> Problem:
    shown = name[:64]
    near = difflib.get_close_matches(name, known, n=1)
    meant = f"did you mean {near[0]}? " if near else ""
    has = f"{metadata.name} has {', '.join(known)}" if known else f"{metadata.name} has no parameters"
    pointer = shown.replace("~", "~0").replace("/", "~1")
    return Problem(
        f"/parameters/{pointer}",
        f"{metadata.name} has no parameter {shown!r}",
        f"{meant}{has}; see: phoenix pipeline show {metadata.name}",
    )


def _show(bound: float | None) -> str:
    if bound is None:
        return ""
    return str(int(bound)) if float(bound).is_integer() else repr(bound)


def _bounded(parameter: Parameter, value: float) -> None:
    if not math.isfinite(value):
        raise ValueError(f"{value} is not a finite number")
    if parameter.minimum is not None and value < parameter.minimum:
        raise ValueError(f"{_show(value)} is below the minimum {_show(parameter.minimum)}")
    if parameter.maximum is not None and value > parameter.maximum:
        raise ValueError(f"{_show(value)} is above the maximum {_show(parameter.maximum)}")


def _shown(value: Any) -> str:
    return repr(value)[:80]


def _number(parameter: Parameter, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"{_shown(value)} is not a number")
    # Compared before the conversion: an int beyond float's range would overflow.
    if isinstance(value, int) and abs(value) > 2**63:
        raise ValueError(f"{_shown(value)} is not a number of at most 64 bits")
    _bounded(parameter, value)
    return float(value)


def _int(parameter: Parameter, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value // 1:
        raise ValueError(f"{_shown(value)} is not a whole number")
    return int(_number(parameter, value))


def _bytes(parameter: Parameter, value: Any) -> int:
    return _int(parameter, parse_bytes(value))


def _share(parameter: Parameter, value: Any) -> float:
    return _number(parameter, parse_ratio(value))


def _bool(parameter: Parameter, value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{_shown(value)} is not true or false")
    return value


def _string(parameter: Parameter, value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{_shown(value)} is not text")
    longest = min(int(parameter.maximum or MAX_TEXT), MAX_TEXT)
    if len(value) > longest:
        raise ValueError(f"{len(value)} characters are above the maximum {longest}")
    if any("\ud800" <= char <= "\udfff" for char in value):
        raise ValueError("the text has a lone surrogate, which no encoding can carry")
    return value


def _regex(parameter: Parameter, value: Any) -> str:
    return check_regex(_string(parameter, value))


def _regexes(parameter: Parameter, value: Any) -> list[str]:
    if not isinstance(value, (list, tuple)):
        raise ValueError(f"{_shown(value)} is not a list of patterns")
    most = int(parameter.maximum or 0)
    if len(value) > most:
        raise ValueError(f"{len(value)} patterns are above the maximum {most}")
    text = parameter.model_copy(update={"type": ParameterType.REGEX, "maximum": float(MAX_TEXT)})
    return [_regex(text, item) for item in value]


_NUMERIC = (ParameterType.INT, ParameterType.NUMBER, ParameterType.BYTES, ParameterType.SHARE)
_CHECKS: dict[ParameterType, Callable[[Parameter, Any], ParameterValue]] = {
    ParameterType.INT: _int,
    ParameterType.NUMBER: _number,
    ParameterType.BYTES: _bytes,
    ParameterType.SHARE: _share,
    ParameterType.BOOL: _bool,
    ParameterType.STRING: _string,
    ParameterType.REGEX: _regex,
    ParameterType.REGEXES: _regexes,
}
