"""Which resources a cluster shall have: in place where all go, make before break where some go, and no change without
cause."""

from __future__ import annotations

from collections.abc import Mapping

from chalicelib.domain.cluster.orders import Group, Sight, arrange, marker_in
from chalicelib.domain.kubernetes.exchange import PipelineSeen, PipelineWanted, config_hash
from chalicelib.domain.kubernetes.process_pipeline import (
    NodeState,
    NodeStatus,
    PhoenixProcessPipelineSpec,
    PhoenixProcessPipelineStatus,
)
from chalicelib.domain.pipeline.marker import find_marker, stamp


def config(letter: str) -> dict[str, object]:
    return stamp({"receivers": {letter: {}}, "service": {"telemetry": {"resource": {"phoenix.scope": "x"}}}}, 7)[0]


def group(letter: str, *nodes: str, revision: int = 1) -> Group:
    body = config(letter)
    return Group(find_marker(body) or "", body, frozenset(nodes), revision)


def seen(
    wanted: PipelineWanted, generation: int = 1, *, ready: tuple[str, ...] = (), observed: bool = True
) -> PipelineSeen:
    """A resource as it stands after orders. ready: its nodes whose collector is."""
    asked = config_hash(wanted.spec.config or {})
    nodes = tuple(
        NodeStatus(node=name, state=NodeState.READY if name in ready else NodeState.UPDATING, config_hash=asked)
        for name in wanted.spec.node_names
    )
    status = PhoenixProcessPipelineStatus(
        observed_generation=generation if observed else generation - 1, config_hash=asked, nodes=nodes
    )
    return PipelineSeen(name=wanted.name, generation=generation, spec=wanted.spec, status=status)


def sight(*pipelines: PipelineSeen, up: tuple[str, ...] = ("1", "2", "3", "4")) -> Sight:
    return Sight(pipelines, {}, frozenset(up))


def nodes(orders: tuple[PipelineWanted, ...]) -> Mapping[str, tuple[str, ...]]:
    """By the letter of the configuration."""
    return {next(iter((one.spec.config or {})["receivers"])): one.spec.node_names for one in orders}


def test_nodes_that_want_the_same_share_a_resource_and_asking_again_changes_nothing() -> None:
    groups = [group("a", "1", "2"), group("b", "3")]
    first = arrange(groups, sight())
    other = arrange(groups, Sight((), {}, (), "twin"))
    assert not {one.name for one in other} & {one.name for one in first}
    assert nodes(first) == {"a": ("1", "2"), "b": ("3",)}
    assert arrange(groups, sight()) == first
    assert arrange(groups, sight(*(seen(one) for one in first))) == first
    assert arrange([], sight()) == ()


def test_a_change_of_all_nodes_is_made_in_place() -> None:
    (before,) = arrange([group("a", "1", "2", "3")], sight())
    (after,) = arrange([group("b", "1", "2", "3")], sight(seen(before, ready=("1", "2", "3"))))
    assert after.name == before.name
    assert marker_in(seen(after)) == group("b").marker


def test_a_node_stays_in_its_old_resource_until_it_is_ready_in_the_new_one() -> None:
    (old,) = arrange([group("a", "1", "2", "3")], sight())
    groups = [group("b", "1"), group("a", "2", "3")]
    here = seen(old, ready=("1", "2", "3"))
    begun = arrange(groups, sight(here))
    assert nodes(begun) == {"b": ("1",), "a": ("1", "2", "3")}
    new = next(one for one in begun if one.name != old.name)
    assert nodes(arrange(groups, sight(here, seen(new)))) == {"b": ("1",), "a": ("1", "2", "3")}
    stale = seen(new, 2, ready=("1",), observed=False)
    assert nodes(arrange(groups, sight(here, stale)))["a"] == ("1", "2", "3"), "an old word is not believed"
    assert nodes(arrange(groups, sight(here, seen(new, ready=("1",))))) == {"b": ("1",), "a": ("2", "3")}


def test_nodes_leave_together_and_one_that_is_down_keeps_nobody() -> None:
    (old,) = arrange([group("a", "1", "2", "3", "4")], sight())
    here = seen(old, ready=("1", "2", "3", "4"))
    groups = [group("b", "1", "2"), group("a", "3", "4")]
    (new,) = (one for one in arrange(groups, sight(here)) if one.name != old.name)
    half = seen(new, ready=("1",))
    assert nodes(arrange(groups, sight(here, half)))["a"] == ("1", "2", "3", "4")
    assert nodes(arrange(groups, sight(here, half, up=("1", "3", "4"))))["a"] == ("3", "4")


