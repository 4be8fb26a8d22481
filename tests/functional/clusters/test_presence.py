"""Which nodes are there: kept once for their cluster, and of each as if it had been kept of each. What cannot be said
whole is refused, and nothing is lost by it."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain.access import DEFAULT_TENANT, Principal, Role
from chalicelib.domain.fleet.state import Purpose
from chalicelib.domain.fleet.status import away_since
from chalicelib.domain.kubernetes.exchange import ClusterSeen
from chalicelib.services.clusters.registry import Registration
from tests.fakes.kubernetes_cluster import node
from tests.functional.clusters.landscape import Landscape
from tests.functional.control_plane.world import World

NAMES = ("n1", "n2", "n3")
UP, DOWN, GONE = "up", "down", "gone"
LOOKS = st.lists(
    st.tuples(st.sampled_from([0, 1, 30, 80, 100, 700]), st.fixed_dictionaries(
        {name: st.sampled_from([UP, UP, DOWN, GONE]) for name in NAMES}
    )),
    min_size=1,
    max_size=8,
)  # fmt: skip


@settings(max_examples=10, deadline=None)
@given(LOOKS)
def test_a_node_was_heard_of_when_its_cluster_last_said_that_it_is_up(looks: list[tuple[int, dict[str, str]]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder), memory=True)
        services = world.control_plane.services
        made, _ = services.clusters.register(
            DEFAULT_TENANT, Registration.model_validate({"name": "edge", "mode": "pull"}), "t"
        )
        who = Principal(DEFAULT_TENANT, Role.CLUSTER, "edge", made.token_id)
        heard: dict[str, float] = {}
        for seconds, states in looks:
            world.clock.advance(seconds)
            there = tuple(node(name, state == UP) for name, state in states.items() if state != GONE)
            for _ in range(2):  # an exchange whose answer was lost comes again
                services.cluster_exchange.pulled(who, "edge", ClusterSeen(nodes=there))
            now = world.clock.now()
            heard |= {name: now for name, state in states.items() if state == UP}
            heard = {name: at for name, at in heard.items() if states[name] != GONE or now - at <= 600}
            found = services.fleet.states(DEFAULT_TENANT, [f"edge-{name}" for name in NAMES])
            for name in NAMES:
                state, at = found[f"edge-{name}"], heard.get(name)
                if at is not None:
                    assert state.last_seen == at
                    assert (away_since(state, now, services.fleet.policy) is not None) == (now - at > 90)
        world.close()


def pulled(land: Landscape, body: dict[str, Any]) -> Any:
    return land.world.send("POST", "/api/v1/clusters/edge/exchange", body, token=land.tokens["edge"])


def test_a_cluster_that_cannot_say_all_is_refused_by_name_and_keeps_what_it_has(land: Landscape) -> None:
    made = land.world.post("/api/v1/clusters", {"name": "edge", "mode": "pull"}, token="admin")
    land.tokens["edge"] = made["token"]
    assert pulled(land, {"nodes": [{"name": "n1"}], "problems": ["Node odd is left out"]}).status == 200
    answer = pulled(land, {"incomplete": "the cluster has 5001 nodes, more than the 5000"})
    assert (answer.status, answer.json["detail"][:28]) == (422, "the cluster has 5001 nodes, ")
    shown = land.world.get("/api/v1/clusters/edge")
    assert "5001 nodes" in shown["unreachableWhy"]
    assert [one["node"] for one in shown["nodes"]] == ["n1"]
    assert shown["problems"] == ["Node odd is left out"]
    assert land.host("edge-n1")["cluster"] == "edge"
    tested = land.world.send("POST", "/api/v1/clusters/edge/test", token="operator").json
    assert "5001 nodes" in tested["problem"]
    assert pulled(land, {"nodes": [{"name": "n1"}]}).status == 200
    assert land.world.get("/api/v1/clusters/edge")["unreachableSince"] is None


def test_orders_too_large_for_an_answer_are_refused(land: Landscape) -> None:
    made = land.world.post("/api/v1/clusters", {"name": "edge", "mode": "pull"}, token="admin")
    land.tokens["edge"] = made["token"]
    body = {"nodes": [{"name": f"n{i}"} for i in range(60)]}
    assert pulled(land, body).status == 200
    fleet = land.world.control_plane.services.fleet
    for i in range(60):
        content = fleet.keep_config(DEFAULT_TENANT, {"receivers": {"x": {"text": f"{i:05d}" * 15_000}}, "service": {}})
        fleet.want(DEFAULT_TENANT, f"edge-n{i}", f"s{i}", content, Purpose.DEPLOY)
    answer = pulled(land, body)
    assert answer.status == 422
    assert "more than the 4194304 of one exchange" in answer.json["detail"]
    assert "push mode" in land.world.get("/api/v1/clusters/edge")["unreachableWhy"]
    for i in range(30):
        fleet.want_idle(DEFAULT_TENANT, f"edge-n{i}")
    assert len(pulled(land, body).json["pipelines"]) == 30
