"""docs/guides/helm.md as a new user follows it: its own files and its own commands, from top to bottom, in a cluster
whose volumes are bound late, as most are."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from chalicelib.settings import ROOT
from tests.acceptance.waiting import until
from tests.kubernetes.cluster import Cluster
from tests.kubernetes.helm import CHART, HELM

GUIDE = ROOT / "docs" / "guides" / "helm.md"
SYSTEM, PLACE = "phoenix-system", "phoenix-pipelines"
SECONDS = 400.0
_BLOCK = re.compile(r"^```(sh|yaml)\n(?:# (\S+\.yaml)\n)?(.*?)^```$", re.MULTILINE | re.DOTALL)
_CLASS = {
    "apiVersion": "storage.k8s.io/v1",
    "kind": "StorageClass",
    "metadata": {"name": "late", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
    "provisioner": "kubernetes.io/no-provisioner",
    "volumeBindingMode": "WaitForFirstConsumer",
}


class User:
    """Has kubectl and helm on PATH, the guide's files, and the repository's charts. Does what the guide says."""

    def __init__(self, cluster: Cluster, folder: Path) -> None:
        self._folder = folder
        blocks = _BLOCK.findall(GUIDE.read_text("utf-8"))
        for name in (found := {name: text for kind, name, text in blocks if kind == "yaml" and name}):
            (folder / name).write_text(found[name], "utf-8")
        self._blocks = [text for kind, _, text in blocks if kind == "sh"]
        self.undone = list(self._blocks)
        (folder / "charts").symlink_to(CHART.parent)
        (folder / "bin").mkdir()
        (folder / "bin" / "kubectl").symlink_to(cluster.folder / "k")
        (folder / "bin" / "helm").symlink_to(HELM)
        homes = {f"HELM_{room}_HOME": str(folder / room.lower()) for room in ("CACHE", "CONFIG", "DATA")}
        path = f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
        self._env = {**os.environ, **homes, "PATH": path, "KUBECONFIG": str(cluster.kubeconfig)}

    def does(self, what: str, **filled: str) -> str:
        """The block that has these words, line by line, placeholders filled in: what it prints."""
        (block,) = [one for one in self._blocks if what in one]
        self.undone = [one for one in self.undone if one != block]
        for place, value in filled.items():
            block = block.replace(place, value)
        done = subprocess.run(
            ["bash", "-euxo", "pipefail", "-c", block],
            cwd=self._folder,
            env=self._env,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        return done.stdout

    def file(self, name: str) -> str:
        """What a command wrote."""
        return (self._folder / name).read_text("utf-8")


@pytest.fixture
def user(cluster: Cluster, crds: None, monitoring: None, images: dict[str, str], tmp_path: Path) -> Iterator[User]:
    for ref in images.values():
        words = ["images", "tag", "--force", f"docker.io/{ref}", f"registry.example/{ref}"]
        subprocess.run([str(cluster.folder / "ctr"), *words], check=True, capture_output=True, timeout=60)
    cluster.kubectl("wait", "--for=delete", f"namespace/{SYSTEM}", "--timeout=120s", seconds=130)
    cluster.apply(_CLASS, volume(tmp_path))
    yield User(cluster, tmp_path)
    for kind, name in (("persistentvolume", "guide"), ("storageclass", "late")):
        cluster.kubectl("delete", kind, name, "--wait=false")
    for name in (PLACE, SYSTEM):
        cluster.kubectl("delete", "namespace", name, "--wait=false", "--ignore-not-found")


def volume(folder: Path) -> dict[str, object]:
    """On the node, which is this machine."""
    for parent in (folder, *folder.parents[:3]):
        parent.chmod(0o755)
    (folder / "volume").mkdir(mode=0o777)
    (folder / "volume").chmod(0o777)
    spec = {
        "accessModes": ["ReadWriteOnce"],
        "capacity": {"storage": "5Gi"},
        "storageClassName": "late",
        "hostPath": {"path": str(folder / "volume")},
    }
    return {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "guide"}, "spec": spec}


def test_the_guide_holds_word_for_word(cluster: Cluster, user: User) -> None:
    assert "the operators answer" in user.does("helm install")
    assert "phoenixprocesspipeline.phoenix.io/baseline" in user.does("kubectl apply -f baseline.yaml")
    until("the control plane's token is there", lambda: user.does("controlPlane.mode=push") and user.file("token"), 60)
    assert len(user.file("token")) > 100
    said = user.does("backup-now")
    (name,) = set(re.findall(r"phoenix-\d{8}T\d{6}Z\.yaml", said))
    cluster.delete("phoenixprocesspipelines", "baseline", PLACE)
    assert "baseline" in user.does("restore.enabled=true", **{"phoenix-TIME.yaml": name})
    assert cluster.get("phoenixprocesspipelines", "baseline", PLACE)
    user.does("helm uninstall")
    assert cluster.get("phoenixprocesspipelines", "baseline", PLACE), "resources go only when they are deleted"
    assert not user.undone
    until("the operators are gone", lambda: not cluster.list("deployments", namespace=SYSTEM), 60)