def test_a_resource_whose_nodes_go_different_ways_drains_unchanged_and_is_deleted_at_last() -> None:
    (old,) = arrange([group("a", "1", "2")], sight())
    here = seen(old, ready=("1", "2"))
    groups = [group("b", "1"), group("c", "2")]
    begun = arrange(groups, sight(here))
    assert nodes(begun) == {"a": ("1", "2"), "b": ("1",), "c": ("2",)}
    assert next(one for one in begun if one.name == old.name) == old
    there = [seen(one, ready=("1", "2")) for one in begun if one.name != old.name]
    assert nodes(arrange(groups, sight(here, *there))) == {"b": ("1",), "c": ("2",)}


def test_a_node_that_wants_nothing_leaves_at_once() -> None:
    (old,) = arrange([group("a", "1", "2")], sight())
    assert nodes(arrange([group("a", "1")], sight(seen(old, ready=("1", "2"))))) == {"a": ("1",)}


def test_two_resources_that_come_to_want_the_same_become_one() -> None:
    first = arrange([group("a", "1", "2"), group("b", "3")], sight())
    here = [seen(one, ready=one.spec.node_names) for one in first]
    groups = [group("c", "1", "2", "3")]
    begun = arrange(groups, sight(*here))
    assert nodes(begun) == {"c": ("1", "2", "3"), "b": ("3",)}
    there = [seen(one, 2, ready=("3",)) if "c" in str(one.spec.config) else seen(one) for one in begun]
    assert nodes(arrange(groups, sight(*there))) == {"c": ("1", "2", "3")}


def test_a_new_try_raises_the_revision_and_it_never_falls() -> None:
    (once,) = arrange([group("a", "1", revision=3)], sight())
    assert once.spec.revision == 3
    (again,) = arrange([group("a", "1", revision=5)], sight(seen(once)))
    assert again.spec.revision == 5
    (still,) = arrange([group("a", "2", revision=1)], sight(seen(again, 2)))
    assert still.spec.revision == 5


def test_a_resource_that_is_being_deleted_is_replaced_under_another_name() -> None:
    (old,) = arrange([group("a", "1")], sight())
    going = seen(old).model_copy(update={"deleting": True})
    (new,) = arrange([group("a", "1")], sight(going))
    assert new.name != old.name


def test_secrets_of_the_environment_are_asked_for_only_where_a_configuration_refers_to_them() -> None:
    body = stamp({"exporters": {"otlp": {"headers": {"x": "${env:BACKEND_TOKEN}"}}}, "service": {}}, 1)[0]
    needs = Group(find_marker(body) or "", body, frozenset({"1"}), 1)
    asked = {one.spec.config == body: one.spec.environment for one in arrange([needs, group("a", "2")], sight())}
    assert [ref.name for ref in asked[True]] == ["phoenix-environment"]
    assert asked[False] == ()


def test_of_many_nodes_those_that_a_status_leaves_out_are_ready_when_its_counts_say_so() -> None:
    names = tuple(f"n{i:04d}" for i in range(1500))
    listed = tuple(NodeStatus(node=n, state=NodeState.READY if i else NodeState.FAILED) for i, n in enumerate(names))
    spec = PhoenixProcessPipelineSpec(config=dict(config("a")), node_names=names)

    def counted(ready: int) -> Sight:
        status = PhoenixProcessPipelineStatus(
            config_hash="h" * 64,
            applied_config_hash="h" * 64,
            desired_nodes=1500,
            ready_nodes=ready,
            nodes=listed[:1000],
        )
        return Sight([PipelineSeen(name="p", generation=1, spec=spec, status=status)])

    whole = counted(1499)
    found = whole.status(whole.pipelines[0], "n1400")
    assert found is not None
    assert (found.state, found.config_hash) == (NodeState.READY, "h" * 64)
    assert whole.status(whole.pipelines[0], "another") is None
    part = counted(1498)
    assert part.status(part.pipelines[0], "n1400") is None, "one of five hundred is not, and nobody knows which"
