"""A world with clusters: time passes for the control plane, its clusters' operators and their collectors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chalicelib.domain.kubernetes.exchange import ClusterOrders, NodeSeen
from tests.fakes.kubernetes_cluster import FakeApis, FakeCluster, node
from tests.functional.control_plane.fake_host import PROTOBUF
from tests.functional.control_plane.wire import Stream, counts, own_metrics
from tests.functional.control_plane.world import World, deployment

CA = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
SERVER = {"url": "https://10.0.0.1:6443", "ca": CA}
SECRET = "a-token-of-a-service-account"
NGINX = (("nginx", "nginx", 11), ("nginx", "nginx", 12))
SERIES = {"raw": 7000, "baseline": 7000, "candidate": 600, "deployed": 600}


class Landscape:
    """The world's clock moves everything."""

    def __init__(self, world: World, apis: FakeApis) -> None:
        self.world, self.apis = world, apis
        self.tokens: dict[str, str] = {}
        self.counting = False
        """Whether collectors send what they count."""

    def register(self, name: str = "prod", nodes: list[NodeSeen] | None = None, **more: Any) -> FakeCluster:
        """A cluster in push mode, registered over HTTP."""
        made = self.apis.clusters[name] = FakeCluster(self.world.clock.now, nodes or [node("node-1")])
        server = SERVER if name == "prod" else {**SERVER, "url": f"https://{name}.example:6443"}
        body = {"name": name, "server": server, "credentials": {"token": SECRET}, **more}
        answer = self.world.post("/api/v1/clusters", body, token="admin")
        self.tokens[name] = answer["token"]
        return made

    def pass_time(self, seconds: float = 1, step: float = 1) -> None:
        """Step by step: operators work, collectors count, the control plane ticks and looks."""
        for _ in range(round(seconds / step)):
            for name, cluster in self.apis.clusters.items():
                cluster.work()
                if self.counting:
                    self._count(name, cluster)
            self.world.pass_time(step, step)
            self.world.control_plane.deliver()

    def until(self, what: str, condition: Callable[[], bool], within: float = 400, step: float = 1) -> float:
        """Let time pass until it holds; returns the seconds."""
        start = self.world.clock.now()
        while not condition():
            assert self.world.clock.now() - start <= within, f"not within {within} s: {what}\n{self.world.story()}"
            self.pass_time(step, step)
        return self.world.clock.now() - start

    def deploy(self, hosts: list[str], name: str = "base", pipeline: str = "process-baseline-v1", **more: Any) -> None:
        """Ask for a deployment, and wait until it is settled."""
        self.world.post("/api/v1/deployments", deployment(name, hosts, pipeline, **more))
        self.until("settled", lambda: bool(self.world.get(f"/api/v1/deployments/{name}")["settled"]))

    def statuses(self, name: str = "base") -> dict[str, str]:
        """Host to how the deployment stands on it."""
        found = self.world.get(f"/api/v1/deployments/{name}")["status"]
        return {host: one["status"] for host, one in found.items()}

    def host(self, name: str) -> Any:
        return self.world.get(f"/api/v1/hosts/{name}")

    def exchange(self, name: str, seen: dict[str, Any], token: str | None = None) -> ClusterOrders:
        """One exchange that the operator begins."""
        answer = self.world.send("POST", f"/api/v1/clusters/{name}/exchange", seen, token=token or self.tokens[name])
        assert answer.status == 200, answer.body
        return ClusterOrders.model_validate(answer.json)

    def _count(self, name: str, cluster: FakeCluster) -> None:
        if cluster.away:
            return
        for one in cluster.pipelines.values():
            config = one.spec.config or {}
            variants = [v for v in SERIES if f"metrics/{v}.kpi" in (config.get("service") or {}).get("pipelines", {})]
            for host in one.spec.node_names:
                if cluster.runs.get(host) == one.status.config_hash and one.status.config_hash:
                    self._send(name, config, host, variants, cluster.started[host])

    def _send(self, cluster: str, config: dict[str, Any], host: str, variants: list[str], started: float) -> None:
        resource = config["service"]["telemetry"]["resource"]
        identity = {key: str(value) for key, value in resource.items() if key.startswith("phoenix.")}
        identity = {key: value.replace("${env:PHOENIX_HOST}", host) for key, value in identity.items()}
        now = self.world.clock.now()
        streams = [Stream(v, SERIES[v], NGINX) for v in variants]
        own = own_metrics(identity, started - 1, now, 0.5 + 0.02 * (now - started), 80 * 2**20)
        for body in (counts(identity, streams, now), own):
            answer = self.world.send(
                "POST",
                "/v1/metrics",
                raw=body.SerializeToString(),
                content_type=PROTOBUF,
                token=self.tokens[cluster],
            )
            assert answer.status == 200, answer.body
