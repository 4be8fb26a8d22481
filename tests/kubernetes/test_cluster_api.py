"""The control plane's way into a real cluster: the contract of ClusterApi with the least rights there are, and what is
said when rights, trust or the server are missing. No operator runs."""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from pydantic import SecretStr

from chalicelib.adapters.kubernetes.api import KubernetesApis
from chalicelib.domain.cluster.cluster import Cluster as Registered
from chalicelib.domain.cluster.cluster import ClusterMode, Credentials, Server
from chalicelib.domain.errors import Conflict, NotAllowed, Unavailable
from chalicelib.domain.kubernetes.exchange import ClusterOrders
from chalicelib.ports.clusters import ClusterApi
from phoenix_cli.kubeconfig import reduce_kubeconfig
from phoenix_cli.manifests import ManifestValues, render
from tests.acceptance.waiting import until
from tests.fakes import cluster_api_contract as contract
from tests.kubernetes.cluster import NODE, Cluster

NAMESPACE = "clusters-api"


def wait(what: str, condition: Callable[[], bool]) -> None:
    until(what, condition, 60)


@pytest.fixture(scope="module")
def least(cluster: Cluster, crds: None) -> Iterator[tuple[Server, Credentials]]:
    """What `phoenix cluster manifest` gives the control plane: a ServiceAccount, and the server by its CA."""
    image = "phoenix.local/none:1"
    values = ManifestValues(
        mode="push", cluster="prod", namespace=NAMESPACE, operator_image=image, collector_image=image, crds=False
    )
    ours = [one for one in yaml.safe_load_all(render(values)) if one and one["kind"] != "Deployment"]
    for one in ours:
        cluster.apply(one, namespace=one["metadata"].get("namespace", ""))
    found: list[dict[str, str]] = []

    def made() -> bool:
        secret = cluster.get("secret", "phoenix-control-plane", NAMESPACE) or {}
        found[:] = [secret.get("data") or {}]
        return "token" in found[0]

    wait("the ServiceAccount has a token", made)
    admin = reduce_kubeconfig(cluster.kubeconfig, None)
    ca, token = (base64.b64decode(found[0][key]).decode() for key in ("ca.crt", "token"))
    yield Server(url=admin.server["url"], ca=ca), Credentials(token=SecretStr(token))
    cluster.delete("namespace", NAMESPACE, "")


def api_of(
    server: Server, credentials: Credentials, namespace: str = NAMESPACE, registered_as: str = "prod"
) -> ClusterApi:
    registered = Registered(
        name=registered_as,
        mode=ClusterMode.PUSH,
        server=server,
        namespace=namespace,
        registered_at=0,
        registered_by="test",
        token_id="",
    )
    return KubernetesApis().of(registered, credentials)


def test_it_keeps_the_contract_with_the_least_rights(least: tuple[Server, Credentials]) -> None:
    api = api_of(*least)
    contract.says_its_version_and_that_everything_is_allowed(api)
    contract.sees_its_nodes(api, NODE)
    contract.keeps_what_is_ordered_and_changes_nothing_without_cause(api, NODE)
    contract.deletes_what_is_not_named(api, NODE, wait)
    contract.carries_loads_and_stops_them(api, NODE, wait)


def test_what_others_made_is_not_seen_and_not_deleted(cluster: Cluster, least: tuple[Server, Credentials]) -> None:
    foreign = {
        "apiVersion": "phoenix.io/v1alpha1",
        "kind": "PhoenixProcessPipeline",
        "metadata": {"name": "by-hand", "namespace": NAMESPACE},
        "spec": {"config": {"service": {}}},
    }
    cluster.apply(foreign, namespace=NAMESPACE)
    api = api_of(*least)
    assert api.look().pipelines == ()
    api.carry_out(api.look(), ClusterOrders())
    wanted = contract.pipelines(NODE, "a")[0].model_copy(update={"name": "by-hand"})
    with pytest.raises(Conflict, match="PhoenixProcessPipeline by-hand in namespace clusters-api"):
        api.carry_out(api.look(), ClusterOrders(pipelines=(wanted,)))
    stays = cluster.get("phxpipe", "by-hand", NAMESPACE)
    assert stays is not None
    assert stays["spec"]["config"] == {"service": {}}
    cluster.delete("phxpipe", "by-hand", NAMESPACE)


def test_two_registrations_of_one_cluster_leave_each_others_resources_alone(least: tuple[Server, Credentials]) -> None:
    one, twin = api_of(*least), api_of(*least, registered_as="twin")
    orders = ClusterOrders(pipelines=contract.pipelines(NODE, "a"))
    one.carry_out(one.look(), orders)
    assert twin.look().pipelines == ()
    twin.carry_out(twin.look(), ClusterOrders())
    with pytest.raises(Conflict, match="leaves what is there alone"):
        twin.carry_out(twin.look(), orders)
    assert [seen.spec for seen in one.look().pipelines] == [wanted.spec for wanted in orders.pipelines]
    one.carry_out(one.look(), ClusterOrders())
    wait("deleted", lambda: not [seen for seen in one.look().pipelines if not seen.deleting])


def test_rights_end_at_the_namespace_and_the_missing_ones_are_named(least: tuple[Server, Credentials]) -> None:
    api = api_of(*least, namespace="default")
    assert {right.what for right in api.review() if right.allowed} == {"list nodes"}
    with pytest.raises(NotAllowed, match="phoenixprocesspipelines"):
        api.look()


def test_a_kubeconfig_of_the_admin_works_as_it_is(cluster: Cluster, least: tuple[Server, Credentials]) -> None:
    admin = reduce_kubeconfig(cluster.kubeconfig, None)
    server, credentials = Server.model_validate(admin.server), Credentials.model_validate(admin.credentials)
    contract.says_its_version_and_that_everything_is_allowed(api_of(server, credentials))


def test_what_cannot_be_trusted_or_reached_is_said_without_the_credentials(
    least: tuple[Server, Credentials], tmp_path: Path
) -> None:
    server, credentials = least
    assert credentials.token is not None
    wrong = Credentials(token=SecretStr("not-the-token-of-anybody"))
    with pytest.raises(NotAllowed) as told:
        api_of(server, wrong).look()
    assert "not-the-token" not in str(told.value)
    away = server.model_copy(update={"url": "https://127.0.0.1:9"})
    with pytest.raises(Unavailable) as told_too:
        api_of(away, credentials).look()
    assert credentials.token.get_secret_value() not in str(told_too.value)
    other = other_ca(tmp_path)
    with pytest.raises(Unavailable, match=r"(?i)certificate"):
        api_of(server.model_copy(update={"ca": other}), credentials).look()


def other_ca(folder: Path) -> str:
    """A CA that signed nothing here."""
    path = folder / "ca.crt"
    made = f"openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=other -days 1 -keyout {folder / 'ca.key'} -out {path}"
    subprocess.run(made.split(), check=True, capture_output=True, timeout=60)
    return path.read_text("utf-8")
