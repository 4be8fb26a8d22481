"""What the live tests share: one cluster for the whole session, and what it said when a test failed."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.kubernetes.cluster import Cluster

_CLUSTER = pytest.StashKey[Cluster]()


@pytest.fixture(scope="session")
def cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """The cluster, up; this process is inside its network. What a test makes in it, the test removes."""
    with Cluster(os.environ) as found:
        request.config.stash[_CLUSTER] = found
        yield found
        del request.config.stash[_CLUSTER]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """A failure tells what the pods printed, and what the cluster noted about them."""
    report = yield
    cluster = item.config.stash.get(_CLUSTER, None)
    if report.failed and cluster is not None:
        pods = cluster.tried("get", "pods", "-A", "-o", "wide").stdout
        events = cluster.tried("get", "events", "-A", "--sort-by=.lastTimestamp").stdout[-6000:]
        report.sections.append(("the cluster's pods", pods))
        report.sections.append(("the cluster's events", events))
        for pod in cluster.list("pods", namespace=""):
            where, name = pod["metadata"]["namespace"], pod["metadata"]["name"]
            report.sections.append((f"pod {where}/{name}", cluster.logs(name, where, lines=60)))
    return report
