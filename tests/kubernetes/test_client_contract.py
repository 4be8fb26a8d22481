"""The real Kubernetes client keeps the contract that the fake one keeps (tests/unit/operators_engine has that half)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest

from operators.engine.client import KubeClient
from operators.engine.credentials import from_kubeconfig
from operators.engine.objects import Key, Kind
from tests.fakes.kubernetes_contract import RULES, Both, two_managers_conflict_unless_forced
from tests.kubernetes.cluster import Cluster

NAMESPACE = Kind("v1", "namespaces", "Namespace", namespaced=False)


def client(cluster: Cluster, manager: str = "phoenix-operator") -> KubeClient:
    return KubeClient(from_kubeconfig(cluster.kubeconfig), now=time.time, manager=manager)


async def in_namespace(cluster: Cluster, name: str, work: Callable[[KubeClient], Awaitable[None]]) -> None:
    """Do the work with a namespace of its own, which goes afterwards."""
    real = client(cluster)
    body = {"apiVersion": "v1", "kind": NAMESPACE.kind, "metadata": {"name": name}}
    try:
        await real.apply(NAMESPACE, body)
        await work(real)
        await real.delete(NAMESPACE, Key("", name))
    finally:
        await real.close()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_real_client(cluster: Cluster, crds: None, rule: Callable[[Both, str], Awaitable[None]]) -> None:
    name = f"client-{RULES.index(rule)}"
    asyncio.run(in_namespace(cluster, name, lambda real: rule(real, name)))


def test_two_real_clients(cluster: Cluster) -> None:
    async def work(real: KubeClient) -> None:
        other = client(cluster, "another")
        try:
            await two_managers_conflict_unless_forced(real, other, "client-two")
        finally:
            await other.close()

    asyncio.run(in_namespace(cluster, "client-two", work))
