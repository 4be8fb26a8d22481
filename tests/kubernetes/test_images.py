"""The images run as they will in a cluster: unprivileged, on a read-only root, with nothing but what is in them."""

from __future__ import annotations

import json
from typing import Any

from tests.acceptance.waiting import until
from tests.kubernetes.cluster import Cluster

RESTRICTED = {
    "runAsNonRoot": True,
    "readOnlyRootFilesystem": True,
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}


def ran(cluster: Cluster, name: str, image: str, **container: Any) -> str:
    """What a container prints until it has ended well."""
    one = {"name": name, "image": image, "imagePullPolicy": "Never", "securityContext": RESTRICTED, **container}
    spec = {"restartPolicy": "Never", "automountServiceAccountToken": False, "containers": [one]}
    cluster.apply({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec})

    def ended() -> str:
        pod = cluster.get("pod", name)
        phase = str((pod or {}).get("status", {}).get("phase"))
        return phase if phase in {"Succeeded", "Failed"} else ""

    try:
        phase = until(f"pod {name} has ended", ended, 90)
        printed = cluster.kubectl("logs", name)
        assert phase == "Succeeded", printed
        return printed
    finally:
        cluster.delete("pod", name)


def test_the_collectors_image_has_the_stock_collector(cluster: Cluster, images: dict[str, str]) -> None:
    said = ran(cluster, "a-collector", images["collector"], args=["components"])
    assert "hostmetrics" in said
    assert "topk" not in said, "stock components only"


def test_the_operators_image_has_all_that_operators_and_loads_import(cluster: Cluster, images: dict[str, str]) -> None:
    program = (
        "import json, os, pkgutil, importlib, subprocess\n"
        "import operators, loadsim\n"
        "found = [m.name for p in (operators, loadsim) for m in pkgutil.walk_packages(p.__path__, p.__name__ + '.')]\n"
        "for name in found:\n"
        "    if not name.endswith('__main__'): importlib.import_module(name)\n"
        "otelcol = subprocess.run([os.environ['PHOENIX_OTELCOL'], '--version'], capture_output=True, text=True)\n"
        "from chalicelib.settings import ROOT\n"
        "print(json.dumps([len(found), os.getuid(), otelcol.stdout, sorted(os.listdir(ROOT / 'catalog'))[:1]]))\n"
    )
    said = ran(cluster, "an-operator", images["operator"], command=["/usr/local/bin/python3", "-c", program])
    modules, user, otelcol, catalog = json.loads(said.splitlines()[-1])
    assert modules > 20
    assert user == 65534
    assert "version" in otelcol
    assert catalog
