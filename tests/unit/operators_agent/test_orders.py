"""Orders of the control plane: what is done about them, and which answers are none."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.domain.errors import Unavailable
from chalicelib.domain.kubernetes.exchange import ClusterOrders
from operators.agent.orders import LOAD, PIPELINE, Action, Apply, Delete, Taken, decide, orders_in
from operators.agent.view import View
from operators.engine.caches import Caches
from operators.engine.objects import Key
from operators.engine.reconciler import Watched
from tests.fakes.kubernetes import fill
from tests.unit.operators_agent.made import CLUSTER, CONFIG, NAMESPACE, load, orders, pipeline

LABELS = {"app.kubernetes.io/managed-by": "phoenix-control-plane", "phoenix.io/cluster": "prod"}


def decided(wanted: ClusterOrders, *things: dict[str, Any]) -> list[Action]:
    """What is done in a cluster with these objects."""
    caches = Caches([Watched(PIPELINE), Watched(LOAD)])
    for cache in caches:
        fill(cache, [thing for thing in things if thing["kind"] == cache.watched.kind.kind], "1")
    view = View(caches, CLUSTER, NAMESPACE)
    for kind in (PIPELINE, LOAD):
        for key in caches.keys(kind):
            view.changed(key)
    return decide(wanted, view.held, CLUSTER, NAMESPACE)


def test_what_is_wanted_and_not_there_is_applied_with_the_control_planes_label() -> None:
    found = decided(orders("a", loads=("l",)))
    assert [(type(one), one.kind) for one in found] == [(Apply, PIPELINE), (Apply, LOAD)]
    assert isinstance(found[0], Apply)
    assert found[0].body == {
        "apiVersion": "phoenix.io/v1alpha1",
        "kind": "PhoenixProcessPipeline",
        "metadata": {"name": "a", "namespace": NAMESPACE, "labels": LABELS},
        "spec": found[0].body["spec"],
    }
    assert found[0].body["spec"]["config"] == CONFIG


def test_what_is_there_as_wanted_is_left_alone_whatever_its_status() -> None:
    assert decided(orders("a", loads=("l",)), pipeline("a", readyNodes=3), load("l")) == []


def test_what_differs_is_applied_anew_and_what_is_not_named_is_deleted_last_and_by_its_uid() -> None:
    found = decided(orders("a", "b"), pipeline("a", config={"other": {}}), pipeline("old"), load("done"))
    assert [type(one) for one in found] == [Apply, Apply, Delete, Delete]
    assert found[2:] == [
        Delete(PIPELINE, Key(NAMESPACE, "old"), "uid-old"),
        Delete(LOAD, Key(NAMESPACE, "done"), "uid-done"),
    ]


def test_what_is_being_deleted_is_neither_deleted_again_nor_applied_over() -> None:
    going = pipeline("old")
    going["metadata"]["deletionTimestamp"] = "2027-01-15T08:00:00Z"
    assert decided(orders(), going) == []
    assert decided(orders("old", config={"new": {}}), going) == []


def test_what_people_made_is_never_touched_and_a_name_of_theirs_is_said() -> None:
    assert decided(orders(), pipeline("mine", ours=False), load("theirs", ours=False)) == []
    assert decided(orders(), pipeline("elsewhere", namespace="other")) == []
    assert decided(orders("mine"), pipeline("mine", ours=False)) == [Taken(PIPELINE, Key(NAMESPACE, "mine"))]


def test_what_was_made_for_another_registration_of_the_same_cluster_is_not_ours() -> None:
    assert decided(orders(), pipeline("a", ours="twin"), load("l", ours="twin")) == []
    found = decided(orders("a", loads=("l",)), pipeline("a", ours="twin"), load("l", ours="twin"))
    assert found == [Taken(PIPELINE, Key(NAMESPACE, "a")), Taken(LOAD, Key(NAMESPACE, "l"))]


def test_orders_for_nothing_delete_ours_alone() -> None:
    found = decided(orders(), pipeline("a"), pipeline("b", ours=False))
    assert found == [Delete(PIPELINE, Key(NAMESPACE, "a"), "uid-a")]


WHOLE = {"pipelines": [], "loads": [], "againSeconds": 30}


def test_whole_orders_are_taken_even_for_nothing() -> None:
    assert orders_in(WHOLE) == ClusterOrders(again_seconds=30)


@pytest.mark.parametrize(
    "answer",
    [
        None,
        {},
        [],
        "ok",
        {"pipelines": [], "loads": []},
        {"pipelines": []},
        {"status": "ok"},
        {**WHOLE, "novelty": 1},
        {**WHOLE, "againSeconds": 0},
        {**WHOLE, "pipelines": [{"name": "../x", "spec": {"config": {}}}]},
        {**WHOLE, "pipelines": [{"name": "a", "spec": {}}]},
        {**WHOLE, "pipelines": [{"name": "a", "spec": {"config": {}}}, {"name": "b", "spec": {"novelty": 1}}]},
        {**WHOLE, "pipelines": [{"name": "a", "spec": {"config": {}}}, {"name": "a", "spec": {"config": {}}}]},
    ],
)
def test_anything_but_whole_orders_is_refused_whole(answer: Any) -> None:
    with pytest.raises(Unavailable, match="refused whole"):
        orders_in(answer)


def test_a_refusal_does_not_repeat_what_it_refuses() -> None:
    with pytest.raises(Unavailable) as raised:
        orders_in({**WHOLE, "pipelines": [{"name": "a", "spec": {"config": 7, "image": "SECRET"}}]})
    assert "SECRET" not in raised.value.detail
