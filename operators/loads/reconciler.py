"""Makes the cluster follow one LoadSimulationJob: its Jobs are made once, ended when it is stopped.

What is to be is `desired`, what is seen is `pods` and `status`; here are only the calls, in an order in which it may be
killed between any two of them. Deleting the resource needs nothing from here: Jobs and pods go by ownership.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence

from pydantic import ValidationError

from chalicelib.domain.errors import InvalidInput, Unavailable
from chalicelib.domain.kubernetes.load_job import LoadSimulationJobSpec, LoadSimulationJobStatus, NodeLoad
from chalicelib.domain.load import LoadPhase
from operators.engine.caches import Caches
from operators.engine.cluster import Cluster
from operators.engine.objects import JOB, POD, Key, Kind, Object, key_of
from operators.engine.reconciler import Controller, Watched
from operators.loads.desired import LOAD, OWNER_LABEL, LoadPods, Owner, job, job_name, targets
from operators.loads.pods import NodeSeen, Reading, node_load, readable
from operators.loads.reading import Ask
from operators.loads.status import is_news, refused, status

ASK_S = 5.0
"""A running load is asked this often how it stands."""
ASK_FIRST_S = 1.0
"""One that does not run yet; one that does not answer, ever less often."""
_LONGEST_NAME = 63
"""Of a resource: a label's value holds it."""
log = logging.getLogger(__name__)


def controller(cluster: Cluster, caches: Caches, pods: LoadPods, ask: Ask, now: Callable[[], float]) -> Controller:
    """The controller of LoadSimulationJobs. now: Unix seconds."""
    return Controller("loads", LoadReconciler(cluster, caches, pods, ask, now), WATCHED)


WATCHED = (
    Watched(LOAD),
    Watched(JOB, labels=OWNER_LABEL, owner_label=OWNER_LABEL),
    Watched(POD, labels=OWNER_LABEL, owner_label=OWNER_LABEL),
)


class LoadReconciler:
    """See the module. It remembers nothing that matters: only what pods said in the last seconds."""

    def __init__(self, cluster: Cluster, caches: Caches, pods: LoadPods, ask: Ask, now: Callable[[], float]) -> None:
        self._cluster, self._caches, self._pods, self._ask, self._now = cluster, caches, pods, ask, now
        self._readings: dict[Key, dict[str, Reading]] = {}

    async def __call__(self, key: Key) -> float | None:
        """One look. Returns when a running load is to be asked again."""
        thing = self._caches.get(LOAD, key)
        if thing is None or thing["metadata"].get("deletionTimestamp"):
            self._readings.pop(key, None)
            return None
        old = _status_of(thing)
        try:
            spec = _spec_of(thing)
            if not spec.image and not self._pods.image:
                raise InvalidInput("spec.image: the operator has no image for loads (--operator-image); name one here")
        except InvalidInput as error:
            await self._say(key, thing, refused(error.detail, old, _generation(thing), self._now()), old)
            return None
        owner = Owner(key.namespace, key.name, thing["metadata"]["uid"])
        jobs = await self._jobs(owner, spec, old)
        seen = await self._seen(key, owner, spec, old, jobs)
        now = self._now()
        nodes = [node_load(one, spec, now) for one in seen]
        new = status(nodes, spec, old, list(jobs.values()), _generation(thing), now)
        await self._say(key, thing, new, old)
        return self._again(key, new, now)

    async def _jobs(self, owner: Owner, spec: LoadSimulationJobSpec, old: LoadSimulationJobStatus) -> dict[str, Object]:
        """The Jobs there are, by name, after making those that were never made, or ending all of a stopped load."""
        jobs = {thing["metadata"]["name"]: thing for thing in self._own(JOB, Key(owner.namespace, owner.name))}
        jobs = {name: thing for name, thing in jobs.items() if _belongs(thing, owner)}
        if spec.stopped:
            await self._end(jobs.values())
            return jobs
        for node in targets(spec):
            name = job_name(owner, node)
            if name in jobs:
                continue
            if _before(node, spec, old) is None:
                jobs[name] = await self._make(owner, spec, node)
            elif (found := await self._cluster.get(JOB, Key(owner.namespace, name))) is not None:
                jobs[name] = found  # the watch is behind
        return jobs

    async def _make(self, owner: Owner, spec: LoadSimulationJobSpec, node: str) -> Object:
        made = await self._cluster.apply(JOB, job(owner, spec, node, self._pods))
        self._caches.replied(JOB, made)
        log.info("load %s/%s: made Job %s", owner.namespace, owner.name, made["metadata"]["name"])
        return made

    async def _end(self, jobs: Iterable[Object]) -> None:
        for thing in jobs:
            if not thing["metadata"].get("deletionTimestamp") and not _finished(thing):
                await self._cluster.delete(JOB, key_of(thing), uid=thing["metadata"]["uid"])

    async def _seen(
        self,
        key: Key,
        owner: Owner,
        spec: LoadSimulationJobSpec,
        old: LoadSimulationJobStatus,
        jobs: Mapping[str, Object],
    ) -> list[NodeSeen]:
        pods = {_job_of(pod): pod for pod in self._own(POD, key)}
        nodes = {node: job_name(owner, node) for node in targets(spec)}
        readings = await self._read(key, [pods[name] for name in nodes.values() if name in pods])
        return [
            NodeSeen(
                target=node,
                job=jobs.get(name),
                pod=pods.get(name),
                before=_before(node, spec, old),
                reading=readings.get(pods[name]["metadata"]["uid"]) if name in pods else None,
            )
            for node, name in nodes.items()
        ]

    async def _read(self, key: Key, pods: Sequence[Object]) -> Mapping[str, Reading]:
        """Ask those that run, all at once, each in its time: a status that is written wakes us again."""
        known, now = self._readings.get(key, {}), self._now()
        running = {pod["metadata"]["uid"]: address for pod in pods if (address := readable(pod))}
        due = [uid for uid in running if uid not in known or now >= _next(known[uid])]
        fresh = await asyncio.gather(*(self._one(running[uid], known.get(uid)) for uid in due))
        readings = {uid: known[uid] for uid in running if uid in known} | dict(zip(due, fresh, strict=True))
        if readings:
            self._readings[key] = readings
        else:
            self._readings.pop(key, None)
        return readings

    async def _one(self, address: str, last: Reading | None) -> Reading:
        try:
            found = await self._ask(address)
        except Unavailable as error:
            return Reading(self._now(), failure=error.detail, failures=(last.failures if last else 0) + 1)
        return Reading(self._now(), found)

    def _again(self, key: Key, new: LoadSimulationJobStatus, now: float) -> float | None:
        readings = self._readings.get(key)
        if not readings or new.phase.ended:
            return None
        return max(0.1, min(map(_next, readings.values())) - now)

    def _own(self, kind: Kind, key: Key) -> list[Object]:
        """A pipeline of the same name has its own: the cache knows names, not kinds, of owners."""
        found = self._caches.owned(kind, key)
        return [thing for thing in found if thing["metadata"].get("labels", {}).get(OWNER_LABEL) == key.name]

    async def _say(self, key: Key, thing: Object, new: LoadSimulationJobStatus, old: LoadSimulationJobStatus) -> None:
        if not is_news(new, old):
            return
        body = new.model_dump(mode="json", by_alias=True, exclude_none=True)
        written = await self._cluster.apply_status(LOAD, key, body)
        if written is not None:
            self._caches.replied(LOAD, written)
        if written is not None and new.phase is not old.phase and new.phase in _EVENTS:
            bad = new.phase is LoadPhase.FAILED
            await self._cluster.event(thing, LOAD, _EVENTS[new.phase], new.reason or new.phase.value, warning=bad)


