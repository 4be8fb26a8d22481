"""Experiment resources on a real API server and a real control plane: applied, followed to a verdict, adopted, stopped;
with the control plane killed in between."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.acceptance.manifests import manifest, written
from tests.acceptance.waiting import until
from tests.kubernetes.cluster import Cluster
from tests.kubernetes.control_plane import ControlPlane
from tests.kubernetes.objects import condition, load, status
from tests.kubernetes.operator_process import OperatorProcess
from tests.kubernetes.pulled import SECONDS, Pulled, pulled

TOPK = {"pipeline": "process-topk-v1", "parameters": {"k": 10}}
LOAD = {"profile": "high-cardinality", "count": 60, "busy": 6, "critical": 4, "durationS": "15m"}


@pytest.fixture(scope="module")
def there(
    cluster: Cluster,
    control_plane: ControlPlane,
    images: dict[str, str],
    operator: OperatorProcess,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Pulled]:
    """The node is a host, sixty processes run on it, of which four are critical."""
    folder = tmp_path_factory.mktemp("experiments")
    with pulled("git", cluster, control_plane, images, operator, folder) as found:
        cluster.apply(load("pressure", found.namespace, of=LOAD), namespace=found.namespace)
        running = lambda: status(cluster.get("loadsimulationjob", "pressure", found.namespace)).get("running", 0)  # noqa: E731
        until("its processes run", lambda: running() >= 60, SECONDS)
        yield found


def applied(there: Pulled, name: str, **spec: Any) -> Callable[[], dict[str, Any]]:
    """kubectl apply of an experiment on the node; what reads it."""
    document = manifest(name, there.host, TOPK, **spec)
    document["metadata"]["namespace"] = there.namespace
    there.cluster.apply(document, namespace=there.namespace)
    return lambda: there.cluster.get("experiments.phoenix.io", name, there.namespace) or {}


def synced(thing: dict[str, Any]) -> tuple[str, str]:
    found = condition(thing, "Synced")
    return found.get("status", ""), found.get("reason", "")


def state(there: Pulled, name: str) -> str:
    """Of the experiment in the control plane; "" for none."""
    return str(there.plane.get(f"/api/v1/experiments/{name}", missing={}).get("state", ""))


def test_an_applied_experiment_shows_its_verdict_in_kubectl_though_the_control_plane_is_killed_meanwhile(
    there: Pulled, figure: Callable[[str], None]
) -> None:
    read = applied(there, "lean")
    until("it is deployed", lambda: status(read()).get("state") in ("warming_up", "running"), SECONDS)
    there.plane.kill("control-plane")
    until("the resource says so", lambda: synced(read()) == ("Unknown", "Unreachable"), SECONDS)
    there.plane.up()
    until("it has a verdict", lambda: status(read()).get("state") == "awaiting_promotion", 400, every=1.0)
    (_, shown) = there.cluster.kubectl("get", "phxexp", "-n", there.namespace).splitlines()
    assert "promote" in shown
    assert "/" in status(read())["retention"]
    uid = read()["metadata"]["uid"]
    managed = there.plane.phoenix.data("experiment", "show", "lean")["managedBy"]
    assert managed == f"kubernetes:git/{there.namespace}/lean/{uid}"
    figure(f"verdict in kubectl: series -{status(read())['reduction']}, critical {status(read())['retention']}")

    there.cluster.kubectl("delete", "phxexp", "lean", "-n", there.namespace, "--timeout=200s", seconds=220)
    assert state(there, "lean") == "stopped"


def test_an_experiment_made_by_the_cli_is_left_alone_until_it_is_adopted(there: Pulled, folder: Any) -> None:
    document = manifest("mine", there.host, TOPK)
    there.plane.phoenix("experiment", "create", "-f", written(folder, document))
    read = applied(there, "mine")
    until("it is said whose it is", lambda: synced(read()) == ("False", "NotManaged"), SECONDS)
    assert "phoenix.io/adopt" in condition(read(), "Synced")["message"]
    assert state(there, "mine") == "draft"
    there.cluster.kubectl("annotate", "phxexp", "mine", "-n", there.namespace, "phoenix.io/adopt=true")
    until("it is adopted and started", lambda: synced(read()) == ("True", "Synced"), SECONDS)
    assert state(there, "mine") != "draft"
    there.cluster.kubectl("delete", "phxexp", "mine", "-n", there.namespace, "--timeout=200s", seconds=220)
    assert state(there, "mine") == "stopped"


def test_created_and_deleted_while_the_control_plane_is_away(there: Pulled) -> None:
    there.plane.kill("control-plane")
    try:
        read = applied(there, "late")
        until("it waits", lambda: synced(read()) == ("Unknown", "Unreachable"), SECONDS)
        there.cluster.kubectl("delete", "phxexp", "late", "-n", there.namespace, "--wait=false")
        until("it says how to let go", lambda: "abandon" in condition(read(), "Synced")["message"], SECONDS)
        there.operator.kill()
        there.operator.start()
        assert read()
    finally:
        there.plane.up()
    until("it is gone", lambda: not read(), SECONDS)
    assert state(there, "late") in ("", "stopped")


def test_what_the_control_plane_refuses_is_said_with_its_field_and_goes_when_it_is_deleted(there: Pulled) -> None:
    read = applied(there, "wrong", targets={"hosts": [there.host, "nobody"]})
    until("it is refused", lambda: synced(read()) == ("False", "Rejected"), SECONDS)
    assert "/spec/targets/hosts/1" in condition(read(), "Synced")["message"]
    there.cluster.kubectl("delete", "phxexp", "wrong", "-n", there.namespace, "--timeout=60s", seconds=70)
    assert state(there, "wrong") == ""
