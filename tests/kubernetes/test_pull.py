"""Pull mode on a real cluster: the operator calls the control plane, which never calls it. Deployed, away, removed."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator

import pytest

from chalicelib.domain.kubernetes.resource import CONTROL_PLANE, MANAGED_BY
from tests.acceptance.waiting import until
from tests.kubernetes.cluster import Cluster
from tests.kubernetes.control_plane import ControlPlane
from tests.kubernetes.objects import pipeline
from tests.kubernetes.operator_process import OperatorProcess
from tests.kubernetes.pulled import SECONDS, Pulled, pulled

MINE = "made-by-hand"


@pytest.fixture(scope="module")
def there(
    cluster: Cluster,
    control_plane: ControlPlane,
    images: dict[str, str],
    operator: OperatorProcess,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Pulled]:
    """The node is a host, with the baseline deployed; beside it a resource that somebody wrote, which no node takes."""
    with pulled("pull", cluster, control_plane, images, operator, tmp_path_factory.mktemp("pull")) as found:
        own = pipeline(MINE, found.namespace, nodeSelector={"phoenix.io/test": "no-node"})
        cluster.apply(own, namespace=found.namespace)
        yield found


def ours(there: Pulled) -> list[str]:
    return [name for name in there.resources() if name != MINE]


def test_what_is_deployed_reaches_the_node_and_is_read_back(there: Pulled, figure: Callable[[str], None]) -> None:
    began = time.monotonic()
    there.deploy()
    figure(f"deployed and confirmed by the node's collector in {time.monotonic() - began:.0f} s, pulled")
    (name,) = ours(there)
    where = ("phoenixprocesspipelines", name, "-n", there.namespace, "-o", "json", "--show-managed-fields")
    made = json.loads(there.cluster.kubectl("get", *where))
    assert made["metadata"]["labels"][MANAGED_BY] == CONTROL_PLANE
    managers = {one["manager"] for one in made["metadata"]["managedFields"] if "subresource" not in one}
    assert managers == {"phoenix"}
    (node,) = made["status"]["nodes"]
    assert (node["state"], node["configHash"]) == ("Ready", made["status"]["configHash"])
    shown = there.plane.phoenix.data("pipeline", "status", there.deployed)["status"]
    assert shown[there.host]["status"] == "active"


def test_a_control_plane_that_is_away_deletes_nothing_and_the_operator_may_die_meanwhile(there: Pulled) -> None:
    before = there.resources()
    there.plane.kill("control-plane")
    try:
        until("the operator says so", lambda: "no exchange with the control plane" in there.operator.said, SECONDS)
        there.operator.kill()
        there.operator.start()
        until("it says so again", lambda: there.operator.said.count("no exchange with") >= 2, SECONDS)
        assert there.resources() == before
    finally:
        there.plane.up()
    back = time.time()
    seen = lambda: there.plane.get(f"/api/v1/clusters/{there.name}")["lastSeen"]  # noqa: E731
    until("it is heard of again", lambda: seen() > back, SECONDS, every=0.5)
    assert there.resources() == before


def test_a_resource_deleted_by_hand_is_ordered_again(there: Pulled) -> None:
    (name,) = ours(there)
    before = there.cluster.get("phoenixprocesspipelines", name, there.namespace) or {}
    there.cluster.delete("phoenixprocesspipelines", name, there.namespace)

    def again() -> bool:
        found = there.cluster.get("phoenixprocesspipelines", name, there.namespace)
        return found is not None and found["metadata"]["uid"] != before["metadata"]["uid"]

    until("it is there again", again, SECONDS)


def test_what_is_no_more_wanted_goes_and_what_people_wrote_stays(there: Pulled) -> None:
    there.plane.phoenix("pipeline", "delete", there.deployed, "--deployment")
    until("the resource is gone", lambda: there.resources() == [MINE], SECONDS)
