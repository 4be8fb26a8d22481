"""Where a placeholder may stand in a tenant's own template, so that no value of its parameter ever changes what the
template says. Rendering makes every value one literal (`rendering`, `ottl`); here is refused what would undo that.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from chalicelib.domain.errors import Problem
from chalicelib.domain.pipeline.metadata import BUILT_IN, Parameter, ParameterType
from chalicelib.domain.pipeline.own import PipelineSpec
from chalicelib.domain.pipeline.parameters import MAX_TEXT
from chalicelib.domain.pipeline.references import Path, pointer
from chalicelib.domain.pipeline.rendering import PLACEHOLDER

_TEXT = (ParameterType.STRING, ParameterType.REGEX, ParameterType.REGEXES)
_STATEMENTS = re.compile(
    r"^(?:statements|conditions|\w+_(?:statements|conditions?)|metric|datapoint|resource|scope|span|spanevent"
    r"|log_record|profile)$"
)
"""Keys below which a whole text is a statement of the transformation language."""
_GLUED = re.compile(r"^[\w.]@|\}(?:\w|@\{)")
"""A placeholder with its neighbours, where its value would become part of a name or of another value; "@{k}.0" is
fine: a whole number as a number with a point."""
MAX_PLACEHOLDERS = 500
MAX_FILLED = 16 * 1024 * 1024
"""Characters that parameters may add at most: what they could grow to is bounded before anything is filled in."""
_ESCAPE = 10
"""Characters of the longest escape in a literal."""


def placeholder_problems(spec: PipelineSpec) -> Iterator[Problem]:
    """Where a placeholder cannot stand, and when all of them could grow too much. Pointers into the spec."""
    known = {parameter.name: parameter for parameter in spec.parameters}
    grown = count = 0
    for path, text in _texts(spec.processors, ("processors",)):
        for match in PLACEHOLDER.finditer(text):
            count += 1
            parameter = known.get(match.group(1))
            grown += _longest(parameter) if parameter else 0
            if problem := _misplaced(match, parameter, path, text):
                yield problem
        if "@{" in PLACEHOLDER.sub("", text):
            yield Problem(pointer(path), "@{ begins a placeholder, but none follows", "such as @{name}, or @{k-1}")
    if count > MAX_PLACEHOLDERS or grown > MAX_FILLED:
        rule = f"{count} placeholders could grow to {grown} characters"
        yield Problem("/processors", rule, f"at most {MAX_PLACEHOLDERS}, and {MAX_FILLED} characters; lower a maximum")


def _misplaced(match: re.Match[str], parameter: Parameter | None, path: Path, text: str) -> Problem | None:
    """Why a placeholder cannot stand where it does. Text becomes a literal of its own, quotes included: inside other
    quotes it would end them, and as a whole statement it would be one."""
    name, _, shift = match.groups()
    here = pointer(path)
    if parameter is None and name not in BUILT_IN:
        return Problem(here, f"@{{{name}}} is not declared", "declare it under parameters")
    if shift is not None and (parameter is None or parameter.type not in (ParameterType.INT, ParameterType.BYTES)):
        return Problem(here, f"@{{{name}}} is shifted, but is no whole number", "make it a parameter of type int")
    whole = match.group() == text
    if not whole and _inside_quotes(text[: match.start()]):
        rule = f"@{{{name}}} stands inside quotes, which it would end"
        return Problem(here, rule, "it becomes a whole literal, quotes included: write it without quotes around it")
    if not whole and _is_statement(path) and _GLUED.search(text[max(match.start() - 1, 0) : match.end() + 2]):
        return Problem(here, f"@{{{name}}} is joined to a word or another value", "put a space or an operator between")
    if whole and parameter is not None and parameter.type in _TEXT and _is_statement(path):
        rule = f"@{{{name}}} would be a whole statement: whoever sets the parameter could write any"
        return Problem(here, rule, "write the statement and use the parameter as a value in it")
    return None


def _inside_quotes(before: str) -> bool:
    """Whether a statement is inside a string literal after this beginning."""
    inside, index = False, 0
    while index < len(before):
        if inside and before[index] == "\\":
            index += 1
        elif before[index] == '"':
            inside = not inside
        index += 1
    return inside


def _is_statement(path: Path) -> bool:
    return any(isinstance(step, str) and _STATEMENTS.match(step) for step in path[2:])


def _longest(parameter: Parameter) -> int:
    """Characters of the longest literal that the parameter can become."""
    if parameter.type is ParameterType.REGEXES:
        return int(parameter.maximum or 0) * (_ESCAPE * MAX_TEXT + 5)
    return _ESCAPE * min(int(parameter.maximum or 0), MAX_TEXT) if parameter.type in _TEXT else 30


def _texts(tree: Any, path: Path) -> Iterator[tuple[Path, str]]:
    """Every text that is filled in. Keys are none: a placeholder in a key is refused as what it is, a key."""
    if isinstance(tree, Mapping):
        for key, value in tree.items():
            yield from _texts(value, (*path, str(key)))
    elif isinstance(tree, (list, tuple)):
        for index, value in enumerate(tree):
            yield from _texts(value, (*path, index))
    elif isinstance(tree, str):
        yield path, tree
