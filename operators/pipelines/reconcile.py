"""Making the cluster follow one PhoenixProcessPipeline. What is decided is decided in the pure files beside this one.

Each step may be the last one: whoever is killed between two of them comes back, sees what is there, and goes on.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from pydantic import ValidationError

from chalicelib.domain.errors import Conflict, InvalidInput, NotFound, PhoenixError, Unavailable
from chalicelib.domain.kubernetes.process_pipeline import (
    PhoenixProcessPipelineSpec,
    PhoenixProcessPipelineStatus,
    RolloutPolicy,
)
from chalicelib.ports.clock import Clock
from operators.engine.caches import Caches
from operators.engine.cluster import Cluster
from operators.engine.objects import CONFIG_MAP, DAEMON_SET, POD, Key, Object
from operators.pipelines import names
from operators.pipelines.additions import with_additions
from operators.pipelines.confirmation import Answer, Confirming
from operators.pipelines.desired import Form, Settings, config_map, daemon_set, form_in, form_of
from operators.pipelines.distinct import Distinct
from operators.pipelines.drift import covers
from operators.pipelines.pods import PodSeen, pod_seen
from operators.pipelines.rendering import Rendered, Templates, rendered
from operators.pipelines.rollout import DaemonSetSeen, FormName, Situation, Target, choose, judge
from operators.pipelines.status import ACCEPTED, FALSE, UNKNOWN, Validity, events, status_of

log = logging.getLogger(__name__)
NOT_OBSERVED_S = 20.0
"""How long a status waits for the DaemonSet's controller: then one write says it all. With a thousand new resources at
once that one is ten seconds behind; longer, and the status says what there is."""
MAX_ANSWERS = 20_000
_MAX_PROBLEMS = 5


class Validating(Protocol):
    """The collector's own judgement of a configuration."""

    async def refusal(self, config: Mapping[str, Any]) -> str | None:
        """None when it accepts it, else its own words. Raises Unavailable when it cannot be asked."""


@dataclass(frozen=True)
class Asked:
    """What a spec asks for: a form that can be run, or why there is none. form: None as well where it runs already and
    nothing about it changed, so that there is no need to make it."""

    validity: Validity
    form: Form | None = None
    name: FormName | None = None
    label: str = ""
    policy: RolloutPolicy = field(default_factory=RolloutPolicy)
    revision: int = 0


@dataclass(frozen=True)
class _Settled:
    """What one generation of a resource asked for, and the DaemonSet that came of it."""

    uid: str
    generation: int
    asked: Asked
    whole_hash: str


