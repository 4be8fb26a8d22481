"""The resources that are made: inline configurations of real size, few of them distinct, as in a fleet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib.adapters.catalog.files import FileCatalog
from chalicelib.domain.measurement import Variant
from chalicelib.domain.pipeline.assembly import assemble
from chalicelib.domain.pipeline.rendering import render
from chalicelib.domain.pipeline.request import AssemblyArm, AssemblyRequest
from chalicelib.settings import ROOT

DISTINCT = 10
"""Configurations that differ: each is validated by the real collector once."""
NODE_LABEL = "phoenix.io/bench"
NOWHERE = "nowhere"


def configurations() -> list[dict[str, Any]]:
    """The shared A/B of baseline and top-K, at so many intervals."""
    catalog = FileCatalog(ROOT / "catalog")
    arms = tuple(
        AssemblyArm(variant=variant, fragment=render(catalog.get(name), {}))
        for variant, name in ((Variant.BASELINE, "process-baseline-v1"), (Variant.CANDIDATE, "process-topk-v1"))
    )
    return [assemble(AssemblyRequest(interval_s=5.0 + number, arms=arms)) for number in range(DISTINCT)]


def pipeline(number: int, config: Mapping[str, Any], where: str) -> dict[str, Any]:
    """One resource. where: value of NODE_LABEL that its nodes have."""
    return {
        "apiVersion": "phoenix.io/v1alpha1",
        "kind": "PhoenixProcessPipeline",
        "metadata": {"name": name(number), "namespace": "default"},
        "spec": {"config": config, "nodeSelector": {NODE_LABEL: where}},
    }


def name(number: int) -> str:
    """Of one resource."""
    return f"bench-{number:04d}"


def node(number: int) -> dict[str, Any]:
    """A node that kwok simulates."""
    room = {"cpu": "64", "memory": "256Gi", "pods": "2000"}
    called = f"kwok-{number:02d}"
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": called,
            "annotations": {"kwok.x-k8s.io/node": "fake"},
            "labels": {"kubernetes.io/hostname": called, "kubernetes.io/os": "linux", NODE_LABEL: called},
        },
        "status": {"allocatable": room, "capacity": room},
    }
