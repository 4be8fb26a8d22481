"""A fake cluster with one LoadSimulationJob, and the hands of kubelet and controllers for it. No test in here."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from chalicelib.domain.errors import Unavailable
from chalicelib.domain.kubernetes.load_job import LoadSimulationJobStatus
from chalicelib.domain.load import LoadPhase, LoadStatus
from operators.engine.caches import Caches
from operators.engine.objects import JOB, POD, Key
from operators.loads.desired import CONTAINER, LOAD, LoadPods
from operators.loads.reconciler import WATCHED, LoadReconciler
from tests.fakes.clock import SettableClock
from tests.fakes.kubernetes import Died, FakeCluster, fill

KEY = Key("lab", "web")
SPEC: dict[str, Any] = {"load": {"profile": "realistic", "count": 60, "durationS": 600}}


class World:
    """`answers`: what a pod's address answers, a status or why it does not. `asked`: the addresses that were asked."""

    def __init__(self, image_of_operator: str = "phoenix/operator:1", **spec: Any) -> None:
        self._image = image_of_operator
        self.cluster = FakeCluster()
        self.clock = SettableClock()
        self.answers: dict[str, LoadStatus | str] = {}
        self.asked: list[str] = []
        self.put(**spec)
        self.restart()

    def put(self, **spec: Any) -> None:
        thing = {"metadata": {"name": KEY.name, "namespace": KEY.namespace}, "spec": {**SPEC, **spec}}
        self.cluster.put(LOAD, thing)

    def edit_spec(self, **fields: Any) -> None:
        self.cluster.edit(LOAD, KEY, lambda thing: thing["spec"].update(fields))

    async def _ask(self, address: str) -> LoadStatus:
        self.asked.append(address)
        answer = self.answers.get(address, "no route")
        if isinstance(answer, str):
            raise Unavailable(answer)
        return answer

    def restart(self) -> None:
        """The operator is a new process: it remembers nothing."""
        self._caches = Caches(WATCHED)
        pods = LoadPods(self._image)
        self._reconcile = LoadReconciler(self.cluster, self._caches, pods, self._ask, self.clock.now)

    def look(self) -> float | None:
        """One reconcile, of what the cluster holds now."""

        async def once() -> float | None:
            for cache in self._caches:
                watched = cache.watched
                things, version = await self.cluster.list_at(watched.kind, "", watched.labels)
                fill(cache, things, version)
            return await self._reconcile(KEY)

        return asyncio.run(once())

    def survive(self, looks: int = 6) -> None:
        """Look until it works, as an operator that dies in between and comes back."""
        for _ in range(looks):
            try:
                self.look()
            except Died:
                self.restart()

    def status(self) -> LoadSimulationJobStatus:
        thing = self.cluster.peek(LOAD, KEY)
        assert thing is not None
        return LoadSimulationJobStatus.model_validate(thing["status"])

    def condition(self, kind: str) -> tuple[str, str]:
        (found,) = [one for one in self.status().conditions if one.type == kind]
        return found.status.value, found.reason

    def jobs(self) -> list[str]:
        return self.cluster.names(JOB)

    # The hands of kubelet and the Job controller.

    def pod(self, job: str, *, address: str = "10.0.0.1", node: str = "node-1", **status: Any) -> str:
        """The Job's pod as it is now; without more words its container runs."""
        thing = self.cluster.peek(JOB, Key(KEY.namespace, job))
        assert thing is not None
        labels = {**thing["spec"]["template"]["metadata"]["labels"], "batch.kubernetes.io/job-name": job}
        owner = [{"uid": thing["metadata"]["uid"], "kind": "Job", "name": job}]
        given = {"phase": "Running", "podIP": address, **container(running={}), **status}
        pod = {
            "metadata": {"name": f"{job}-x", "namespace": KEY.namespace, "labels": labels, "ownerReferences": owner},
            "spec": {"nodeName": node},
            "status": given,
        }
        self.cluster.put(POD, pod)
        return f"{job}-x"

    def job_says(self, job: str, **status: Any) -> None:
        self.cluster.edit(JOB, Key(KEY.namespace, job), lambda thing: thing.update(status=status))


def container(**state: Any) -> dict[str, Any]:
    """containerStatuses of a pod status, in this state."""
    return {"containerStatuses": [{"name": CONTAINER, "state": state}]}


def terminated(code: int, message: str = "", reason: str = "Error") -> dict[str, Any]:
    """A pod status whose container has ended."""
    phase = "Failed" if code else "Succeeded"
    ended = {"exitCode": code, "message": message, "reason": reason}
    return {"phase": phase, **container(terminated=ended)}


def running(**fields: Any) -> LoadStatus:
    given = {"phase": LoadPhase.RUNNING, "asked": 60, "running": 60, "spawned": 61, "restarts": 1, "started_at": 100.0}
    return LoadStatus(**{**given, **fields})


def last_word(**fields: Any) -> str:
    given = {"phase": "stopped", "asked": 60, "spawned": 70, "startedAt": 100.0, "endedAt": 700.5}
    return json.dumps({**given, "reason": "duration reached", **fields})
