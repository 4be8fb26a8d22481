"""A pipeline's world without a cluster: the fake API, its caches, a reconciler, a DaemonSet controller by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from chalicelib.adapters.catalog.files import FileCatalog
from chalicelib.domain.errors import Unavailable
from chalicelib.domain.kubernetes.process_pipeline import PhoenixProcessPipelineStatus
from chalicelib.settings import ROOT
from operators.engine.caches import Caches
from operators.engine.objects import CONFIG_MAP, DAEMON_SET, POD, Key
from operators.pipelines.confirmation import Answer
from operators.pipelines.desired import Settings
from operators.pipelines.names import CONFIG_HASH, CONTAINER, FORM, OWNER, PIPELINE, WATCHED
from operators.pipelines.reconcile import PipelineReconciler
from tests.fakes.clock import SettableClock
from tests.fakes.kubernetes import FakeCluster, fill

KEY = Key("shop", "web")
CATALOG = FileCatalog(ROOT / "catalog")
OWN: dict[str, Any] = {
    "receivers": {"hostmetrics": {"scrapers": {"process": {}}}},
    "exporters": {"nop": {}},
    "service": {"pipelines": {"metrics": {"receivers": ["hostmetrics"], "exporters": ["nop"]}}},
}


def own(number: int = 1) -> dict[str, Any]:
    """A spec with a configuration of its own; each number is another one."""
    return {"config": {**OWN, "exporters": {"nop": {"number": number}}}}


class Refusing:
    """`Validating`: words about a configuration that holds a text."""

    def __init__(self) -> None:
        self.refusals: dict[str, str] = {}
        self.asked = 0
        self.away = False

    async def refusal(self, config: Mapping[str, Any]) -> str | None:
        self.asked += 1
        if self.away:
            raise Unavailable("no collector is known", hint="set PHOENIX_OTELCOL")
        return next((words for text, words in self.refusals.items() if text in repr(config)), None)


class Collectors:
    """`Confirming`: what the collector at an address says."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.asked: list[str] = []

    async def ask(self, ip: str) -> Answer:
        self.asked.append(ip)
        return self.answers.get(ip, Answer(reason="no answer"))


class World:
    """One pipeline in one namespace."""

    def __init__(self, spec: dict[str, Any] | None = None) -> None:
        self.cluster = FakeCluster()
        self.clock = SettableClock()
        self.validating, self.collectors = Refusing(), Collectors()
        self.spec(spec or own())
        self.restart()

    def restart(self) -> None:
        """Another process, which knows nothing but the cluster."""
        self.caches = Caches(WATCHED)
        self.reconciler = PipelineReconciler(
            self.cluster,
            self.caches,
            self.clock,
            CATALOG,
            self.validating,
            self.collectors,
            Settings("collector:1", "Never"),
        )

    def spec(self, spec: dict[str, Any]) -> None:
        """What the user writes."""
        old = self.cluster.peek(PIPELINE, KEY) or {"metadata": {"name": KEY.name, "namespace": KEY.namespace}}
        kind = {"apiVersion": PIPELINE.api_version, "kind": PIPELINE.kind}
        self.cluster.put(PIPELINE, {**old, **kind, "spec": spec})

    def look(self) -> float | None:
        """One reconcile, with caches as they are after all watches have spoken."""
        return asyncio.run(self._look())

    async def _look(self) -> float | None:
        for cache in self.caches:
            version = str(self.cluster.newest())
            watched = cache.watched
            fill(cache, self.cluster.held(watched.kind, watched.labels), version)
        return await self.reconciler(KEY)

    @property
    def status(self) -> PhoenixProcessPipelineStatus:
        thing = self.cluster.peek(PIPELINE, KEY) or {}
        return PhoenixProcessPipelineStatus.model_validate(thing.get("status") or {})

    def condition(self, kind: str) -> tuple[str, str]:
        """Status and reason."""
        return next((one.status.value, one.reason) for one in self.status.conditions if one.type == kind)

    def daemon_set(self) -> dict[str, Any]:
        found = self.cluster.peek(DAEMON_SET, KEY)
        assert found is not None
        return found

    def config_maps(self) -> list[str]:
        return self.cluster.names(CONFIG_MAP)

    def observed(self, desired: int = 1, updated: int = 0, available: int = 0) -> None:
        """The DaemonSet's controller has looked."""
        generation = self.daemon_set()["metadata"]["generation"]
        status = {
            "observedGeneration": generation,
            "desiredNumberScheduled": desired,
            "updatedNumberScheduled": updated,
            "numberAvailable": available,
        }
        self.cluster.edit(DAEMON_SET, KEY, lambda one: one.update(status=status))

    def pod(self, name: str = "web-1", node: str = "node-1", **state: Any) -> None:
        """A pod of the DaemonSet's form as it is now. state: of its container; `ready` since a Unix second."""
        template = self.daemon_set()["spec"]["template"]["metadata"]
        ready = state.pop("ready", None)
        container = {"name": CONTAINER, "ready": ready is not None, **state}
        conditions = [{"type": "Ready", "status": "True", "lastTransitionTime": stamp(ready)}] if ready else []
        labels = {OWNER: KEY.name, FORM: template["labels"][FORM]}
        self.cluster.put(
            POD,
            {
                "metadata": {
                    "name": name,
                    "namespace": KEY.namespace,
                    "uid": f"uid-{name}",
                    "labels": labels,
                    "annotations": {CONFIG_HASH: template["annotations"][CONFIG_HASH]},
                },
                "spec": {"nodeName": node},
                "status": {"podIP": f"10.0.0.{len(name)}", "conditions": conditions, "containerStatuses": [container]},
            },
        )

    def runs(self, name: str = "web-1", node: str = "node-1") -> None:
        """Its collector is ready since now and says that it runs what it was given."""
        now = self.clock.now()
        self.pod(name, node, ready=now, state={"running": {"startedAt": stamp(now)}})
        given = self.daemon_set()["spec"]["template"]["metadata"]["annotations"][CONFIG_HASH]
        self.collectors.answers[f"10.0.0.{len(name)}"] = Answer(given)

    def crashes(self, name: str = "web-22", words: str = "Error: no such file") -> None:
        """Its collector ends again and again."""
        ended = {"terminated": {"exitCode": 1, "message": words}}
        waiting = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s"}}
        self.pod(name, state=waiting, lastState=ended, restartCount=2)

    def roll_out(self) -> None:
        """What the spec asks for is ready on the one node there is."""
        self.look()
        self.runs()
        self.observed(updated=1)
        self.look()
        self.clock.advance(60)
        self.observed(updated=1, available=1)
        self.look()
        assert self.condition("Ready") == ("True", "AllNodesReady")

    def writes(self) -> int:
        return len(self.cluster.asked("patch", "delete", "create"))


def stamp(seconds: float) -> str:
    """RFC 3339, in whole seconds."""
    from datetime import UTC, datetime

    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