class PipelineReconciler:
    """Implements Reconciler for PhoenixProcessPipelines."""

    def __init__(
        self,
        cluster: Cluster,
        caches: Caches,
        clock: Clock,
        catalog: Templates,
        validating: Validating,
        confirming: Confirming,
        settings: Settings,
    ) -> None:
        self._cluster, self._caches, self._clock = cluster, caches, clock
        self._catalog, self._validating, self._confirming = catalog, validating, confirming
        self._settings, self._distinct = settings, Distinct()
        self._answers: dict[str, tuple[float | None, Answer]] = {}
        """By a pod's uid: when the collector that answered had started, and its answer."""
        self._accepted: dict[Key, int] = {}
        """Generation of a DaemonSet as it came back from our own apply: what differs then is not ours to repair."""
        self._applied_at: dict[Key, float] = {}
        self._settled: dict[Key, _Settled] = {}

    async def __call__(self, key: Key) -> float | None:
        """See Reconciler."""
        owner = self._caches.get(names.PIPELINE, key)
        if owner is None or "deletionTimestamp" in owner["metadata"]:
            self._forget(key)
            return None
        before = _status(owner)
        asked = self._known(owner) or await self._asked(owner)
        target = choose(asked.name, asked.revision, before)
        if not (target is Target.WANTED and asked.form is None):
            form = await self._chosen(key, target, asked, before)
            if form is not None:
                asked = await self._ensure(owner, form, asked)
        return await self._report(owner, asked, before)

    def _known(self, owner: Object) -> Asked | None:
        """What this generation asks for, where it runs as it was applied: most reconciles are about what became of
        it, and making a form is most of the work."""
        key, metadata = _key(owner), owner["metadata"]
        settled, there = self._settled.get(key), self._caches.get(DAEMON_SET, key)
        if settled is None or there is None or (settled.uid, settled.generation) != _version(metadata):
            return None
        annotations = there["metadata"].get("annotations") or {}
        name = settled.asked.name
        unchanged = annotations.get(names.WHOLE_HASH) == settled.whole_hash and self._as_accepted(key, there)
        if name is None or not unchanged or not self._has(Key(key.namespace, name.config_map)):
            return None
        return settled.asked

    async def _asked(self, owner: Object) -> Asked:
        name, uid = owner["metadata"]["name"], owner["metadata"]["uid"]
        if len(name) > names.MAX_NAME:
            return _refused(
                "NameTooLong", f"metadata.name has {len(name)} characters; at most {names.MAX_NAME} are taken"
            )
        try:
            spec = PhoenixProcessPipelineSpec.model_validate(owner.get("spec") or {})
        except ValidationError as error:
            return _refused("InvalidSpec", _problems(error))
        try:
            made = rendered(spec, uid, self._catalog)
            form = form_of(owner, spec, made, self._settings, self._distinct)
        except NotFound as error:
            return _refused("UnknownPipeline", f"{error.detail}; {error.hint}")
        except (InvalidInput, TypeError, ValueError) as error:
            return _refused("InvalidConfiguration", _words(error))
        validity = await self._validity(_key(owner), form, made)
        if validity is not ACCEPTED:
            return Asked(validity, label=made.label, policy=spec.rollout, revision=spec.revision)
        return Asked(validity, form, form.name, made.label, spec.rollout, spec.revision)

    async def _validity(self, key: Key, form: Form, made: Rendered) -> Validity:
        """The collector is asked about what does not run yet."""
        running = self._caches.get(DAEMON_SET, key)
        if running is not None and (applied := _applied(running)) and applied.form_hash == form.form_hash:
            return ACCEPTED
        try:
            refusal = await self._validating.refusal(with_additions(made.config, ""))
        except Unavailable as error:
            return Validity(UNKNOWN, "NotValidated", f"{error.detail}; {error.hint}".rstrip("; "))
        return ACCEPTED if refusal is None else Validity(FALSE, "RefusedByCollector", refusal)

    async def _chosen(
        self, key: Key, target: Target, asked: Asked, before: PhoenixProcessPipelineStatus
    ) -> Form | None:
        """The form that is to run; None: leave everything as it is."""
        if target is Target.WANTED:
            return asked.form
        running = self._caches.get(DAEMON_SET, key)
        kept = _applied(running) if running is not None else None
        good = before.last_good_config_map
        wanted = good if target is Target.LAST_GOOD or kept is None else kept.config_map
        if kept is not None and kept.config_map == wanted and self._as_accepted(key, running):
            return None
        stored = await self._cluster.get(CONFIG_MAP, Key(key.namespace, wanted)) if wanted else None
        return form_in(stored) if stored is not None else None

    async def _ensure(self, owner: Object, form: Form, asked: Asked) -> Asked:
        """ConfigMap and DaemonSet as they are to be. Where an object that is not ours stands in the way, it stays."""
        key = _key(owner)
        if not self._has(Key(key.namespace, form.config_map)):
            made = await self._made(config_map(owner, form))
            self._caches.replied(CONFIG_MAP, made, names.CONTROLLER)
        body = daemon_set(owner, asked.policy, form)
        there = self._caches.get(DAEMON_SET, key)
        if there is None or not self._is_as_said(key, there, body):
            try:
                stored = await self._cluster.apply(DAEMON_SET, body, force=there is not None)
            except Conflict as error:
                if there is not None:
                    raise
                message = f"a DaemonSet {key.name} that is not ours stands in the way: {error.detail}"
                return replace(asked, validity=Validity(FALSE, "NameTaken", message), form=None, name=None)
            self._caches.replied(DAEMON_SET, stored, names.CONTROLLER)
            self._accepted[key] = stored["metadata"].get("generation", 0)
            self._applied_at[key] = self._clock.now()
        if form is asked.form:
            whole = body["metadata"]["annotations"][names.WHOLE_HASH]
            self._settled[key] = _Settled(*_version(owner["metadata"]), replace(asked, form=None), whole)
        return asked

    async def _made(self, body: Object) -> Object:
        """The ConfigMap. One that is there, and was not seen yet, is put right."""
        try:
            return await self._cluster.create(CONFIG_MAP, body)
        except Conflict:
            return await self._cluster.apply(CONFIG_MAP, body)

    def _has(self, key: Key) -> bool:
        return self._caches.holds(CONFIG_MAP, key)

    def _is_as_said(self, key: Key, there: Object, body: Mapping[str, Any]) -> bool:
        if not covers(there["metadata"].get("annotations") or {}, body["metadata"]["annotations"]):
            return False
        if not covers(there["metadata"], {name: body["metadata"][name] for name in ("labels", "ownerReferences")}):
            return False
        if self._as_accepted(key, there):
            return True
        if not covers(there.get("spec"), body["spec"]):
            return False
        self._accepted[key] = there["metadata"].get("generation", 0)
        return True

    def _as_accepted(self, key: Key, there: Object | None) -> bool:
        return there is not None and self._accepted.get(key) == there["metadata"].get("generation", 0)

    async def _report(
        self,
        owner: Object,
        asked: Asked,
        before: PhoenixProcessPipelineStatus,
    ) -> float | None:
        key, now = _key(owner), self._clock.now()
        there = self._caches.get(DAEMON_SET, key)
        seen = _daemon_set_seen(there)
        waits = self._applied_at.get(key, 0.0) + NOT_OBSERVED_S - now
        if there is not None and not seen.observed and waits > 0:
            return waits
        pods = [pod_seen(pod) for pod in self._caches.owned(POD, key)]
        await self._confirm(pods, before)
        situation = Situation(
            generation=owner["metadata"].get("generation", 0),
            revision=asked.revision,
            policy=asked.policy,
            wanted=asked.name,
            refusal=asked.validity.message,
            applied=_applied(there) if there is not None else None,
            daemon_set=seen,
            pods=pods,
            answers={pod.uid: self._answers[pod.uid][1] for pod in pods if pod.uid in self._answers},
            before=before,
        )
        judged = judge(situation, now)
        after = status_of(situation, judged, asked.validity, asked.label or before.pipeline, now)
        await self._say(owner, before, after)
        await self._tidy(key, after)
        if asked.validity.status is UNKNOWN:
            raise Unavailable(asked.validity.message)
        return judged.again

    async def _confirm(self, pods: list[PodSeen], before: PhoenixProcessPipelineStatus) -> None:
        """Ask each collector that is ready, once; what the status knows of the same one already is not asked again."""
        known = {node.pod: node for node in before.nodes if node.config_hash}
        open_pods = []
        for pod in pods:
            started, answer = self._answers.get(pod.uid, (None, Answer()))
            if pod.ready_since is None or pod.going or (answer.config_hash and started == pod.started_at):
                continue
            node = known.get(pod.name)
            if node is not None and node.started_at is not None and node.started_at == pod.started_at:
                self._answers[pod.uid] = (pod.started_at, Answer(node.config_hash))
            else:
                open_pods.append(pod)
        answers = await asyncio.gather(*(self._confirming.ask(pod.ip) for pod in open_pods))
        for pod, answer in zip(open_pods, answers, strict=True):
            self._answers[pod.uid] = (pod.started_at, answer)
        while len(self._answers) > MAX_ANSWERS:
            self._answers.pop(next(iter(self._answers)))

    async def _say(
        self, owner: Object, before: PhoenixProcessPipelineStatus, after: PhoenixProcessPipelineStatus
    ) -> None:
        if after == before and owner.get("status"):
            return
        status = after.model_dump(mode="json", by_alias=True, exclude_none=True)
        stored = await self._cluster.apply_status(names.PIPELINE, _key(owner), status, onto=owner)
        if stored is None:
            return
        self._caches.replied(names.PIPELINE, stored)
        for said in events(before, after):
            await self._cluster.event(owner, names.PIPELINE, said.reason, said.message, warning=said.warning)

    async def _tidy(self, key: Key, status: PhoenixProcessPipelineStatus) -> None:
        """Old ConfigMaps go once a form is ready everywhere; the last good one and the one that runs stay."""
        there = self._caches.get(DAEMON_SET, key)
        applied = _applied(there) if there is not None else None
        if applied is None or status.rollout_started_at is not None:
            return
        kept = {applied.config_map, status.last_good_config_map}
        for old in self._caches.owned(CONFIG_MAP, key):
            if old["metadata"]["name"] not in kept and "deletionTimestamp" not in old["metadata"]:
                uid = old["metadata"]["uid"]
                await self._cluster.delete(CONFIG_MAP, _key(old), uid=uid)
                self._caches.gone(CONFIG_MAP, _key(old), uid)

    def _forget(self, key: Key) -> None:
        self._accepted.pop(key, None)
        self._applied_at.pop(key, None)
        self._settled.pop(key, None)


