"""The chart on a real cluster: clean with every overlay, of the cluster's own schemas; installed, tested, upgraded and
removed; with the least rights; resources kept; plain manifests that are the same. The guide's whole way, with backups:
test_chart_guide."""

from __future__ import annotations

import base64
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from phoenix_cli.manifests.from_chart import manifests
from phoenix_cli.manifests.rendering import checked, render
from tests.acceptance.waiting import until
from tests.engines.prometheus import Prometheus, resolve, running
from tests.kubernetes.cluster import Cluster, Failed
from tests.kubernetes.helm import CHART, HELM, conform, helm, write_schemas
from tests.kubernetes.monitoring import GROUP, KINDS, alerts, of_kind, rules_of, scraping
from tests.unit.kubernetes_crd.resources import PIPELINE, resource

SYSTEM, PLACE, PLAIN = "phoenix-system", "phoenix-charted", "phoenix-plain"
pytestmark = pytest.mark.timeout(900)
"""An install, two upgrades, jobs of theirs: minutes on a machine that has other work."""
NO_NODE = {"variants": [{"pipeline": "process-baseline-v1"}], "nodeSelector": {"no": "node"}}
MONITORED = ("metrics.serviceMonitor.enabled=true", "metrics.prometheusRule.enabled=true")
OVERLAYS = ("values.yaml", "values-dev.yaml", "values-staging.yaml", "values-prod.yaml")
MODES: dict[str, tuple[str, ...]] = {
    **{overlay: ("-f", str(CHART / overlay)) for overlay in OVERLAYS},
    "push": ("--set", "controlPlane.mode=push"),
    "pull": ("--set", "controlPlane.mode=pull,controlPlane.cluster=store,controlPlane.experimentsSecretName=mirror"),
    "restore": ("--set", "restore.enabled=true,backup.enabled=true,restore.file=phoenix-20260101T000000Z.yaml"),
    "kept": ("--set", "restore.enabled=true,backup.enabled=true,backup.storage.existingClaim=kept"),
    "bare": (
        "--set",
        "rbac.create=false,serviceAccount.create=false,serviceAccount.name=mine,networkPolicy.enabled=false",
    ),
}


