"""A configuration as the rules see it: sections, pipelines and who uses what, whatever shape the tree has.

Nothing is judged here but the shape; a part that is not what it should be is left out of the view.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from chalicelib.domain.pipeline.references import pointer
from chalicelib.domain.validation.components import kind_of
from chalicelib.domain.validation.findings import Finding
from chalicelib.domain.validation.rules import finding

SECTIONS = ("receivers", "processors", "exporters", "connectors", "extensions")
ROLES = ("receivers", "processors", "exporters")


@dataclass(frozen=True)
class Pipeline:
    """One pipeline: ids of its components, in order."""

    id: str
    receivers: tuple[str, ...]
    processors: tuple[str, ...]
    exporters: tuple[str, ...]

    @property
    def signal(self) -> str:
        """metrics, logs, traces."""
        return kind_of(self.id)

    def pointer(self, role: str, index: int | None = None) -> str:
        """JSON pointer to one of its lists, or to an item of it."""
        path = ("service", "pipelines", self.id, role)
        return pointer(path if index is None else (*path, index))


class View:
    """A tree, whatever it holds."""

    def __init__(self, tree: Any) -> None:
        self.tree: Mapping[str, Any] = tree if isinstance(tree, Mapping) else {}
        service = self.tree.get("service")
        self.service: Mapping[str, Any] = service if isinstance(service, Mapping) else {}
        self.pipelines = tuple(self._pipelines())

    def section(self, name: str) -> Mapping[str, Any]:
        """Components of one section by id; empty when there is none."""
        found = self.tree.get(name)
        return found if isinstance(found, Mapping) else {}

    def extensions(self) -> tuple[str, ...]:
        """Extensions that the service starts."""
        return _ids(self.service.get("extensions"))

    def is_connector(self, component: str) -> bool:
        """Whether an id that a pipeline receives from or exports to is a connector."""
        return component in self.section("connectors")

    def used(self) -> set[tuple[str, str]]:
        """(section, id) of everything that is used; a connector counts when any pipeline names it."""
        found = {("extensions", one) for one in self.extensions()}
        for pipeline in self.pipelines:
            for role in ROLES:
                for one in getattr(pipeline, role):
                    found.add(("connectors" if role != "processors" and self.is_connector(one) else role, one))
        return found

    def _pipelines(self) -> Iterator[Pipeline]:
        pipelines = self.service.get("pipelines")
        for name, body in pipelines.items() if isinstance(pipelines, Mapping) else ():
            if isinstance(body, Mapping):
                yield Pipeline(str(name), *(_ids(body.get(role)) for role in ROLES))


def _ids(value: Any) -> tuple[str, ...]:
    return tuple(one for one in value if isinstance(one, str)) if isinstance(value, (list, tuple)) else ()


def shape(tree: Any) -> list[Finding]:
    """What about the form of the tree keeps the collector from reading it (PHX-V003)."""
    if not isinstance(tree, Mapping):
        return [finding("PHX-V003", "", f"the document is {_what(tree)}, not a mapping")]
    found = [
        finding("PHX-V003", pointer((name,)), f"unknown section {name!r}")
        for name in map(str, tree)
        if name not in (*SECTIONS, "service")
    ]
    found += [
        finding("PHX-V003", pointer((name,)), f"{name} is {_what(tree[name])}, not a mapping")
        for name in (*SECTIONS, "service")
        if tree.get(name) is not None and not isinstance(tree[name], Mapping)
    ]
    for name in ("receivers", "exporters"):
        if not tree.get(name) and not tree.get("connectors"):
            found.append(finding("PHX-V003", pointer((name,)), f"no {name} are configured"))
    return [*found, *_service(tree.get("service"))]


def _service(service: Any) -> Iterator[Finding]:
    if service is None:
        yield finding("PHX-V003", "/service", "no service is configured")
    if not isinstance(service, Mapping):
        return
    pipelines = service.get("pipelines")
    if not isinstance(pipelines, Mapping) or not pipelines:
        yield finding(
            "PHX-V003", "/service/pipelines", f"service.pipelines is {_what(pipelines)}, not a mapping of some"
        )
        return
    for name, body in pipelines.items():
        path = ("service", "pipelines", str(name))
        if not isinstance(body, Mapping):
            yield finding("PHX-V003", pointer(path), f"pipeline {name} is {_what(body)}, not a mapping")
            continue
        for role in ROLES:
            ids = body.get(role)
            if ids is not None and not (isinstance(ids, list) and all(isinstance(one, str) for one in ids)):
                yield finding("PHX-V003", pointer((*path, role)), f"{role} of {name} is not a list of component ids")


def _what(value: Any) -> str:
    if value is None:
        return "empty"
    if isinstance(value, (list, tuple)):
        return "a list"
    return "an empty mapping" if isinstance(value, Mapping) else "a mapping" if isinstance(value, dict) else "a scalar"
