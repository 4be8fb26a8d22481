"""The one-node cluster of tests/cluster as a value: up, down, kubectl, and its components killed and started again.

While it is up, the thread that started it is inside the cluster's network namespace (and so is every process and thread
that this one starts): 127.0.0.1:443 is the API server, and pods have their addresses. Not here: anything of Phoenix.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import yaml

from tests.acceptance.waiting import until

SCRIPTS = Path(__file__).resolve().parents[1] / "cluster"
NODE = "node-1"
NODE_ADDRESS = "10.89.0.1"
"""Where pods reach what listens in the cluster's network, such as a control plane."""
UP_SECONDS = 300.0
COMMAND_SECONDS = 60.0
KUBELET_HEALTH = "http://127.0.0.1:10248/healthz"
"""Kubelet's own default; in the cluster's network."""
_CLONE_NEWNET = 0x40000000


class Failed(AssertionError):
    """A command that should have gone well; the text has its own words."""


class Cluster:
    """Use as a context manager. Should this process be killed, the cluster ends as well: its end is watched."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="phoenix-kube-"))
        self.run = self.folder / "run"
        self._env = {**env, "KUBE_DIR": str(self.folder), "KUBE_CGROUP": self.folder.name, "KUBE_NODE": NODE}
        self._env["PYTHON"] = sys.executable
        self._watch: subprocess.Popen[bytes] | None = None
        self._home: int | None = None

    def __enter__(self) -> Cluster:
        # Its input ends when this process does, by whatever cause; then the cluster is brought down.
        ends = f"bash '{SCRIPTS}/down.sh' && rm -f '{self.folder}/k' '{self.folder}/ctr' && rmdir '{self.folder}'"
        waits = ["sh", "-c", f"read -r _; {ends}"]
        self._watch = subprocess.Popen(waits, stdin=subprocess.PIPE, env=self._env, start_new_session=True)
        try:
            self._script("up.sh")
            self._home = _enter(Path("/proc/self/ns/net"))
            _enter(Path(f"/proc/{(self.run / 'holder.pid').read_text().strip()}/ns/net"))
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._home is not None:
            _set(self._home)
            os.close(self._home)
        assert self._watch is not None
        self._watch.communicate(timeout=60)
        assert self._watch.returncode == 0, "the cluster was not brought down whole"

    @property
    def kubeconfig(self) -> Path:
        """Of the cluster's admin."""
        return self.run / "admin.kubeconfig"

    def kubectl(self, *words: str, given: str | None = None, seconds: float = COMMAND_SECONDS) -> str:
        """What kubectl prints. Failed with its own words when it exits with anything but 0."""
        done = self.tried(*words, given=given, seconds=seconds)
        if done.returncode != 0:
            raise Failed(f"kubectl {' '.join(words)}: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout

    def tried(
        self, *words: str, given: str | None = None, seconds: float = COMMAND_SECONDS
    ) -> subprocess.CompletedProcess[str]:
        """kubectl run to its end, however it ends. given: its standard input."""
        command = [str(self.folder / "k"), *words]
        return subprocess.run(command, input=given or "", capture_output=True, text=True, timeout=seconds, check=False)

    def apply(self, *objects: Mapping[str, Any], manager: str = "tester", namespace: str = "default") -> None:
        """Server-side apply, strict about unknown fields. Failed with the server's words."""
        text = yaml.safe_dump_all([dict(one) for one in objects], sort_keys=False)
        flags = ("--server-side", f"--field-manager={manager}", "--validate=strict", "-n", namespace)
        self.kubectl("apply", *flags, "-f", "-", given=text)

    def get(self, kind: str, name: str, namespace: str = "default") -> dict[str, Any] | None:
        """One object, or None."""
        done = self.tried(
            "get", kind, name, "-n", namespace, "-o", "json", "--ignore-not-found", "--show-managed-fields"
        )
        if done.returncode != 0:
            raise Failed(f"get {kind} {name}: {done.stderr.strip()}")
        return json.loads(done.stdout) if done.stdout.strip() else None

    def list(self, kind: str, labels: str = "", namespace: str = "default") -> list[dict[str, Any]]:
        """All objects of a kind in a namespace ("" all), with a label selector."""
        where = ("-n", namespace) if namespace else ("-A",)
        found: list[dict[str, Any]] = json.loads(self.kubectl("get", kind, *where, "-l", labels, "-o", "json"))["items"]
        return found

    def delete(self, kind: str, name: str, namespace: str = "default", seconds: float = 120) -> None:
        """Delete it and wait until it is gone; one that is not there is fine."""
        flags = ("--ignore-not-found", "--wait=true", f"--timeout={seconds:g}s")
        self.kubectl("delete", kind, name, "-n", namespace, *flags, seconds=seconds + 10)

    def logs(self, pod: str, namespace: str = "default", *, lines: int = 200) -> str:
        """What a pod printed, and its previous container; says so when there is none."""
        flags = ("-n", namespace, "--all-containers", "--prefix", f"--tail={lines}")
        before = self.tried("logs", pod, *flags, "--previous")
        now = self.tried("logs", pod, *flags)
        return (before.stdout if before.returncode == 0 else "") + (now.stdout or now.stderr)

    def load(self, archive: Path) -> None:
        """Import an image archive into the node."""
        command = [str(self.folder / "ctr"), "images", "import", str(archive)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)
        if done.returncode != 0:
            raise Failed(f"import of {archive.name}: {done.stderr.strip()}")

    def kill(self, name: str) -> None:
        """kill -9 a component: etcd, apiserver, kcm, scheduler, containerd, kubelet. Its pods go on."""
        pid = int((self.run / f"{name}.pid").read_text())
        os.kill(pid, signal.SIGKILL)
        until(f"{name} is dead", lambda: not _alive(pid), 30)

    def start(self, name: str) -> None:
        """Start a killed component again; does not wait until it serves."""
        script = str(self.run / f"{name}.start")
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        # By a shell that ends at once: the component is no child of the tests, and leaves no zombie here.
        subprocess.run(["sh", "-c", f"setsid '{script}' &"], check=True, timeout=10, **quiet)  # type: ignore[call-overload]

    def crash_node(self) -> None:
        """The node loses its power: kubelet, containerd, its shims and every process of every pod end at once."""
        for name in ("kubelet", "containerd"):
            self.kill(name)

        def gone() -> bool:
            pids = self._processes("kubepods") | {pid for pid in self._processes("sys") if _is_shim(pid)}
            for pid in pids:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            return not pids

        until("every pod's processes are gone", gone, 60)

    def boot_node(self) -> None:
        """Power is back; returns when kubelet works and the node is Ready."""
        self.start("containerd")
        asks = [str(self.folder / "ctr"), "version"]

        def serves() -> bool:
            return subprocess.run(asks, capture_output=True, timeout=60, check=False).returncode == 0

        until("containerd answers", serves, 120)  # kubelet ends at once where it does not
        self.start("kubelet")
        until("kubelet answers", lambda: _answers(KUBELET_HEALTH), 120)
        until("the node is Ready again", self.ready, 180)

    def _processes(self, room: str) -> set[int]:
        found: set[int] = set()
        for path in Path("/sys/fs/cgroup/pids", self.folder.name, room).rglob("cgroup.procs"):
            with suppress(OSError):
                found |= {int(pid) for pid in path.read_text().split()}
        return {pid for pid in found if _alive(pid)}

    def ready(self) -> bool:
        """Whether the API server answers and the node is Ready."""
        path = 'jsonpath={.status.conditions[?(@.type=="Ready")].status}'
        done = self.tried("get", "node", NODE, "-o", path, "--request-timeout=5s")
        return done.returncode == 0 and done.stdout.strip() == "True"

    def said(self) -> str:
        """The end of each component's log, for a failure's report."""
        logs = sorted((self.run / "log").glob("*.log"))
        return "\n".join(f"== {log.name}\n{log.read_text('utf-8', 'replace')[-1500:]}" for log in logs)

    def _script(self, name: str) -> None:
        command = ["bash", str(SCRIPTS / name)]
        done = subprocess.run(
            command,
            env=self._env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=UP_SECONDS,
            check=False,
        )
        assert done.returncode == 0, f"{name}: {done.stdout}{done.stderr}{self.said()}"


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5, trust_env=False).is_success
    except httpx.HTTPError:
        return False


def _alive(pid: int) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def _is_shim(pid: int) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_text().startswith("containerd-shim")
    return False


def _enter(namespace: Path) -> int:
    """Enter a network namespace (this thread, and what it starts later); an open descriptor of it."""
    found = os.open(namespace, os.O_RDONLY)
    _set(found)
    return found


def _set(descriptor: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, _CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns: the cluster's network cannot be entered")
