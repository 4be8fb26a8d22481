"""What others do to what the operator made: deleted things are back, edited ones are put right, and of two who say
different things about a field, each is told who owns it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.acceptance.waiting import until
from tests.kubernetes.cluster import Cluster
from tests.kubernetes.objects import condition, pipeline, status
from tests.kubernetes.operator_process import OperatorProcess

NAME = "drift"
SECONDS = 90.0


@pytest.fixture(scope="module")
def ready(cluster: Cluster, operator: OperatorProcess) -> Iterator[None]:
    """A pipeline that is Ready, for every test here."""
    cluster.apply(pipeline(NAME))
    until("Ready", lambda: condition(seen(cluster), "Ready").get("status") == "True", SECONDS)
    yield
    cluster.delete("phoenixprocesspipeline", NAME)


def seen(cluster: Cluster) -> dict[str, Any]:
    found = cluster.get("phoenixprocesspipeline", NAME)
    assert found is not None
    return found


def daemon_set(cluster: Cluster) -> dict[str, Any]:
    return cluster.get("daemonset", NAME) or {}


def owned(cluster: Cluster, kind: str) -> list[str]:
    return sorted(one["metadata"]["name"] for one in cluster.list(kind, f"phoenix.io/pipeline={NAME}"))


def test_what_was_deleted_is_back(cluster: Cluster, ready: None) -> None:
    before = daemon_set(cluster)["metadata"]["uid"]
    cluster.kubectl("delete", "daemonset", NAME, "--cascade=orphan", "--wait=false")
    until("another DaemonSet", lambda: daemon_set(cluster).get("metadata", {}).get("uid", before) != before, SECONDS)
    maps = owned(cluster, "configmaps")
    cluster.kubectl("delete", "configmap", *maps)
    until("the ConfigMap is back", lambda: owned(cluster, "configmaps") == maps, SECONDS)


def test_an_edited_daemon_set_is_put_right_and_nobody_else_owns_its_fields(cluster: Cluster, ready: None) -> None:
    edit = {"spec": {"minReadySeconds": 0, "updateStrategy": {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}}}}
    cluster.kubectl("patch", "daemonset", NAME, "--field-manager=meddler", "-p", json.dumps(edit))

    def right() -> bool:
        spec = daemon_set(cluster)["spec"]
        rolling = spec["updateStrategy"]["rollingUpdate"]
        return spec["minReadySeconds"] == 10 and (rolling["maxSurge"], rolling["maxUnavailable"]) == (1, 0)

    until("put right", right, SECONDS)


def test_what_another_manager_adds_is_left_alone(cluster: Cluster, ready: None) -> None:
    cluster.kubectl("annotate", "daemonset", NAME, "example.com/note=mine", "--field-manager=meddler")
    cluster.kubectl("patch", "daemonset", NAME, "-p", '{"spec": {"minReadySeconds": 60}}', "--field-manager=meddler")
    until("put right", lambda: daemon_set(cluster)["spec"]["minReadySeconds"] == 10, SECONDS)
    assert daemon_set(cluster)["metadata"]["annotations"]["example.com/note"] == "mine"


def test_a_second_manager_of_the_resource_is_told_whose_field_it_is(cluster: Cluster, ready: None) -> None:
    """The resource itself belongs to who wrote it: the operator never touches a spec, and the API server refuses a
    silent take-over among its writers."""
    other = pipeline(NAME, interval="5s")
    flags = ("--server-side", "--field-manager=another", "-f", "-")
    refused = cluster.tried("apply", *flags, given=json.dumps(other))
    assert refused.returncode != 0
    assert "conflict" in refused.stderr
    assert '"tester"' in refused.stderr
    assert ".spec.interval" in refused.stderr
    managers = {entry["manager"]: set(entry["fieldsV1"]) for entry in seen(cluster)["metadata"]["managedFields"]}
    assert managers["phoenix-operator"] == {"f:status"}
    cluster.kubectl("apply", *flags, "--force-conflicts", given=json.dumps(other))
    generation = seen(cluster)["metadata"]["generation"]
    until("followed", lambda: status(seen(cluster)).get("observedGeneration") == generation, SECONDS)
