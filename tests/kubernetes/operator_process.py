"""The operators as a process of this machine, in the cluster's network: started, stopped, killed; what it printed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import httpx
import psutil

from phoenix_cli.binaries.resolve import resolve_collector
from phoenix_cli.host_runtime import guard
from tests.acceptance.machine import ROOT, free_port
from tests.acceptance.waiting import until
from tests.kubernetes.cluster import Cluster

START_SECONDS = 60.0
STOP_SECONDS = 30.0
_NOT_OURS = ("KUBECONFIG", "KUBERNETES_SERVICE_HOST", "PHOENIX_URL", "PHOENIX_TOKEN")


class OperatorProcess:
    """Use as a context manager: leaving it stops the operator. Should this process be killed, the operator ends too.

    extra: options and variables besides those every operator of the tests has.
    """

    def __init__(
        self,
        cluster: Cluster,
        images: Mapping[str, str],
        folder: Path,
        *words: str,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self._words = words
        self._log = folder / f"operator-{free_port()}.log"
        self._port = free_port()
        kept = {key: value for key, value in os.environ.items() if key not in _NOT_OURS}
        self._env = {**kept, **_variables(cluster, images, self._port), "PYTHONPATH": str(ROOT), **(env or {})}
        self._child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> OperatorProcess:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._child is not None and self._child.poll() is None

    @property
    def said(self) -> str:
        """The end of what it printed."""
        return self._log.read_text("utf-8", "replace")[-6000:] if self._log.exists() else ""

    def start(self) -> None:
        """Start it (again); returns when it says that it lives."""
        self.launch()
        until("the operator lives", self._lives, START_SECONDS)

    def launch(self) -> None:
        """Start it (again) and do not wait for anything."""
        assert not self.alive, "it runs already"
        guarded = [sys.executable, "-I", str(Path(guard.__file__)), "--parent", str(os.getpid())]
        command = [
            *guarded,
            "--grace",
            "20",
            "--orphan-grace",
            "5",
            "--",
            sys.executable,
            "-m",
            "operators",
            *self._words,
        ]
        with self._log.open("ab") as log:
            self._child = subprocess.Popen(
                command, env=self._env, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )

    def process(self) -> psutil.Process:
        """The operator itself."""
        assert self._child is not None
        (found,) = psutil.Process(self._child.pid).children()
        return found

    def kill(self) -> None:
        """kill -9."""
        assert self._child is not None
        os.kill(self.process().pid, signal.SIGKILL)
        self.wait()

    def wait(self, seconds: float = STOP_SECONDS) -> int:
        """Until it has ended, by whatever cause; its exit code."""
        assert self._child is not None
        return self._child.wait(seconds)

    def stop(self) -> None:
        """SIGTERM, as Kubernetes does; fails when it does not end in time. One that has ended is fine."""
        if not self.alive:
            return
        assert self._child is not None
        self.process().terminate()
        try:
            self.wait()
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(
                f"the operator did not end within {STOP_SECONDS:g} s of SIGTERM: {self.said}"
            ) from None

    def metrics(self) -> str:
        """What it says of itself on its metrics port."""
        return httpx.get(f"http://127.0.0.1:{self._port}/metrics", timeout=10).text

    def _lives(self) -> bool:
        assert self.alive, self.said
        try:
            return httpx.get(f"http://127.0.0.1:{self._port}/metrics", timeout=2).status_code == 200
        except httpx.HTTPError:
            return False


def _variables(cluster: Cluster, images: Mapping[str, str], port: int) -> dict[str, str]:
    return {
        "KUBECONFIG": str(cluster.kubeconfig),
        "PHOENIX_OPERATOR_COLLECTOR_IMAGE": images["collector"],
        "PHOENIX_OPERATOR_OPERATOR_IMAGE": images["operator"],
        "PHOENIX_OPERATOR_METRICS_PORT": str(port),
        "PHOENIX_OPERATOR_HEALTH_PORT": "0",
        "PHOENIX_OTELCOL": str(resolve_collector(os.environ, lambda progress: None)),
    }
