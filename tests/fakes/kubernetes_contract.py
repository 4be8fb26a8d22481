"""What every Cluster promises, as rules to run on the fake and on the real client: `await rule(cluster, namespace)`.

A real cluster must have the custom resources; the namespace is the test's own and empty.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Protocol

import pytest

from chalicelib.domain.errors import Conflict, InvalidInput, NotFound
from chalicelib.domain.kubernetes import process_pipeline, resource
from operators.engine.cluster import Change, Cluster, Watchable
from operators.engine.objects import CONFIG_MAP, Key, Kind, version_of

PIPELINE = Kind(resource.API_VERSION, process_pipeline.PLURAL, process_pipeline.KIND)
DEADLINE_S = 60.0
LABEL = "phoenix.io/contract"


class Both(Cluster, Watchable, Protocol):
    """The two faces of the API."""


def config_map(namespace: str, name: str, **data: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": namespace, "labels": {LABEL: "yes"}},
        "data": data,
    }


def pipeline(namespace: str, name: str) -> dict[str, Any]:
    return {
        "apiVersion": PIPELINE.api_version,
        "kind": PIPELINE.kind,
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"variants": [{"pipeline": "process-baseline-v1", "name": "deployed"}]},
    }


async def nothing_is_none(cluster: Both, namespace: str) -> None:
    assert await cluster.get(CONFIG_MAP, Key(namespace, "missing")) is None
    assert await cluster.list(CONFIG_MAP, namespace, LABEL) == []
    assert await cluster.delete(CONFIG_MAP, Key(namespace, "missing")) is False
    assert await cluster.apply_status(PIPELINE, Key(namespace, "missing"), {"observedGeneration": 1}) is None


async def apply_makes_and_changes(cluster: Both, namespace: str) -> None:
    made = await cluster.apply(CONFIG_MAP, config_map(namespace, "one", a="1", b="2"))
    assert made["data"] == {"a": "1", "b": "2"}
    assert made["metadata"]["uid"]
    assert "managedFields" not in made["metadata"]
    changed = await cluster.apply(CONFIG_MAP, config_map(namespace, "one", a="3"))
    assert changed["data"] == {"a": "3"}, "what is not said any more is gone"
    assert changed["metadata"]["uid"] == made["metadata"]["uid"]
    assert version_of(changed) > version_of(made)


async def apply_of_the_same_changes_nothing(cluster: Both, namespace: str) -> None:
    made = await cluster.apply(CONFIG_MAP, config_map(namespace, "same", a="1"))
    again = await cluster.apply(CONFIG_MAP, config_map(namespace, "same", a="1"))
    assert version_of(again) == version_of(made)


async def an_immutable_object_refuses(cluster: Both, namespace: str) -> None:
    await cluster.apply(CONFIG_MAP, config_map(namespace, "fixed", a="1") | {"immutable": True})
    with pytest.raises(InvalidInput, match="immutable"):
        await cluster.apply(CONFIG_MAP, config_map(namespace, "fixed", a="2") | {"immutable": True})


async def create_makes_what_is_not_there(cluster: Both, namespace: str) -> None:
    made = await cluster.create(CONFIG_MAP, config_map(namespace, "made", a="1") | {"immutable": True})
    assert made["metadata"]["uid"]
    assert made["metadata"]["labels"] == {LABEL: "yes"}
    assert "managedFields" not in made["metadata"]
    assert "data" not in made
    with pytest.raises(Conflict):
        await cluster.create(CONFIG_MAP, config_map(namespace, "made", a="2"))
    stored = await cluster.get(CONFIG_MAP, Key(namespace, "made"))
    assert stored is not None
    assert (stored["data"], version_of(stored)) == ({"a": "1"}, version_of(made))
    again = await cluster.apply(CONFIG_MAP, config_map(namespace, "made", a="1") | {"immutable": True})
    assert again["data"] == {"a": "1"}, "an apply takes over what was created"


async def a_spec_has_a_generation_and_a_status_none(cluster: Both, namespace: str) -> None:
    made = await cluster.apply(PIPELINE, pipeline(namespace, "counted"))
    assert made["metadata"]["generation"] == 1
    said = await cluster.apply_status(PIPELINE, Key(namespace, "counted"), {"observedGeneration": 1})
    assert said is not None
    assert said["metadata"]["generation"] == 1
    assert said["status"]["observedGeneration"] == 1
    again = await cluster.apply_status(PIPELINE, Key(namespace, "counted"), {"observedGeneration": 1})
    assert again is not None
    assert version_of(again) == version_of(said)
    body = pipeline(namespace, "counted")
    body["spec"]["interval"] = 30
    assert (await cluster.apply(PIPELINE, body))["metadata"]["generation"] == 2


async def a_status_goes_onto_what_was_seen(cluster: Both, namespace: str) -> None:
    seen = await cluster.apply(PIPELINE, pipeline(namespace, "seen"))
    key = Key(namespace, "seen")
    said = await cluster.apply_status(PIPELINE, key, {"observedGeneration": 1}, onto=seen)
    assert said is not None
    stored = await cluster.get(PIPELINE, key)
    assert stored is not None
    assert (said["spec"], said["status"], said["metadata"]) == (stored["spec"], stored["status"], stored["metadata"])
    body = pipeline(namespace, "seen")
    body["spec"]["interval"] = 30
    await cluster.apply(PIPELINE, body)
    late = await cluster.apply_status(PIPELINE, key, {"observedGeneration": 2}, onto=seen)
    assert late is not None
    assert late["spec"]["interval"] == 30, "the spec that was seen is none of this version"
    assert late["status"]["observedGeneration"] == 2
    assert await cluster.apply_status(PIPELINE, Key(namespace, "none"), {"observedGeneration": 1}, onto=seen) is None


async def an_apply_under_an_old_version_is_refused(cluster: Both, namespace: str) -> None:
    first = await cluster.apply(CONFIG_MAP, config_map(namespace, "versioned", a="1"))
    await cluster.apply(CONFIG_MAP, config_map(namespace, "versioned", a="2"))
    late = config_map(namespace, "versioned", a="3")
    late["metadata"]["resourceVersion"] = first["metadata"]["resourceVersion"]
    with pytest.raises(Conflict):
        await cluster.apply(CONFIG_MAP, late)


async def delete_takes_only_the_object_that_is_meant(cluster: Both, namespace: str) -> None:
    made = await cluster.apply(CONFIG_MAP, config_map(namespace, "gone"))
    assert await cluster.delete(CONFIG_MAP, Key(namespace, "gone"), uid="00000000-0000-0000-0000-000000000000") is False
    assert await cluster.delete(CONFIG_MAP, Key(namespace, "gone"), uid=made["metadata"]["uid"]) is True
    assert await cluster.get(CONFIG_MAP, Key(namespace, "gone")) is None


async def a_finalizer_holds_and_is_set_on_what_was_read(cluster: Both, namespace: str) -> None:
    first = await cluster.apply(CONFIG_MAP, config_map(namespace, "held"))
    held = await cluster.finalizers(CONFIG_MAP, first, ("phoenix.io/contract",))
    assert held is not None
    assert held["metadata"]["finalizers"] == ["phoenix.io/contract"]
    with pytest.raises(Conflict):
        await cluster.finalizers(CONFIG_MAP, first, ())
    assert await cluster.delete(CONFIG_MAP, Key(namespace, "held")) is True
    going = await cluster.get(CONFIG_MAP, Key(namespace, "held"))
    assert going is not None
    assert going["metadata"]["deletionTimestamp"]
    await cluster.finalizers(CONFIG_MAP, going, ())
    assert await cluster.get(CONFIG_MAP, Key(namespace, "held")) is None


async def list_takes_labels_and_metadata_alone(cluster: Both, namespace: str) -> None:
    await cluster.apply(CONFIG_MAP, config_map(namespace, "b", a="1"))
    await cluster.apply(CONFIG_MAP, config_map(namespace, "a", a="1"))
    plain = config_map(namespace, "plain")
    del plain["metadata"]["labels"]
    await cluster.apply(CONFIG_MAP, plain)
    found = await cluster.list(CONFIG_MAP, namespace, LABEL)
    assert [thing["metadata"]["name"] for thing in found] == ["a", "b"]
    pages = [page async for page in cluster.pages(CONFIG_MAP, namespace, f"{LABEL}=yes", metadata_only=True)]
    bare, version = [thing for things, _ in pages for thing in things], pages[-1][1]
    assert version.isdecimal()
    assert [thing["metadata"]["name"] for thing in bare] == ["a", "b"]
    assert not any("data" in thing for thing in bare)


async def a_watch_tells_what_came_after(cluster: Both, namespace: str) -> None:
    before = await cluster.apply(CONFIG_MAP, config_map(namespace, "before", a="1"))
    version = [version async for _, version in cluster.pages(CONFIG_MAP, namespace, LABEL)][-1]
    stream = cluster.watch(CONFIG_MAP, namespace, LABEL, version)
    await cluster.apply(CONFIG_MAP, config_map(namespace, "new", a="1"))
    await cluster.apply(CONFIG_MAP, config_map(namespace, "before", a="2"))
    await cluster.delete(CONFIG_MAP, Key(namespace, "new"))
    told = [await _next(stream) for _ in range(3)]
    assert [(one.type, one.thing["metadata"]["name"]) for one in told] == [
        ("ADDED", "new"),
        ("MODIFIED", "before"),
        ("DELETED", "new"),
    ]
    assert version_of(told[1].thing) > version_of(before)
    versions = [int(one.version) for one in told]
    assert versions == sorted(versions)


async def a_name_that_would_be_a_path_is_refused(cluster: Both, namespace: str) -> None:
    with pytest.raises(NotFound):
        await cluster.apply(CONFIG_MAP, config_map(namespace, "a/../../secrets/b"))
    with pytest.raises(NotFound):
        await cluster.create(CONFIG_MAP, config_map(namespace, "a/../../secrets/b"))


async def an_event_is_a_courtesy(cluster: Both, namespace: str) -> None:
    made = await cluster.apply(CONFIG_MAP, config_map(namespace, "told"))
    await cluster.event(made, CONFIG_MAP, "Told", "It was told.")
    await cluster.event({"metadata": {"name": "x", "namespace": "no-such"}}, CONFIG_MAP, "Told", "To nobody.")


async def _next(stream: AsyncIterator[Change]) -> Change:
    while True:
        change = await asyncio.wait_for(anext(stream), DEADLINE_S)
        if change.type != "BOOKMARK":
            return change


async def two_managers_conflict_unless_forced(one: Cluster, other: Cluster, namespace: str) -> None:
    """Of two clients with different field managers."""
    await one.apply(CONFIG_MAP, config_map(namespace, "shared", a="1"))
    with pytest.raises(Conflict):
        await other.apply(CONFIG_MAP, config_map(namespace, "shared", a="2"), force=False)
    taken = await other.apply(CONFIG_MAP, config_map(namespace, "shared", a="2"))
    assert taken["data"] == {"a": "2"}
    with pytest.raises(Conflict):
        await one.apply(CONFIG_MAP, config_map(namespace, "shared", a="1"), force=False)


RULES: tuple[Callable[[Both, str], Awaitable[None]], ...] = (
    nothing_is_none,
    apply_makes_and_changes,
    apply_of_the_same_changes_nothing,
    an_immutable_object_refuses,
    create_makes_what_is_not_there,
    a_spec_has_a_generation_and_a_status_none,
    a_status_goes_onto_what_was_seen,
    an_apply_under_an_old_version_is_refused,
    delete_takes_only_the_object_that_is_meant,
    a_finalizer_holds_and_is_set_on_what_was_read,
    list_takes_labels_and_metadata_alone,
    a_watch_tells_what_came_after,
    a_name_that_would_be_a_path_is_refused,
    an_event_is_a_courtesy,
)
