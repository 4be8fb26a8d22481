"""Rules that are decided by reading the configuration. What can only be known by running it is in `judging`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from chalicelib.domain.errors import Problem
from chalicelib.domain.pipeline.instrument import secrets_in_clear_text, uses_host_token
from chalicelib.domain.pipeline.references import pointer, reference_problems
from chalicelib.domain.validation.components import REPLACED, kind_of
from chalicelib.domain.validation.findings import Finding
from chalicelib.domain.validation.rules import finding
from chalicelib.domain.validation.view import ROLES, SECTIONS, Pipeline, View

_ADDRESS = re.compile(r"(?:^|_)(?:endpoint|url|address|addr|host|hosts|brokers|servers|target)s?$")
_LOOPBACK = re.compile(r"localhost|127(?:\.\d{1,3}){3}|::1|0\.0\.0\.0|::", re.IGNORECASE)
_MODES = ("ignore", "silent")
_STATEMENT_KINDS = ("filter", "transform")


def outside(tree: Any) -> list[Finding]:
    """References to anything but the environment. Nothing with one of these is ever given to a collector of ours."""
    return [_as("PHX-V004", problem) for problem in reference_problems(tree)]


def by_reading(view: View) -> list[Finding]:
    """Every finding that reading the configuration gives."""
    return [
        *(_as("PHX-V101", problem) for problem in secrets_in_clear_text(view.tree)),
        *(_as("PHX-V102", problem) for problem in uses_host_token(view.tree)),
        *_undefined(view),
        *_names(view),
        *_unused(view),
        *(found for pipeline in view.pipelines for found in _order(view, pipeline)),
        *_loopback(view),
        *_error_modes(view),
    ]


def _as(rule: str, problem: Problem) -> Finding:
    return finding(rule, problem.pointer, problem.rule)


def _undefined(view: View) -> Iterator[Finding]:
    for pipeline in view.pipelines:
        for role in ROLES:
            for index, one in enumerate(getattr(pipeline, role)):
                if one not in view.section(role) and not (role != "processors" and view.is_connector(one)):
                    text = f'pipeline {pipeline.id} references {role.removesuffix("s")} "{one}" which is not configured'
                    yield finding("PHX-V005", pipeline.pointer(role, index), text, fix=_where(view, one, role))
    for index, one in enumerate(view.extensions()):
        if one not in view.section("extensions"):
            text = f'the service references extension "{one}" which is not configured'
            yield finding("PHX-V005", pointer(("service", "extensions", index)), text)


def _where(view: View, component: str, role: str) -> str:
    """A better fix when the id is configured in another section, or nearly so in this one."""
    elsewhere = [section for section in SECTIONS if component in view.section(section)]
    if elsewhere:
        return f"{component} is configured under {elsewhere[0]}; use it there, or configure one under {role}"
    alike = [one for one in view.section(role) if isinstance(one, str) and kind_of(one) == kind_of(component)]
    return f"configured are: {', '.join(alike[:5])}" if alike else ""


def _names(view: View) -> Iterator[Finding]:
    for section in SECTIONS:
        for one in map(str, view.section(section)):
            if replacement := REPLACED.get((section, kind_of(one))):
                text = f"{kind_of(one)} is deprecated or removed"
                yield finding("PHX-V110", pointer((section, one)), text, fix=f"Use {replacement}.")


def _unused(view: View) -> Iterator[Finding]:
    used = view.used()
    for section in SECTIONS:
        for one in map(str, view.section(section)):
            if (section, one) not in used:
                text = f"{section.removesuffix('s')} {one} is configured, but nothing uses it"
                yield finding("PHX-V111", pointer((section, one)), text)


def _order(view: View, pipeline: Pipeline) -> Iterator[Finding]:
    kinds = [kind_of(one) for one in pipeline.processors]
    takes_in = any(not view.is_connector(one) for one in pipeline.receivers)
    if "memory_limiter" not in kinds:
        if takes_in:
            text = f"pipeline {pipeline.id} has no memory_limiter"
            yield finding("PHX-V120", pipeline.pointer("processors"), text)
    elif kinds[0] != "memory_limiter":
        place = kinds.index("memory_limiter")
        text = f"memory_limiter is processor {place + 1} of pipeline {pipeline.id}, after {pipeline.processors[0]}"
        yield finding("PHX-V121", pipeline.pointer("processors", place), text)
    if "batch" in kinds and kinds[-1] != "batch":
        place = len(kinds) - 1 - kinds[::-1].index("batch")
        text = f"{pipeline.processors[place]} stands before {pipeline.processors[place + 1]} in pipeline {pipeline.id}"
        yield finding("PHX-V122", pipeline.pointer("processors", place), text)


def _loopback(view: View) -> Iterator[Finding]:
    for name, body in view.section("exporters").items():
        for path, text in _addresses(body, ("exporters", str(name))):
            if host := _loopback_host(text):
                yield finding("PHX-V160", pointer(path), f"exporter {name} sends to {host}")


def _addresses(
    tree: Any, path: tuple[str | int, ...], named: bool = False
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if isinstance(tree, Mapping):
        for key, value in tree.items():
            yield from _addresses(value, (*path, str(key)), bool(_ADDRESS.search(str(key))))
    elif isinstance(tree, (list, tuple)):
        for index, value in enumerate(tree):
            yield from _addresses(value, (*path, index), named)
    elif isinstance(tree, str) and named:
        yield path, tree


def _loopback_host(text: str) -> str:
    """The host of an address, with or without scheme and port, when it is this machine; "" otherwise."""
    try:
        host = urlsplit(text if "://" in text else f"//{text}").hostname or ""
    except ValueError:
        return ""
    return host if _LOOPBACK.fullmatch(host) else ""


def _error_modes(view: View) -> Iterator[Finding]:
    used = view.used()
    for name, body in view.section("processors").items():
        kind = kind_of(str(name))
        if kind not in _STATEMENT_KINDS or ("processors", name) not in used:
            continue
        mode = body.get("error_mode") if isinstance(body, Mapping) else None
        if mode is None:
            text = f"{name} sets no error_mode, and {kind}'s default is ignore (collector 0.155)"
            yield finding("PHX-V161", pointer(("processors", str(name))), text)
        elif mode in _MODES:
            yield finding("PHX-V161", pointer(("processors", str(name), "error_mode")), f"{name} has error_mode {mode}")
