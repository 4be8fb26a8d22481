"""What a cluster says, as the request that carries it: each label once for all nodes that have it. A node has some
twenty labels, most of them those of many others; as they are, they would be the most of the request.
"""

from __future__ import annotations

import json
from typing import Annotated, Any

from pydantic import Field, model_validator

from chalicelib.domain.kubernetes.exchange import ClusterSeen, ClusterWords, NodeSeen, over_size
from chalicelib.domain.kubernetes.process_pipeline import MAX_NODES
from chalicelib.domain.kubernetes.resource import KubeName, LabelKey, LabelValue
from chalicelib.domain.model import Value

MAX_LABELS = 64
"""Of one node."""
_SAME = ("name", "ready", "cpu_count", "memory_bytes", "boot_id")
_WORDS = tuple(ClusterWords.model_fields)


class PackedNode(Value):
    """A node (`NodeSeen`)."""

    name: KubeName
    labels: tuple[Annotated[int, Field(ge=0)], ...] = Field(default=(), max_length=MAX_LABELS)
    """Positions in the request's list of labels."""
    ready: bool = True
    cpu_count: int = Field(default=0, ge=0)
    memory_bytes: int = Field(default=0, ge=0)
    boot_id: str = Field(default="", max_length=64)


class PackedSeen(ClusterWords):
    """`ClusterSeen` with its nodes packed."""

    labels: tuple[tuple[LabelKey, LabelValue], ...] = Field(default=(), max_length=MAX_NODES * MAX_LABELS)
    """Every label there is, once."""
    nodes: tuple[PackedNode, ...] = Field(default=(), max_length=MAX_NODES)

    @model_validator(mode="after")
    def _known_labels(self) -> PackedSeen:
        if any(number >= len(self.labels) for node in self.nodes for number in node.labels):
            raise ValueError("a node has a label that the list of labels does not hold")
        return self

    @property
    def seen(self) -> ClusterSeen:
        """What it says."""
        nodes = tuple(
            NodeSeen(
                labels={self.labels[number][0]: self.labels[number][1] for number in node.labels},
                **{name: getattr(node, name) for name in _SAME},
            )
            for node in self.nodes
        )
        return ClusterSeen(nodes=nodes, **{name: getattr(self, name) for name in _WORDS})


def packed(seen: ClusterSeen) -> PackedSeen:
    """The request that says it."""
    numbers: dict[tuple[str, str], int] = {}
    nodes = tuple(
        PackedNode(
            labels=tuple(numbers.setdefault(pair, len(numbers)) for pair in sorted(node.labels.items())),
            **{name: getattr(node, name) for name in _SAME},
        )
        for node in seen.nodes
    )
    return PackedSeen(labels=tuple(numbers), nodes=nodes, **{name: getattr(seen, name) for name in _WORDS})


def body_of(seen: ClusterSeen) -> dict[str, Any]:
    """The request's JSON; of what is too large for one, that it is."""
    body = packed(seen).model_dump(mode="json", by_alias=True, exclude_defaults=True)
    why = over_size(len(json.dumps(body, separators=(",", ":"))), "what the cluster says takes")
    if not why:
        return body
    versions = {name: getattr(seen, name) for name in ("operator_version", "kubernetes_version", "collector_image")}
    return body_of(ClusterSeen(incomplete=why, **versions))
