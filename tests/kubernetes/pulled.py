"""A cluster in pull mode: registered so, its operator given what it calls the control plane with. No test here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from chalicelib.domain.kubernetes.exchange import host_of_node
from tests.acceptance.waiting import until
from tests.kubernetes.cluster import NODE, Cluster
from tests.kubernetes.control_plane import ControlPlane
from tests.kubernetes.operator_process import OperatorProcess

SECONDS = 180.0


@dataclass(frozen=True)
class Pulled:
    """namespace: where the control plane's resources live. host: what the node is to the control plane."""

    name: str
    namespace: str
    host: str
    cluster: Cluster
    plane: ControlPlane
    operator: OperatorProcess

    @property
    def deployed(self) -> str:
        """Name of the deployment on the node; the control plane is shared with other clusters' tests."""
        return f"{self.name}-node"

    def deploy(self) -> None:
        """Deploy the baseline on the node and wait until its collector has confirmed it."""
        words = ("--interval", "5s", "--name", self.deployed, "--host", self.host, "--wait", "280")
        self.plane.phoenix("pipeline", "deploy", "process-baseline-v1", *words, seconds=300)

    def resources(self) -> list[str]:
        """Names of the PhoenixProcessPipelines there."""
        return [one["metadata"]["name"] for one in self.cluster.list("phoenixprocesspipelines", "", self.namespace)]


@contextmanager
def pulled(
    name: str,
    cluster: Cluster,
    plane: ControlPlane,
    images: Mapping[str, str],
    other: OperatorProcess,
    folder: Path,
) -> Iterator[Pulled]:
    """other: the session's operator, which steps aside meanwhile."""
    plane.phoenix.folder, namespace = folder, f"phoenix-{name}"
    cluster.kubectl("create", "namespace", namespace)
    words = ("--pull", "--namespace", namespace, "--endpoint", plane.reached)
    manifest = plane.phoenix("cluster", "register", name, *words).out
    cluster.kubectl("apply", "-f", "-", given=manifest)
    (secret,) = [one for one in yaml.safe_load_all(manifest) if one and one["kind"] == "Secret"]
    of_cluster = _secret(folder / "cluster", secret["stringData"]["endpoint"], secret["stringData"]["token"])
    made = plane.phoenix.data("token", "create", f"gitops-{name}", "--role", "operator")
    of_experiments = _secret(folder / "experiments", plane.reached, made["secret"])
    flags = ("--cluster", name, "--cluster-secret", str(of_cluster), "--orders-namespace", namespace)
    other.stop()
    try:
        with OperatorProcess(cluster, images, folder, *flags, "--experiments-secret", str(of_experiments)) as operator:
            host = host_of_node(name, NODE)
            until("the node is a host", lambda: plane.get(f"/api/v1/hosts/{host}"), SECONDS)
            found = Pulled(name, namespace, host, cluster, plane, operator)
            yield found
            plane.phoenix("cluster", "remove", name, "--force", code=None)
    finally:
        other.start()
    cluster.delete("namespace", namespace)


def _secret(folder: Path, endpoint: str, token: str) -> Path:
    folder.mkdir()
    (folder / "endpoint").write_text(endpoint, "utf-8")
    (folder / "token").write_text(token, "utf-8")
    return folder
