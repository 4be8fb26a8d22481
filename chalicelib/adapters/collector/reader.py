"""Reading a configuration's YAML with the place of every part, as the collector's own reader (YAML 1.2's core) would.

Texts are strangers': size, depth and what aliases multiply are bounded before anything walks the result.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

from chalicelib.domain.pipeline.masking import MAX_DEPTH
from chalicelib.domain.validation.findings import Fault, Position, Source

MAX_TEXT = 256 * 1024
"""Characters; a configuration of a thousand lines has about 40 000."""
MAX_PARTS = 50_000
"""Scalars, lists and mappings, with every alias written out."""


class _Loader(yaml.SafeLoader):
    """Reads scalars as the collector does: only true and false are booleans, a date is text."""


_TAG = "tag:yaml.org,2002:"
_BOOLEAN = re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$")
_Loader.yaml_implicit_resolvers = {
    first: [(tag, test) for tag, test in pairs if tag not in (f"{_TAG}bool", f"{_TAG}timestamp")]
    for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(f"{_TAG}bool", _BOOLEAN, list("tTfF"))
_Loader.yaml_constructors = {
    tag: construct
    for tag, construct in yaml.SafeLoader.yaml_constructors.items()
    if tag not in {_TAG + kind for kind in ("binary", "timestamp", "set", "omap", "pairs")}
}


class YamlReader:
    """Implements ports.collector.ConfigReader."""

    def read(self, text: str) -> Source:
        """See ConfigReader."""
        if len(text) > MAX_TEXT:
            return _faulty("PHX-V003", f"the text has {len(text)} characters; at most {MAX_TEXT} are read", (1, 1))
        try:
            return _read(text)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            place = (mark.line + 1, mark.column + 1) if mark else (1, 1)
            return _faulty("PHX-V001", f"not YAML: {error.problem or error.context}", place)
        except yaml.reader.ReaderError as error:
            before = text[: error.position]
            place = (before.count("\n") + 1, error.position - before.rfind("\n"))
            return _faulty("PHX-V001", f"not YAML: {error.reason}", place)
        except (yaml.YAMLError, ValueError, OverflowError) as error:
            return _faulty("PHX-V001", f"not YAML: {error}", (1, 1))
        except RecursionError:
            return _faulty("PHX-V003", f"nested deeper than {MAX_DEPTH} levels", (1, 1))


def _read(text: str) -> Source:
    loader = _Loader(text)
    try:
        root = loader.get_single_node()
        if root is None:
            return Source(None, {"": (1, 1)})
        walk = _Walk()
        walk.measure(root, 0)
        if not walk.faults:
            walk.place(root, "")
        if walk.faults:
            return Source(None, walk.positions, tuple(walk.faults))
        return Source(loader.construct_document(root), walk.positions)
    finally:
        loader.dispose()


def _faulty(rule: str, message: str, place: Position) -> Source:
    return Source(None, {}, (Fault(rule, message, place),))


class _Walk:
    """Two walks over one document's nodes: its true size first, then its places."""

    def __init__(self) -> None:
        self.positions: dict[str, Position] = {}
        self.faults: list[Fault] = []
        self._sizes: dict[int, int] = {}

    def measure(self, node: yaml.Node, depth: int) -> int:
        """How many parts the node has with its aliases written out; a fault once that is too many."""
        if self.faults or id(node) in self._sizes:
            return self._known(node)
        if depth > MAX_DEPTH:
            self._fault(node, "PHX-V003", f"nested deeper than {MAX_DEPTH} levels")
            return 0
        self._sizes[id(node)] = 0
        size = 1 + sum(self.measure(child, depth + 1) for child in _children(node))
        self._sizes[id(node)] = size
        if size > MAX_PARTS:
            self._fault(node, "PHX-V003", f"more than {MAX_PARTS} parts, with its aliases written out")
        return size

    def _known(self, node: yaml.Node) -> int:
        size = self._sizes.get(id(node), 0)
        if not size and not self.faults:
            self._fault(node, "PHX-V001", "not YAML: an alias refers to the part that it stands in")
        return size

    def place(self, node: yaml.Node, pointer: str) -> None:
        """Note where the node and all below it stand; duplicate keys are faults."""
        self.positions.setdefault(pointer, _position(node))
        if isinstance(node, yaml.SequenceNode):
            for index, item in enumerate(node.value):
                self.place(item, f"{pointer}/{index}")
        elif isinstance(node, yaml.MappingNode):
            self._place_mapping(node, pointer)

    def _place_mapping(self, node: yaml.MappingNode, pointer: str) -> None:
        seen: set[str] = set()
        for key, item in node.value:
            name = str(key.value) if isinstance(key, yaml.ScalarNode) else ""
            if name in seen:
                self._fault(key, "PHX-V002", f"{name!r} is given twice")
            seen.add(name)
            below = f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}"
            self.positions[below] = _position(key)
            self.place(item, below)

    def _fault(self, node: yaml.Node, rule: str, message: str) -> None:
        self.faults.append(Fault(rule, message, _position(node)))


def _children(node: yaml.Node) -> list[Any]:
    if isinstance(node, yaml.MappingNode):
        return [part for pair in node.value for part in pair]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def _position(node: yaml.Node) -> Position:
    return node.start_mark.line + 1, node.start_mark.column + 1
