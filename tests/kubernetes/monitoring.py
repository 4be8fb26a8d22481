"""What Prometheus operator does with the chart's objects: its definitions in the test cluster, a ServiceMonitor as the
configuration of a Prometheus, rules as a file. Not here: that operator itself."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import httpx
import yaml

from chalicelib.settings import ROOT
from tests.acceptance.waiting import until
from tests.engines.prometheus import Prometheus
from tests.kubernetes.cluster import Cluster

DEFINITIONS = ROOT / ".tools" / "monitoring"
PROMTOOL = ROOT / ".tools" / "bin" / "promtool"
GROUP = "monitoring.coreos.com"
KINDS = ("ServiceMonitor", "PrometheusRule")


def define(cluster: Cluster) -> None:
    """Both kinds are known to the cluster: its OpenAPI document names what is established."""
    assert DEFINITIONS.is_dir(), "run: make .tools/monitoring"
    cluster.kubectl("apply", "--server-side", "--field-manager=tester", "-f", str(DEFINITIONS))

    def published() -> bool:
        said = json.loads(cluster.kubectl("get", "--raw", "/openapi/v2"))["definitions"]
        return all(any(name.endswith(f".v1.{kind}") for name in said) for kind in KINDS)

    until("both kinds are in the OpenAPI document", published, 60, every=0.5)


def of_kind(manifests: str, kind: str) -> dict[str, Any]:
    """The one object of a kind among rendered manifests."""
    (found,) = [one for one in yaml.safe_load_all(manifests) if one and one["kind"] == kind]
    return dict(found)


def promtool(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """promtool run to its end in a folder, however it ends."""
    assert PROMTOOL.exists(), "run: make .tools/bin/promtool"
    return subprocess.run([str(PROMTOOL), *words], cwd=folder, capture_output=True, text=True, timeout=60, check=False)


def rules_of(rule: dict[str, Any], *, described: bool = True, **more: Any) -> str:
    """The groups of a PrometheusRule as the text of a rule file. described: with annotations. more: of each group, such
    as its interval."""
    groups = [{**group, **more} for group in rule["spec"]["groups"]]
    if not described:
        bare = [[{**one, "annotations": {}} for one in group["rules"]] for group in groups]
        groups = [{**group, "rules": rules} for group, rules in zip(groups, bare, strict=True)]
    return yaml.safe_dump({"groups": groups})


def scraping(monitor: dict[str, Any], cluster: Cluster) -> str:
    """A Prometheus' configuration with the endpoints that a ServiceMonitor means now, and the labels that Prometheus
    operator gives them; evaluates rules.yaml beside it. (Debian's Prometheus cannot ask Kubernetes itself.)"""
    (endpoint,) = monitor["spec"]["endpoints"]
    place, chosen = monitor["metadata"]["namespace"], monitor["spec"]["selector"]["matchLabels"]
    targets = []
    for service in cluster.list("services", ",".join(f"{key}={value}" for key, value in chosen.items()), place):
        name = service["metadata"]["name"]
        found = cluster.get("endpoints", name, place) or {}
        for part in found.get("subsets", ()):
            ports = [port["port"] for port in part["ports"] if port.get("name") == endpoint["port"]]
            for address in part.get("addresses", ()):
                labels = {"namespace": place, "service": name, "pod": address["targetRef"]["name"]}
                targets += [{"targets": [f"{address['ip']}:{port}"], "labels": labels} for port in ports]
    job = {"job_name": f"serviceMonitor/{place}/{monitor['metadata']['name']}/0", "static_configs": targets}
    return yaml.safe_dump({"rule_files": ["rules.yaml"], "scrape_configs": [job]})


def alerts(prometheus: Prometheus) -> dict[str, dict[str, Any]]:
    """Each alerting rule that a Prometheus evaluates: its health, its state, its last error."""
    answer = httpx.get(f"{prometheus.url}/api/v1/rules", params={"type": "alert"}, timeout=30)
    groups = answer.raise_for_status().json()["data"]["groups"]
    return {rule["name"]: rule for group in groups for rule in group["rules"]}
