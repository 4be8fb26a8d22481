"""Helm on the test cluster, and kubeconform with schemas that the cluster itself gives: no internet."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from chalicelib.settings import ROOT
from tests.kubernetes.cluster import Cluster, Failed

CHART = ROOT / "charts" / "phoenix"
HELM = ROOT / ".tools" / "bin" / "helm"
KUBECONFORM = ROOT / ".tools" / "bin" / "kubeconform"
SECONDS = 240.0


def helm(cluster: Cluster, folder: Path, *words: str) -> str:
    """What Helm prints. Failed with its own words. folder: where it may keep things."""
    assert HELM.exists(), "run: make .tools/bin/helm"
    homes = {f"HELM_{room}_HOME": str(folder / room.lower()) for room in ("CACHE", "CONFIG", "DATA")}
    done = subprocess.run(
        [str(HELM), *words],
        env={**os.environ, **homes, "KUBECONFIG": str(cluster.kubeconfig)},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    if done.returncode != 0:
        raise Failed(f"helm {' '.join(words)}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def conform(text: str, schemas: Path) -> str:
    """kubeconform's summary of some manifests, strict. Failed with its words when one is wrong."""
    assert KUBECONFORM.exists(), "run: make .tools/bin/kubeconform"
    place = f"{schemas}/{{{{.ResourceKind}}}}{{{{.KindSuffix}}}}.json"
    words = ["-strict", "-summary", "-schema-location", place, "-"]
    done = subprocess.run(
        [str(KUBECONFORM), *words], input=text, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    if done.returncode != 0:
        raise Failed(done.stdout + done.stderr)
    return done.stdout


def write_schemas(cluster: Cluster, folder: Path) -> None:
    """The schema of each kind that the cluster has, from its own OpenAPI document, unknown fields refused."""
    document = json.loads(cluster.kubectl("get", "--raw", "/openapi/v2"))
    definitions = {name: _strict(one) for name, one in document["definitions"].items()}
    (folder / "definitions.json").write_text(json.dumps({"definitions": definitions}))
    for name, one in document["definitions"].items():
        for kind in one.get("x-kubernetes-group-version-kind", ()):
            words = [kind["kind"], *([kind["group"].split(".")[0]] if kind["group"] else []), kind["version"]]
            schema = {"$ref": f"definitions.json#/definitions/{name}"}
            (folder / f"{'-'.join(words).lower()}.json").write_text(json.dumps(schema))


def _strict(node: Any) -> Any:
    """As JSON schema has it: references to the file, integers or strings, nothing but what is named."""
    if isinstance(node, list):
        return [_strict(one) for one in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node and isinstance(node["$ref"], str):
        return {"$ref": "definitions.json" + node["$ref"]}
    if node.get("format") == "int-or-string" or node.get("x-kubernetes-int-or-string") is True:
        return {"type": ["integer", "string"]}
    found = {name: _strict(inner) for name, inner in node.items() if not name.startswith("x-kubernetes-")}
    known = node.get("properties")
    open_ended = node.get("x-kubernetes-preserve-unknown-fields")
    if isinstance(known, dict) and "type" not in known and "additionalProperties" not in node and not open_ended:
        found["additionalProperties"] = False
    return found
