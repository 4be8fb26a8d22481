"""An operator's Experiment controller between a Kubernetes API in memory and a real control plane over real HTTP."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from chalicelib.domain.kubernetes.resource import API_VERSION
from operators.control_plane.client import ControlPlaneClient
from operators.engine.caches import Caches
from operators.engine.objects import Key
from operators.experiments.orders import Orders
from operators.experiments.reconciler import WATCHED, ExperimentReconciler
from operators.experiments.resource import EXPERIMENT
from tests.fakes.kubernetes import FakeCluster, fill
from tests.functional.control_plane.world import World, manifest

KEY = Key("web", "web")


class Mirror:
    """One operator. `close` at the end. url: of the control plane; it may change, as a service's endpoint does."""

    def __init__(self, world: World, folder: Path, url: str) -> None:
        self.world, self.cluster, self.folder = world, FakeCluster(), folder
        self.secret = folder / "secret"
        self.secret.mkdir()
        self.token_file = self.secret / "token"
        self.token_file.write_text(world.tokens["operator"], "utf-8")
        self._runner = asyncio.Runner()
        self._client: ControlPlaneClient | None = None
        self.restart(url)

    def restart(self, url: str) -> None:
        """A new operator process with empty caches."""
        self.close_client()
        (self.secret / "endpoint").write_text(url, "utf-8")
        self._client = ControlPlaneClient(self.secret, deadline_s=30)
        self.caches = Caches([WATCHED])
        self._reconciler = ExperimentReconciler(
            self.cluster, self.caches, Orders(self._client), name="prod", now=self.world.clock.now
        )

    def close_client(self) -> None:
        if self._client is not None:
            self._runner.run(self._client.close())

    def close(self) -> None:
        self.close_client()
        self._runner.close()

    def apply(self, hosts: list[str], annotations: dict[str, str] | None = None, **spec: Any) -> None:
        """kubectl apply of a sound experiment on these hosts."""
        file = manifest(hosts, **spec)
        metadata = {**file["metadata"], "namespace": "web", "annotations": annotations or {}}
        before = self.cluster.peek(EXPERIMENT, KEY) or {"metadata": {}}
        thing = {**before, **file, "apiVersion": API_VERSION, "metadata": {**before["metadata"], **metadata}}
        self.cluster.put(EXPERIMENT, thing)

    def annotate(self, name: str) -> None:
        """kubectl annotate NAME=true."""
        self.cluster.edit(EXPERIMENT, KEY, lambda one: one["metadata"]["annotations"].update({name: "true"}))

    def reconcile(self) -> float | None:
        """What the engine does when something changed or is due: until the watch has nothing new."""
        again = None
        for _ in range(20):
            things, version = self._runner.run(self.cluster.list_at(EXPERIMENT, "", ""))
            for cache in self.caches:
                fill(cache, things, version)
            again = self._runner.run(self._reconciler(KEY))
            if self._runner.run(self.cluster.list_at(EXPERIMENT, "", ""))[1] == version:
                return again
        raise AssertionError("it never comes to rest")

    @property
    def thing(self) -> dict[str, Any] | None:
        """The resource, None when it is gone."""
        return self.cluster.peek(EXPERIMENT, KEY)

    @property
    def status(self) -> dict[str, Any]:
        """Of the resource."""
        assert self.thing is not None
        found: dict[str, Any] = self.thing.get("status", {})
        return found

    def condition(self, kind: str) -> tuple[str, str]:
        """Status and reason."""
        (found,) = [one for one in self.status["conditions"] if one["type"] == kind]
        return found["status"], found["reason"]

    def said(self) -> str:
        """The message of Synced."""
        (found,) = [one for one in self.status["conditions"] if one["type"] == "Synced"]
        return str(found["message"])

    def until(self, *states: str) -> None:
        """Let time pass, the operator looking as often as it asked to, until the resource shows one of these states."""
        for _ in range(400):
            again = self.reconcile()
            if self.status.get("state") in states:
                return
            assert again is not None
            self.world.pass_time(max(1.0, again))
        raise AssertionError(f"never {states}: {self.status}")
