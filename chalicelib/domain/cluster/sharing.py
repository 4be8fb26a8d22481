"""One configuration for many nodes: a host's own with its name replaced by a variable, and one marker for all of them.

Two hosts' configurations differ in their name only; whether they do is told by their hashes, without reading each.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chalicelib.domain.kubernetes.exchange import HOST_VARIABLE
from chalicelib.domain.pipeline.marker import canonical, stamp

NODE = f"${{env:{HOST_VARIABLE}}}"
"""Stands for the host's name in a configuration of many."""
_NAMED = frozenset({"phoenix.host", "host.name"})
"""Attributes that say whose a configuration's data is."""
_QUOTED = f'"{NODE}"'


@dataclass(frozen=True)
class Shared:
    """A configuration of many nodes, unstamped. text: what its hash is of."""

    config: Mapping[str, Any]
    text: str
    hash: str

    def is_of(self, host: str, wanted: str) -> bool:
        """Whether the configuration with content hash `wanted` is this one with the host's own name in it."""
        own = self.text.replace(_QUOTED, f'"{host}"')
        return hashlib.sha256(own.encode()).hexdigest() == wanted


def share(config: Mapping[str, Any], host: str) -> Shared:
    """A host's configuration as its nodes share it."""
    out = copy.deepcopy(dict(config))
    _replace(out, host)
    text = canonical(out)
    return Shared(out, text, hashlib.sha256(text.encode()).hexdigest())


def shared_marker(shared: Shared, scope: str) -> str:
    """The marker of a shared configuration for a scope; each pair has its own."""
    return f"{shared.hash[:16]}.{_number(scope)}"


def stamped(shared: Shared, scope: str) -> dict[str, Any]:
    """The configuration as the nodes' collectors are given it."""
    return stamp(shared.config, _number(scope), scope)[0]


def _number(scope: str) -> int:
    """In place of a revision: nodes that share a configuration have different ones."""
    return int(hashlib.sha256(scope.encode()).hexdigest()[:12], 16)


def _replace(tree: Any, host: str) -> None:
    """In place. Attributes come as maps, and as lists of key or name and value."""
    if isinstance(tree, dict):
        said = tree.get("key", tree.get("name"))
        if isinstance(said, str) and said in _NAMED and tree.get("value") == host:
            tree["value"] = NODE
        for key, value in tree.items():
            if key in _NAMED and value == host:
                tree[key] = NODE
            else:
                _replace(value, host)
    elif isinstance(tree, list):
        for item in tree:
            _replace(item, host)
