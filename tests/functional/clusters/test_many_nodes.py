"""Many nodes in one exchange: few requests to the store, one configuration read, one resource."""

from __future__ import annotations

from pathlib import Path

from chalicelib.domain.access import DEFAULT_TENANT
from chalicelib.domain.deployment import DeploymentPlan
from chalicelib.domain.fleet.state import Purpose
from chalicelib.ports.items import Table
from chalicelib.services.clusters.registry import Registration
from chalicelib.services.fleet.fleet import Want
from tests.fakes.items import MemoryItemStore
from tests.fakes.kubernetes_cluster import FakeCluster, node
from tests.functional.control_plane.world import World

NODES = 500
PARTS = NODES // 25


class Counting(MemoryItemStore):
    """Counts requests."""

    asked = written = 0

    def get(self, table: Table, pk: str, sk: str):  # type: ignore[no-untyped-def]
        self.asked += 1
        return super().get(table, pk, sk)

    def query(self, *args, **more):  # type: ignore[no-untyped-def]
        self.asked += 1
        return super().query(*args, **more)

    def transact(self, writes, token):  # type: ignore[no-untyped-def]
        self.asked += 1
        self.written += len(writes)
        super().transact(writes, token)


def test_an_exchange_of_many_nodes_asks_the_store_little(tmp_path: Path) -> None:
    world = World(tmp_path, memory=True)
    store = Counting(world.clock.now)
    world.start(store)
    services = world.control_plane.services
    tenant, exchange = DEFAULT_TENANT, services.cluster_exchange
    made, _ = services.clusters.register(tenant, _registration(), "test")
    cluster = FakeCluster(world.clock.now, [node(f"node-{i:04d}") for i in range(NODES)])

    def look() -> tuple[int, int]:
        before = store.asked
        orders = exchange.exchange(tenant, made, cluster.seen())
        cluster.carry_out(cluster.seen(), orders)
        world.clock.advance(2)
        return store.asked - before, len(orders.pipelines)

    assert look()[0] < 2 * PARTS, "hosts are made fifty at a time"
    hosts = [f"prod-node-{i:04d}" for i in range(NODES)]
    plan = {"hosts": hosts, "plan": {"pipeline": {"pipeline": "process-baseline-v1"}}, "name": "base"}
    configs = _deploy(world, plan)
    assert len(set(configs.values())) == NODES, "each host has a configuration of its own"
    told = [look() for _ in range(2)]
    assert [resources for _, resources in told] == [1, 1]
    assert max(asked for asked, _ in told) < 2 * PARTS
    for _ in range(3):
        cluster.work()
        look()
    states = services.fleet.states(tenant, hosts)
    assert {state.desired.confirmed_at is not None for state in states.values() if state.desired} == {True}
    exchange.seen(tenant, "prod", cluster.seen(), 30)
    world.clock.advance(150)
    before = store.written
    assert look()[0] < 20
    assert store.written == before, "at rest nothing is written of a node, however long"
    exchange.seen(tenant, "prod", cluster.seen(), 30)
    present = services.fleet.states(tenant, hosts)
    assert {state.last_seen for state in present.values()} == {world.clock.now()}
    world.close()


def _registration() -> Registration:
    return Registration.model_validate({"name": "prod", "mode": "pull"})


def _deploy(world: World, plan: dict[str, object]) -> dict[str, str]:
    """Want the pipeline on every host, as a deployment does."""
    services = world.control_plane.services
    asked = DeploymentPlan.model_validate(plan["plan"])
    names: list[str] = plan["hosts"]  # type: ignore[assignment]
    version = services.deployments.make_version(DEFAULT_TENANT, "base", 1, asked, names, "test")
    wants = {host: Want("deployment.base.1", content, Purpose.DEPLOY) for host, content in version.configs.items()}
    services.fleet.want_all(DEFAULT_TENANT, wants)
    return dict(version.configs)
