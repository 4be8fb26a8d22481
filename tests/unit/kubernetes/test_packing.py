"""What a cluster says, as a request: nothing is lost in packing, labels are said once, what is too large says so."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from chalicelib.domain.kubernetes.exchange import (
    MAX_EXCHANGE,
    USED_LABELS,
    ClusterSeen,
    NodeSeen,
    PipelineSeen,
    over_limits,
    used_labels,
)
from chalicelib.domain.kubernetes.packing import PackedSeen, body_of
from chalicelib.domain.kubernetes.process_pipeline import MAX_NODES, PhoenixProcessPipelineSpec

LABELS = st.dictionaries(st.sampled_from(["zone", "example.com/team", "pool", "a"]), st.sampled_from(["", "a", "b-1"]))
NODES = st.builds(
    NodeSeen,
    name=st.from_regex(r"[a-z0-9]{1,20}(\.[a-z]{1,5})?", fullmatch=True),
    labels=LABELS,
    ready=st.booleans(),
    cpu_count=st.integers(0, 512),
    memory_bytes=st.integers(0, 2**45),
    boot_id=st.sampled_from(["", "b"]),
)


def like_eks(number: int) -> NodeSeen:
    """A node with the labels that a cloud gives."""
    name = f"ip-10-{number // 62500}-{number // 250 % 250}-{number % 250}.eu-west-1.compute.internal"
    same = {f"eks.amazonaws.com/some-longer-label-{i}": f"a-value-of-the-node-group-{number % 3}" for i in range(18)}
    labels = {"kubernetes.io/hostname": name, "topology.kubernetes.io/zone": f"eu-west-1{'abc'[number % 3]}", **same}
    return NodeSeen(name=name, labels=labels, cpu_count=8, memory_bytes=2**35, boot_id=f"{number:036d}")


def own_configuration(number: int, size: int) -> PipelineSeen:
    spec = PhoenixProcessPipelineSpec(config={"processors": {"filter": f"{number:05d}" * (size // 5)}})
    return PipelineSeen(name=f"phoenix-{number}", generation=1, spec=spec)


@settings(max_examples=30, deadline=None)
@given(st.lists(NODES, max_size=8).map(tuple), st.lists(st.text(max_size=9), max_size=3).map(tuple))
def test_what_is_said_is_what_is_heard(nodes: tuple[NodeSeen, ...], problems: tuple[str, ...]) -> None:
    seen = ClusterSeen(operator_version="1", nodes=nodes, pipelines=(own_configuration(1, 50),), problems=problems)
    body = json.loads(json.dumps(body_of(seen)))
    assert PackedSeen.model_validate(body).seen == seen
    pairs = [tuple(pair) for pair in body.get("labels", [])]
    assert len(set(pairs)) == len(pairs)


def test_five_thousand_nodes_of_a_cloud_fit_and_their_labels_are_a_small_part() -> None:
    seen = ClusterSeen(nodes=tuple(like_eks(i) for i in range(MAX_NODES)))
    body = body_of(seen)
    size = len(json.dumps(body, separators=(",", ":")))
    assert size < MAX_EXCHANGE / 2
    assert len(body["nodes"]) == MAX_NODES
    plain = len(seen.model_dump_json(by_alias=True))
    assert plain > MAX_EXCHANGE > 2 * size


def test_what_is_too_large_for_a_request_says_so_and_what_to_do() -> None:
    body = body_of(ClusterSeen(operator_version="1", pipelines=tuple(own_configuration(i, 50_000) for i in range(100))))
    assert sorted(body) == ["incomplete", "operatorVersion"]
    assert str(MAX_EXCHANGE) in body["incomplete"]
    assert "push mode" in body["incomplete"]


def test_labels_that_are_not_in_the_list_are_refused() -> None:
    with pytest.raises(ValidationError, match="does not hold"):
        PackedSeen.model_validate({"labels": [["a", "b"]], "nodes": [{"name": "n", "labels": [1]}]})
    with pytest.raises(ValidationError):
        PackedSeen.model_validate({"labels": [["a", "b\nc"]], "nodes": []})


def test_only_labels_that_a_host_can_have_are_said() -> None:
    labels = {f"l{i:03d}": "v" for i in range(100)} | {"kubernetes.io/hostname": "n", "a." * 70 + "x/y": "v"}
    used = used_labels({**labels, "zz": "v"})
    assert len(used) == USED_LABELS
    assert used["kubernetes.io/hostname"] == "n"
    assert (
        used_labels({f"a{i:03d}": "v" for i in range(100)} | {"kubernetes.io/hostname": "n"})["kubernetes.io/hostname"]
        == "n"
    )


def test_more_than_an_exchange_takes_is_named_with_the_limit() -> None:
    assert over_limits(MAX_NODES, 1000, 1000) == ""
    assert over_limits(MAX_NODES + 1, 0, 0).startswith("the cluster has 5001 nodes, more than the 5000")
    assert "fewer experiments" in over_limits(1, 1001, 0)
