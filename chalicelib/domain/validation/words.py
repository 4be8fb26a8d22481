"""The collector's own words: one statement per complaint, the part of the configuration that each is about, and the
rule it falls under. Its words are passed on, never replaced.

The collector names no lines. It names sections, component ids and keys, from the outside in: `'receivers' error reading
configuration for "otlp"`, `service::pipelines::metrics: references processor "batch"`. Each name that is found below
the place reached so far leads one step further in; where the names end, there the thing is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from chalicelib.domain.validation.components import successor
from chalicelib.domain.validation.findings import Finding
from chalicelib.domain.validation.rules import finding

_BOILERPLATE = re.compile(
    r"failed to get config: |cannot unmarshal the configuration: |decoding failed due to the following error\(s\):"
)
_NAMES = re.compile(
    r"'([^'\n]+)'"  # 'protocols.http'
    r'|"([^"\n]+)"'  # "filter/x"
    r"|((?:[A-Za-z][\w./-]*::)+[A-Za-z][\w./-]*)"  # service::pipelines::metrics
    r"|keys?: ([\w./-]+(?:, [\w./-]+)*)"  # has invalid keys: endpont
)
_STATEMENT = re.compile(
    r"^(?=[a-z]+::|/|'(?:receivers|processors|exporters|connectors|extensions|service\b|otelcol\.))"
)
POINTED = re.compile(r"(/[^:\s][^:]*): ")
"""How a refusal of ours, made before the collector was asked, begins: with its pointer."""
_UNKNOWN = re.compile(r'^\'(\w+)\' unknown type: "([^"]*)" for id: "([^"]*)"')
_DUPLICATE = re.compile(r"^'([\w.]+)' duplicate name \"[^\"]*\" after unmarshaling (\S+)")
_UNDEFINED = re.compile(r'references \w+ "[^"]*" which is not configured')


def refusals(words: str, value: Any) -> list[Finding]:
    """One finding for each statement of the collector about this configuration."""
    return [_refusal(statement, value) for statement in statements(words)]


def _refusal(statement: str, value: Any) -> Finding:
    if pointed := POINTED.match(statement):
        return finding("PHX-V010", pointed.group(1), statement[pointed.end() :])
    pointer = pointer_of(statement, value)
    if unknown := _UNKNOWN.match(statement):
        section, kind, component = unknown.groups()
        return finding("PHX-V006", f"/{section}/{_escaped(component)}", statement, fix=successor(section, kind))
    if duplicate := _DUPLICATE.match(statement):
        pointer = _last_of(duplicate.group(1).split("."), duplicate.group(2), value) or pointer
    rule = "PHX-V005" if _UNDEFINED.search(statement) else "PHX-V010"
    return finding(rule, pointer, statement)


def _last_of(section: Sequence[str], name: str, value: Any) -> str:
    """Pointer to the last key of a section that means this name; "" for none. The collector names any one of them."""
    node = value
    for part in section:
        node = node.get(part) if isinstance(node, Mapping) else None
    keys = [key for key in node if str(key).replace(" ", "") == name] if isinstance(node, Mapping) else []
    return "/" + "/".join([*section, _escaped(str(keys[-1]))]) if keys else ""


def statements(words: str) -> list[str]:
    """The collector's text as one line per thing that it complains about, without the phrases that say nothing."""
    found: list[str] = []
    for raw in words.splitlines():
        line = _BOILERPLATE.sub("", raw).strip().removeprefix("''").strip()
        if not line:
            continue
        if found and not _STATEMENT.match(line):
            found[-1] += " " + line
        else:
            found.append(line)
    return found or [words]


def pointer_of(words: str, value: Any) -> str:
    """JSON pointer to the innermost part of `value` that the words name; "" when they name nothing of it."""
    here, node = "", value
    left_over: list[str] = []
    for name in _names(words):
        step = _below(name, node)
        if step is None:
            left_over.append(name)
        else:
            here, node = here + step[0], step[1]
    for name in reversed(left_over):  # an expression that holds the word, if only one does
        holding = [pointer for pointer, text in _scalars(node) if re.search(rf"\b{re.escape(name)}\b", str(text))]
        if len(holding) == 1:
            return here + holding[0]
    return here


def _names(words: str) -> Iterator[str]:
    for single, double, path, keys in _NAMES.findall(words):
        if path or keys:
            yield from path.split("::") if path else keys.split(", ")
        else:
            yield from _steps(single) if single else (double,)


def _steps(text: str) -> Iterator[str]:
    """'service.pipelines[metrics].receivers' names three things, '[nop]' one."""
    for part in re.split(r"[\[\]]", text):
        if step := part.strip("."):
            yield step


def _below(name: str, node: Any) -> tuple[str, Any] | None:
    """The outermost place under `node` of this name: a key, a dotted path of keys, or a value of a list."""
    level = [("", node)]
    while level:
        for pointer, inner in level:
            if (found := _here(name, inner)) is not None:
                return pointer + found[0], found[1]
        level = [(pointer + step, inner) for pointer, outer in level for step, inner in _children(outer)]
    return None


def _here(name: str, node: Any) -> tuple[str, Any] | None:
    if isinstance(node, dict):
        if name in node:
            return f"/{_escaped(name)}", node[name]
        head, dot, tail = name.partition(".")
        rest = _here(tail, node[head]) if dot and head in node else None
        return (f"/{_escaped(head)}{rest[0]}", rest[1]) if rest else None
    if isinstance(node, list) and name in node:
        return f"/{node.index(name)}", name
    return None


def _children(node: Any) -> list[tuple[str, Any]]:
    if isinstance(node, dict):
        return [(f"/{_escaped(str(key))}", inner) for key, inner in node.items()]
    return [(f"/{index}", inner) for index, inner in enumerate(node)] if isinstance(node, list) else []


def _scalars(node: Any) -> Iterator[tuple[str, Any]]:
    inner = _children(node)
    if not inner:
        yield "", node
    for step, child in inner:
        for pointer, text in _scalars(child):
            yield step + pointer, text


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")