def _key(thing: Object) -> Key:
    return Key(thing["metadata"].get("namespace", ""), thing["metadata"]["name"])


def _version(metadata: Mapping[str, Any]) -> tuple[str, int]:
    return metadata["uid"], metadata.get("generation", 0)


def _applied(there: Object) -> FormName | None:
    annotations = there["metadata"].get("annotations") or {}
    found = [annotations.get(name, "") for name in (names.CONFIG_HASH, names.FORM_HASH, names.CONFIG_MAP_NAME)]
    return FormName(*found) if all(found) else None


def _daemon_set_seen(there: Object | None) -> DaemonSetSeen:
    if there is None:
        return DaemonSetSeen()
    status = there.get("status") or {}
    return DaemonSetSeen(
        observed=status.get("observedGeneration", 0) >= there["metadata"].get("generation", 0),
        desired=status.get("desiredNumberScheduled", 0),
        updated=status.get("updatedNumberScheduled", 0),
        available=status.get("numberAvailable", 0),
    )


def _status(owner: Object) -> PhoenixProcessPipelineStatus:
    """The status as it is; one that cannot be read (of another version, say) is made anew."""
    try:
        return PhoenixProcessPipelineStatus.model_validate(owner.get("status") or {})
    except ValidationError:
        return PhoenixProcessPipelineStatus()


def _refused(reason: str, message: str) -> Asked:
    return Asked(Validity(FALSE, reason, message))


def _problems(error: ValidationError) -> str:
    found = error.errors(include_url=False, include_input=False)
    lines = [f"spec.{'.'.join(map(str, one['loc']))}: {one['msg']}".replace("spec.:", "spec:") for one in found]
    more = f"; and {len(lines) - _MAX_PROBLEMS} more" if len(lines) > _MAX_PROBLEMS else ""
    return "; ".join(lines[:_MAX_PROBLEMS]) + more


def _words(error: Exception) -> str:
    if not isinstance(error, PhoenixError):
        return str(error)
    problems = [f"{one.pointer}: {one.rule}" + (f" ({one.fix})" if one.fix else "") for one in error.problems]
    return "; ".join([error.detail, *problems[:_MAX_PROBLEMS]])