@pytest.fixture(scope="module")
def schemas(cluster: Cluster, crds: None, monitoring: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("schemas")
    write_schemas(cluster, folder)
    return folder


@pytest.mark.parametrize("mode", MODES)
def test_the_chart_is_clean_and_every_object_is_of_the_clusters_schema(
    cluster: Cluster, schemas: Path, tmp_path: Path, mode: str
) -> None:
    helm(cluster, tmp_path, "lint", "--strict", str(CHART), *MODES[mode])
    text = helm(cluster, tmp_path, "template", "phoenix", str(CHART), "-n", SYSTEM, "--include-crds", *MODES[mode])
    assert "Invalid: 0, Errors: 0" in conform(text, schemas)


@pytest.mark.parametrize(
    ("setting", "named"),
    [
        ("operator.replicas=3", "/operator/replicas"),
        ("operator.replica=2", "'replica' not allowed"),
        ("image.pullPolicy=Sometimes", "/image/pullPolicy"),
        ("controlPlane.mode=pull", "/controlPlane/cluster"),
        ("watch.namespaces={A}", "/watch/namespaces/0"),
        ("backup.schedule=nightly", "/backup/schedule"),
        ("restore.file=../../etc/passwd", "/restore/file"),
        ("metrics.port=80", "/metrics/port"),
        ("serviceAccount.create=false", "/serviceAccount/name"),
    ],
)
def test_values_that_cannot_be_right_are_refused_by_name(
    cluster: Cluster, tmp_path: Path, setting: str, named: str
) -> None:
    with pytest.raises(Failed) as told:
        helm(cluster, tmp_path, "template", "phoenix", str(CHART), "--set", setting)
    assert named in str(told.value).replace(".", "/")


def namespace(name: str, level: str) -> dict[str, Any]:
    labels = {"pod-security.kubernetes.io/enforce": level}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


class Release:
    """The chart, installed in a namespace under PodSecurity "restricted"."""

    def __init__(self, cluster: Cluster, images: dict[str, str], folder: Path) -> None:
        self._cluster, self._folder = cluster, folder
        self._settings = [f"watch.namespaces={{{PLACE}}}", f"controlPlane.namespace={PLACE}", "controlPlane.mode=push"]
        self._settings += MONITORED
        for room, ref in (("image", images["operator"]), ("collector.image", images["collector"])):
            name, _, tag = ref.rpartition(":")
            self._settings += [f"{room}.repository={name}", f"{room}.tag={tag}"]

    def helm(self, *words: str) -> str:
        return helm(self._cluster, self._folder, *words, "-n", SYSTEM)

    def put(self, verb: str, *more: str) -> str:
        settings = [word for one in (*self._settings, *more) for word in ("--set", one)]
        return self.helm(verb, "phoenix", str(CHART), *settings, "--wait", "--timeout", "200s")


@pytest.fixture(scope="module")
def release(
    cluster: Cluster, crds: None, monitoring: None, images: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Release]:
    cluster.kubectl("wait", "--for=delete", f"namespace/{SYSTEM}", "--timeout=120s", seconds=130)
    cluster.apply(namespace(SYSTEM, "restricted"), namespace(PLACE, "privileged"))
    found = Release(cluster, images, tmp_path_factory.mktemp("helm"))
    assert f"watches {PLACE}" in found.put("install")
    yield found
    found.helm("uninstall", "phoenix", "--ignore-not-found")
    for name in (PLACE, SYSTEM):
        cluster.kubectl("delete", "namespace", name, "--wait=false")


def operators(cluster: Cluster) -> list[dict[str, Any]]:
    return cluster.list("pods", "app.kubernetes.io/component=operator", SYSTEM)


def reconciled(cluster: Cluster) -> bool:
    """Whether one of the release's own operators has reconciled pipelines, as its metrics say."""
    addresses = [pod["status"].get("podIP") for pod in operators(cluster)]
    texts = [httpx.get(f"http://{address}:9464/metrics", timeout=10).text for address in addresses if address]
    done = 'phoenix_operator_reconciles_total{controller="pipelines",outcome="done"}'
    return any(done in text for text in texts)


def test_an_installed_release_works_under_restricted_pod_security_and_tests_itself(
    cluster: Cluster, release: Release
) -> None:
    said = release.helm("test", "phoenix", "--logs", "--timeout", "150s")
    assert "the operators answer" in said
    assert "Phase:          Succeeded" in said
    until("the release's operator has reconciled", lambda: reconciled(cluster), 60)
    assert not cluster.list("phoenixprocesspipelines", namespace=PLACE)


def test_the_api_server_takes_the_monitoring_objects_strictly(cluster: Cluster, release: Release) -> None:
    text = release.helm("get", "manifest", "phoenix")
    for kind in KINDS:
        made = of_kind(text, kind)
        assert cluster.get(f"{kind.lower()}s.{GROUP}", "phoenix-operator", SYSTEM)
        cluster.apply({**made, "metadata": {**made["metadata"], "name": "again"}}, namespace=SYSTEM)
        cluster.delete(f"{kind.lower()}s.{GROUP}", "again", SYSTEM)
        with pytest.raises(Failed, match=r"unknown|not declared"):
            cluster.apply({**made, "spec": {**made["spec"], "endpoint": []}}, namespace=SYSTEM)


def test_a_prometheus_finds_the_operators_by_the_service_monitor_and_has_all_that_the_alerts_ask_for(
    cluster: Cluster, release: Release, tmp_path: Path
) -> None:
    text = release.helm("get", "manifest", "phoenix")
    rule = of_kind(text, "PrometheusRule")
    (tmp_path / "rules.yaml").write_text(rules_of(rule, interval="1s"), "utf-8")
    cluster.apply(resource(PIPELINE, NO_NODE, "watched"), namespace=PLACE)
    exprs = "\n".join(one["expr"] for group in rule["spec"]["groups"] for one in group["rules"])
    # Failures alone have no series while nothing fails.
    asked = {series for series in re.findall(r"phoenix_\w+\{[^}]*\}", exprs) if "!=" not in series}
    assert len(asked) >= 4
    with running(resolve(os.environ), tmp_path, scraping(of_kind(text, "ServiceMonitor"), cluster)) as prometheus:

        def missing() -> set[str]:
            return {series for series in asked if not prometheus.query(series)}

        until("each series that an alert asks for is there", lambda: not missing(), 120, every=0.5)
        assert not prometheus.query('phoenix_operator_leading{namespace="elsewhere"}')
        targets = prometheus.query("up")
        assert [target["metric"]["pod"] for target in targets] == [name_of(pod) for pod in operators(cluster)]
        # PhoenixOperatorsAway may be pending too, from before the first scrape to the next evaluation.
        noticed = {"PhoenixPipelinesNotReady"}
        until("the pipeline for no node alone is noticed", lambda: waiting(prometheus) == noticed, 60, every=0.5)
        assert {rule["health"] for rule in alerts(prometheus).values()} == {"ok"}
    cluster.delete("phoenixprocesspipelines", "watched", PLACE)


def waiting(prometheus: Prometheus) -> set[str]:
    """Alerts whose condition holds, but not yet for long enough."""
    return {name for name, rule in alerts(prometheus).items() if rule["state"] != "inactive"}


def test_rights_are_the_least_that_work(cluster: Cluster, release: Release) -> None:
    def may(account: str, *words: str) -> bool:
        return cluster.tried("auth", "can-i", f"--as=system:serviceaccount:{account}", *words).stdout.strip() == "yes"

    operator, control_plane = f"{SYSTEM}:phoenix", f"{PLACE}:phoenix-control-plane"
    assert may(operator, "patch", "daemonsets.apps", "-n", PLACE)
    assert not may(operator, "patch", "daemonsets.apps", "-n", "default")
    assert not may(operator, "get", "secrets", "-n", PLACE)
    assert not may(operator, "list", "nodes")
    assert not may(operator, "patch", "customresourcedefinitions")
    assert may(control_plane, "list", "nodes")
    assert may(control_plane, "patch", "phoenixprocesspipelines.phoenix.io", "-n", PLACE)
    assert not may(control_plane, "patch", "experiments.phoenix.io", "-n", PLACE)
    assert not may(control_plane, "get", "secrets", "-n", PLACE)
    assert not may(control_plane, "list", "pods", "-n", PLACE)


def test_an_upgrade_puts_this_releases_definitions_in_place_and_two_operators_share_a_lease(
    cluster: Cluster, release: Release
) -> None:
    columns = '[{"op": "remove", "path": "/spec/versions/0/additionalPrinterColumns/0"}]'
    cluster.kubectl("patch", "crd", "phoenixprocesspipelines.phoenix.io", "--type=json", "-p", columns)
    release.put("upgrade", "operator.replicas=2")
    crd = cluster.get("crd", "phoenixprocesspipelines.phoenix.io")
    assert crd is not None
    assert crd["spec"]["versions"][0]["additionalPrinterColumns"][0]["name"] == "Pipeline"
    assert len(operators(cluster)) >= 2
    until("the Lease is of one of them", lambda: holder(cluster) in {name_of(pod) for pod in operators(cluster)}, 120)
    assert "phoenix-crds" not in cluster.kubectl("get", "jobs,serviceaccounts", "-n", SYSTEM, "-o", "name")


def name_of(thing: dict[str, Any]) -> str:
    return str(thing["metadata"]["name"])


def holder(cluster: Cluster) -> str:
    lease = cluster.get("lease", "phoenix-operator", SYSTEM)
    return str(lease["spec"].get("holderIdentity")) if lease else ""


def test_definitions_and_resources_outlive_the_release(cluster: Cluster, release: Release) -> None:
    cluster.apply(resource(PIPELINE, NO_NODE, "stays"), namespace=PLACE)
    release.helm("uninstall", "phoenix")
    assert cluster.get("deployment", "phoenix-operator", SYSTEM) is None
    assert cluster.get("phoenixprocesspipelines", "stays", PLACE)
    assert cluster.get("crd", "experiments.phoenix.io")


def test_the_plain_manifests_are_the_charts() -> None:
    for path, text in manifests(str(HELM)).items():
        assert path.read_text("utf-8") == text, "run: python -m phoenix_cli.manifests.from_chart"


def test_plain_manifests_run_the_operators_and_let_the_control_plane_in(
    cluster: Cluster, schemas: Path, images: dict[str, str]
) -> None:
    given = {"cluster": "store", "operatorImage": images["operator"], "collectorImage": images["collector"]}
    pull = checked(mode="pull", endpoint="https://a:8443", **given)
    assert "Invalid: 0, Errors: 0" in conform(render(pull), schemas)
    text = render(checked(mode="push", namespace=PLAIN, **given))
    cluster.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", given=text)
    try:
        cluster.kubectl(
            *("rollout", "status", "deployment/phoenix-operator", "-n", PLAIN, "--timeout=200s"), seconds=210
        )
        token = until("the token is there", lambda: token_of(cluster), 30)
        as_it = ("--token", token, "--kubeconfig", "/dev/null", "--server", "https://127.0.0.1")
        as_it = (*as_it, "--insecure-skip-tls-verify")
        assert json.loads(cluster.kubectl(*as_it, "get", "nodes", "-o", "json"))["items"]
        assert cluster.tried(*as_it, "get", "phoenixprocesspipelines", "-n", PLAIN).returncode == 0
        assert "forbidden" in cluster.tried(*as_it, "get", "secrets", "-n", PLAIN).stderr
    finally:
        for kind in ("clusterrole", "clusterrolebinding"):
            cluster.delete(kind, f"phoenix-control-plane-{PLAIN}")
        cluster.kubectl("delete", "namespace", PLAIN, "--wait=false")


def token_of(cluster: Cluster) -> str:
    secret = cluster.get("secret", "phoenix-control-plane", PLAIN)
    return base64.b64decode((secret or {}).get("data", {}).get("token", "")).decode()