_EVENTS = {LoadPhase.RUNNING: "Running", LoadPhase.STOPPED: "Stopped", LoadPhase.FAILED: "Failed"}


def _next(reading: Reading) -> float:
    """When a pod is to be asked again."""
    if reading.status is not None and reading.status.phase is LoadPhase.RUNNING:
        return reading.at + ASK_S
    return reading.at + min(ASK_S, ASK_FIRST_S * 2.0 ** min(reading.failures, 10))


def _generation(thing: Object) -> int:
    return int(thing["metadata"].get("generation", 0))


def _spec_of(thing: Object) -> LoadSimulationJobSpec:
    """Raises InvalidInput naming the fields: a schema older than this operator lets more through than it can do."""
    if len(thing["metadata"]["name"]) > _LONGEST_NAME:
        raise InvalidInput(f"metadata.name: longer than {_LONGEST_NAME} characters; choose a shorter one")
    try:
        return LoadSimulationJobSpec.model_validate(thing.get("spec") or {})
    except ValidationError as error:
        lines = [
            f"spec.{'.'.join(str(part) for part in item['loc'])}: {item['msg'].removeprefix('Value error, ')}"
            for item in error.errors(include_url=False)
        ]
        raise InvalidInput("; ".join(lines)) from error


def _status_of(thing: Object) -> LoadSimulationJobStatus:
    try:
        return LoadSimulationJobStatus.model_validate(thing.get("status") or {})
    except ValidationError:  # of another version: Jobs and pods say it anew
        log.warning("load %s: its status is not understood and is made anew", key_of(thing))
        return LoadSimulationJobStatus()


def _before(node: str, spec: LoadSimulationJobSpec, old: LoadSimulationJobStatus) -> NodeLoad | None:
    """What was said of a node's load; it is said only once its Job was made."""
    if not spec.node_names:
        return old.nodes[0] if old.nodes else None
    return next((one for one in old.nodes if one.node == node), None)


def _belongs(thing: Object, owner: Owner) -> bool:
    return any(one.get("uid") == owner.uid for one in thing["metadata"].get("ownerReferences") or ())


def _job_of(pod: Object) -> str:
    return str(pod["metadata"].get("labels", {}).get("batch.kubernetes.io/job-name", ""))


def _finished(thing: Object) -> bool:
    conditions = thing.get("status", {}).get("conditions") or ()
    return any(one.get("type") in ("Complete", "Failed") and one.get("status") == "True" for one in conditions)
