"""Two replicas of the operators: one works, the other takes over when it ends, and collectors never notice."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from tests.acceptance.waiting import until
from tests.kubernetes.cluster import Cluster
from tests.kubernetes.objects import condition, pipeline
from tests.kubernetes.operator_process import OperatorProcess

SECONDS = 120.0
LEASE = "phoenix-operator"


def is_ready(cluster: Cluster) -> bool:
    thing = cluster.get("phoenixprocesspipeline", "shared")
    assert thing is not None
    now = condition(thing, "Ready")
    return now.get("status") == "True" and now.get("observedGeneration") == thing["metadata"]["generation"]


@pytest.fixture
def two(
    cluster: Cluster, images: Mapping[str, str], operator: OperatorProcess, tmp_path: Path
) -> Iterator[tuple[OperatorProcess, OperatorProcess]]:
    """Two replicas in place of the operator of all tests; the first works, the second waits."""
    operator.stop()
    first, second = (
        OperatorProcess(cluster, images, tmp_path, "--leader-election", env={"POD_NAME": name})
        for name in ("one", "two")
    )
    with first:
        until("the first works", lambda: holder(cluster) == "one", SECONDS)
        with second:
            yield first, second
    cluster.delete("lease", LEASE)
    operator.start()


def holder(cluster: Cluster) -> str:
    """Who has the Lease; "" when it is free."""
    lease = cluster.get("lease", LEASE) or {}
    return str(lease.get("spec", {}).get("holderIdentity", ""))


def writes(operator: OperatorProcess) -> float:
    """How many writes an operator has asked of the API server for pipelines and what they are made of."""
    found = re.findall(r"^phoenix_operator_api_requests_total\{([^}]*)\} (\S+)$", operator.metrics(), re.MULTILINE)
    return sum(float(value) for labels, value in found if 'verb="patch"' in labels and "leases" not in labels)


def test_of_two_operators_one_works_and_the_other_takes_over(
    cluster: Cluster, two: tuple[OperatorProcess, OperatorProcess], figure: Callable[[str], None]
) -> None:
    first, second = two
    cluster.apply(pipeline("shared"))
    until("Ready", lambda: is_ready(cluster), SECONDS)
    assert writes(first) > 0
    assert writes(second) == 0
    (before,) = cluster.list("pods", "phoenix.io/pipeline=shared")

    first.stop()
    began = time.monotonic()
    until("the second works", lambda: holder(cluster) == "two", SECONDS)
    given = time.monotonic() - began
    first.start()
    second.kill()
    began = time.monotonic()
    until("the first works again", lambda: holder(cluster) == "one", SECONDS)
    figure(f"taken over {given:.1f} s after SIGTERM, {time.monotonic() - began:.1f} s after kill -9")
    (after,) = cluster.list("pods", "phoenix.io/pipeline=shared")
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    cluster.apply(pipeline("shared", interval="5s"))
    until("followed", lambda: is_ready(cluster), SECONDS)
    cluster.delete("phoenixprocesspipeline", "shared")
