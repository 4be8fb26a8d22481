"""The API server as the bench speaks to it: many writers, one watcher. It never uses what it measures."""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import yaml

from bench.instruments.running import BenchFailed

SERVER = "https://127.0.0.1:443"
PIPELINES = "/apis/phoenix.io/v1alpha1/namespaces/default/phoenixprocesspipelines"
DAEMON_SETS = "/apis/apps/v1/namespaces/default/daemonsets"
WRITERS = 20
MERGE = "application/merge-patch+json"


class Api:
    """The cluster's admin, by client certificate. Use as a context manager."""

    def __init__(self, kubeconfig: Path) -> None:
        document = yaml.safe_load(kubeconfig.read_text("utf-8"))
        user = document["users"][0]["user"]
        context = ssl.create_default_context(cafile=document["clusters"][0]["cluster"]["certificate-authority"])
        context.load_cert_chain(user["client-certificate"], user["client-key"])
        self._client = httpx.Client(base_url=SERVER, verify=context, timeout=60, headers={"user-agent": "bench"})

    def __enter__(self) -> Api:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None, kind: str = "") -> dict[str, Any]:
        """One request. Raises BenchFailed with the server's words."""
        headers = {"content-type": kind or "application/json"}
        answer = self._client.request(method, path, content=json.dumps(body) if body else None, headers=headers)
        if not answer.is_success:
            raise BenchFailed(f"{method} {path}: {answer.status_code}: {answer.text[:500]}")
        found: dict[str, Any] = answer.json()
        return found

    def create(self, path: str, bodies: Iterable[Mapping[str, Any]]) -> None:
        """All of them, by so many writers at once."""
        with ThreadPoolExecutor(WRITERS) as pool:
            list(pool.map(lambda body: self.ask("POST", path, body), bodies))

    def lines(self, path: str, version: str) -> Iterable[dict[str, Any]]:
        """Watch events from a resource version on, until the client is closed."""
        query = {"watch": "1", "resourceVersion": version, "timeoutSeconds": "3000"}
        with self._client.stream("GET", path, params=query, timeout=None) as answer:
            for line in answer.iter_lines():
                yield json.loads(line)


class Watcher:
    """When each object came to be as a condition asks. done(object) says whether it is."""

    def __init__(self, kubeconfig: Path, path: str, done: Callable[[Mapping[str, Any]], bool]) -> None:
        self._api, self._path, self._done = Api(kubeconfig), path, done
        self._change = threading.Condition()
        self._at: dict[str, float] = {}
        version = self._api.ask("GET", path + "?limit=1")["metadata"]["resourceVersion"]
        self._thread = threading.Thread(target=self._follow, args=(version,), daemon=True)
        self._thread.start()

    def all(self, names: Iterable[str], seconds: float) -> dict[str, float]:
        """When each of these was first so (time.perf_counter), waited for. Raises BenchFailed at the deadline."""
        wanted = set(names)
        end = time.perf_counter() + seconds
        with self._change:
            while not wanted <= self._at.keys():
                if not self._change.wait(end - time.perf_counter()):
                    left = len(wanted - self._at.keys())
                    raise BenchFailed(f"{left} of {len(wanted)} were not there within {seconds:g} s")
            return {name: self._at[name] for name in wanted}

    def forget(self) -> None:
        """Start again: only what happens from now on counts."""
        with self._change:
            self._at.clear()

    def _follow(self, version: str) -> None:
        try:
            for event in self._api.lines(self._path, version):
                thing = event["object"]
                if event["type"] in ("ADDED", "MODIFIED") and self._done(thing):
                    with self._change:
                        self._at.setdefault(thing["metadata"]["name"], time.perf_counter())
                        self._change.notify_all()
        except httpx.HTTPError:
            return  # the cluster ended: whoever waits finds its deadline
