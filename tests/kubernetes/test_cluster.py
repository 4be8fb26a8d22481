"""The test cluster itself: it runs pods that see the machine's processes, and outlives its components."""

from __future__ import annotations

import os
from pathlib import Path

from tests.acceptance.waiting import until
from tests.kubernetes.cluster import NODE, Cluster

AGENT = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "agent"},
    "spec": {
        "hostPID": True,
        "terminationGracePeriodSeconds": 0,
        "containers": [
            {"name": "agent", "image": "phoenix.local/box:1", "command": ["/bin/sh", "-c", "exec sleep 1000099"]}
        ],
    },
}


def test_a_pod_on_the_node_sees_the_processes_of_the_machine(cluster: Cluster) -> None:
    assert cluster.ready()
    cluster.apply(AGENT)
    try:
        cluster.kubectl("wait", "--for=condition=Ready", "pod/agent", "--timeout=50s")
        found = cluster.kubectl("exec", "agent", "--", "sh", "-c", f"tr '\\0' ' ' < /proc/{os.getpid()}/cmdline")
        assert found.split() == Path(f"/proc/{os.getpid()}/cmdline").read_text("utf-8").replace("\0", " ").split()
        pod = cluster.get("pod", "agent")
        assert pod is not None
        assert pod["spec"]["nodeName"] == NODE
    finally:
        cluster.delete("pod", "agent")


def test_a_component_that_is_killed_comes_back_and_nothing_is_lost(cluster: Cluster) -> None:
    cluster.kubectl("create", "configmap", "kept", "--from-literal=a=1")
    cluster.kill("apiserver")
    assert not cluster.ready()
    cluster.start("apiserver")
    until("the node is Ready again", cluster.ready, 120)
    kept = cluster.get("configmap", "kept")
    assert kept is not None
    assert kept["data"] == {"a": "1"}
    cluster.delete("configmap", "kept")
