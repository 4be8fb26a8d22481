"""What any ClusterApi must do, the fake as well as the real one: specs come back as they were given, nothing changes
without cause, what is not named goes."""

from __future__ import annotations

from collections.abc import Callable

from chalicelib.domain.cluster.loads import wanted_jobs
from chalicelib.domain.cluster.orders import Group, Sight, arrange
from chalicelib.domain.kubernetes.exchange import ClusterOrders, ClusterSeen, PipelineWanted
from chalicelib.domain.load import LoadSpec
from chalicelib.domain.loadsim import LoadSim
from chalicelib.domain.pipeline.marker import find_marker, stamp
from chalicelib.ports.clusters import ClusterApi

Until = Callable[[str, Callable[[], bool]], None]


def pipelines(node: str, letter: str, revision: int = 1) -> tuple[PipelineWanted, ...]:
    """Orders as the decision makes them: numbers of both kinds and nothing (null) in the configuration."""
    config = {"receivers": {f"nop/{letter}": None, "x": {"rate": 0.5, "count": 3}}, "exporters": {}, "service": {}}
    body = stamp(config, 7)[0]
    group = Group(find_marker(body) or "", body, frozenset({node}), revision)
    return arrange([group], Sight((), {}, ()))


def loads(host: str, node: str, desired: str = "running") -> ClusterOrders:
    """Orders with one load of a second and a half."""
    spec = LoadSpec.model_validate({"profile": "realistic", "count": 50, "durationS": 61.5})
    sim = LoadSim(name="web", host=host, spec=spec, created_at=1.0, created_by="test")
    sim = sim.model_copy(update={"desired": desired})
    return ClusterOrders(loads=wanted_jobs([sim], {host: node}))


def says_its_version_and_that_everything_is_allowed(api: ClusterApi) -> None:
    assert api.version().startswith("v1.")
    assert all(right.allowed for right in api.review())


def sees_its_nodes(api: ClusterApi, node: str) -> None:
    seen = api.look()
    assert seen.kubernetes_version == api.version()
    (found,) = (one for one in seen.nodes if one.name == node)
    assert found.ready
    assert found.cpu_count >= 1
    assert found.memory_bytes > 2**20
    assert found.labels["kubernetes.io/hostname"] == node


def keeps_what_is_ordered_and_changes_nothing_without_cause(api: ClusterApi, node: str) -> None:
    orders = ClusterOrders(pipelines=pipelines(node, "a"))
    api.carry_out(api.look(), orders)
    first = api.look()
    assert [(one.name, one.spec) for one in first.pipelines] == [(one.name, one.spec) for one in orders.pipelines]
    api.carry_out(first, orders)
    assert _generations(api.look()) == _generations(first)
    (changed,) = pipelines(node, "b", 2)
    changed = changed.model_copy(update={"name": first.pipelines[0].name})
    api.carry_out(first, ClusterOrders(pipelines=(changed,)))
    after = api.look()
    assert after.pipelines[0].spec == changed.spec
    assert after.pipelines[0].generation == first.pipelines[0].generation + 1


def deletes_what_is_not_named(api: ClusterApi, node: str, until: Until) -> None:
    api.carry_out(api.look(), ClusterOrders(pipelines=pipelines(node, "a")))
    api.carry_out(api.look(), ClusterOrders())
    until("deleted", lambda: not [one for one in api.look().pipelines if not one.deleting])
    api.carry_out(api.look(), ClusterOrders())


def carries_loads_and_stops_them(api: ClusterApi, node: str, until: Until) -> None:
    wanted = loads("prod-1", node)
    api.carry_out(api.look(), wanted)
    assert [(one.name, one.spec) for one in api.look().loads] == [(one.name, one.spec) for one in wanted.loads]
    api.carry_out(api.look(), loads("prod-1", node, "stopped"))
    assert [one.spec.stopped for one in api.look().loads] == [True]
    api.carry_out(api.look(), ClusterOrders())
    until("deleted", lambda: not [one for one in api.look().loads if not one.deleting])


def _generations(seen: ClusterSeen) -> list[int]:
    return [one.generation for one in seen.pipelines]
