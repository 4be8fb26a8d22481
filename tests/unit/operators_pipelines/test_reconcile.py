"""One pipeline from resource to ready collectors and back: what is asked of the API, said in the status, repaired."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.domain.errors import Unavailable
from chalicelib.domain.kubernetes.process_pipeline import NodeState
from operators.engine.objects import CONFIG_MAP, DAEMON_SET, Key
from operators.pipelines.confirmation import Answer
from operators.pipelines.names import CONFIG_HASH, CONFIG_MAP_NAME, PIPELINE
from tests.fakes.kubernetes import Died
from tests.unit.operators_pipelines.world import KEY, World, own


def test_a_new_resource_takes_three_requests() -> None:
    world = World()
    world.look()
    assert world.cluster.asked("create", "patch") == [("create", "configmaps"), ("patch", "daemonsets")]
    world.observed(desired=0)
    world.look()
    world.look()
    assert world.cluster.asked("create", "patch")[2:] == [("patch", "phoenixprocesspipelines")]
    assert world.condition("Ready") == ("False", "NoNodes")


def test_it_is_ready_when_each_collector_gave_the_hash_back_and_not_before() -> None:
    world = World()
    world.look()
    world.pod(ready=world.clock.now(), state={"running": {}})
    world.observed(updated=1, available=1)
    world.clock.advance(60)
    again = world.look()
    assert world.condition("Ready") == ("False", "RollingOut")
    assert again is not None
    assert again <= 3, "it is asked again"
    world.collectors.answers["10.0.0.5"] = Answer("0" * 64)
    world.look()
    assert world.status.nodes[0].state is NodeState.UPDATING, "it runs something else"
    world.collectors.answers.clear()
    world.restart()
    world.runs()
    world.clock.advance(60)
    world.look()
    status = world.status
    assert world.condition("Ready") == ("True", "AllNodesReady")
    assert status.active_config_hash == status.config_hash == status.last_good_config_hash
    assert status.nodes[0].config_hash == status.config_hash
    assert (status.desired_nodes, status.updated_nodes, status.ready_nodes, status.failed_nodes) == (1, 1, 1, 0)


def test_a_collector_that_confirmed_is_not_asked_again_by_this_process_or_the_next() -> None:
    world = World()
    world.roll_out()
    asked = len(world.collectors.asked)
    world.look()
    world.restart()
    world.look()
    assert len(world.collectors.asked) == asked
    assert world.condition("Ready") == ("True", "AllNodesReady")


def test_a_restart_with_nothing_to_do_writes_nothing() -> None:
    world = World()
    world.roll_out()
    writes, validated = world.writes(), world.validating.asked
    for _ in range(3):
        world.restart()
        world.look()
    assert world.writes() == writes
    assert world.validating.asked == validated


def test_what_the_collector_refuses_is_said_and_not_applied() -> None:
    world = World()
    world.validating.refusals["frobnicator"] = "unknown type: frobnicator"
    bad = own()
    bad["config"]["exporters"] = {"frobnicator": {}}
    world.spec(bad)
    world.look()
    assert world.cluster.names(DAEMON_SET) == []
    assert world.condition("ConfigValid") == ("False", "RefusedByCollector")
    assert world.cluster.events == [("RefusedByCollector", "unknown type: frobnicator", True)]


def test_a_bad_configuration_leaves_the_good_one_as_it_is() -> None:
    world = World()
    world.roll_out()
    before = world.daemon_set()
    bad = own()
    bad["config"]["exporters"] = {"frobnicator": {}}
    world.validating.refusals["frobnicator"] = "unknown type: frobnicator"
    world.spec(bad)
    world.look()
    assert world.daemon_set() == before
    node = world.status.nodes[0]
    assert (node.state, node.message) == (NodeState.FAILED, "unknown type: frobnicator")
    assert node.config_hash == before["metadata"]["annotations"][CONFIG_HASH]
    world.cluster.remove(DAEMON_SET, KEY)
    world.look()
    assert world.daemon_set()["spec"] == before["spec"], "even a deleted one comes back with the good configuration"


def test_without_a_validator_nothing_is_applied_and_it_is_tried_again() -> None:
    world = World()
    world.validating.away = True
    with pytest.raises(Unavailable):
        world.look()
    assert world.cluster.names(DAEMON_SET) == []
    assert world.condition("ConfigValid") == ("Unknown", "NotValidated")
    world.validating.away = False
    world.look()
    assert world.cluster.names(DAEMON_SET) == ["web"]


@pytest.mark.parametrize(
    ("spec", "reason", "word"),
    [
        ({"variants": [{"pipeline": "process-basline-v1"}]}, "UnknownPipeline", "did you mean"),
        ({"variants": [{"pipeline": "process-topk-v1", "parameters": {"k": -1}}]}, "InvalidConfiguration", "/k"),
        ({"variants": [{"pipeline": "process-topk-v1", "version": "9.9.9"}]}, "InvalidConfiguration", "9.9.9"),
        ({}, "InvalidSpec", "either variants or config"),
        ({"config": {"service": []}}, "InvalidConfiguration", "/spec/config/service is not a mapping"),
        ({"variants": [{"pipeline": "process-basic-v1"}], "surprise": 1}, "InvalidSpec", "surprise"),
    ],
)
def test_a_wrong_spec_is_told_where_and_why(spec: dict[str, Any], reason: str, word: str) -> None:
    world = World()
    world.spec(spec)
    world.look()
    assert world.cluster.names(DAEMON_SET) == []
    assert world.condition("ConfigValid") == ("False", reason)
    message = next(one.message for one in world.status.conditions if one.type == "ConfigValid")
    assert word in message


def test_a_deleted_or_edited_object_is_back_at_once_and_an_accepted_one_is_left() -> None:
    world = World()
    world.roll_out()
    world.cluster.remove(DAEMON_SET, KEY)
    world.look()
    assert world.cluster.names(DAEMON_SET) == ["web"]
    name = world.config_maps()[0]
    world.cluster.remove(CONFIG_MAP, Key(KEY.namespace, name))
    world.look()
    assert world.config_maps() == [name]
    world.cluster.edit(DAEMON_SET, KEY, lambda one: one["spec"].update(minReadySeconds=0))
    world.look()
    assert world.daemon_set()["spec"]["minReadySeconds"] == 10
    writes = world.writes()
    world.look()
    assert world.writes() == writes


def test_an_edit_while_the_operator_was_away_is_repaired() -> None:
    world = World()
    world.roll_out()
    world.cluster.edit(DAEMON_SET, KEY, lambda one: one["spec"]["template"]["spec"].update(hostPID=False))
    world.restart()
    world.look()
    assert world.daemon_set()["spec"]["template"]["spec"]["hostPID"] is True


def test_defaults_of_the_server_are_no_drift() -> None:
    world = World()
    world.roll_out()

    def default(one: dict[str, Any]) -> None:
        one["spec"]["template"]["spec"]["dnsPolicy"] = "ClusterFirst"
        container = one["spec"]["template"]["spec"]["containers"][0]
        container["resources"]["limits"]["memory"] = "0.25Gi"
        container["env"].append({"name": "INJECTED", "value": "x"})

    world.cluster.edit(DAEMON_SET, KEY, default)
    world.observed(updated=1, available=1)
    world.restart()
    writes = world.writes()
    world.look()
    assert world.writes() == writes


def test_a_daemon_set_of_somebody_else_is_not_taken() -> None:
    world = World()
    foreign = {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": KEY.name, "namespace": KEY.namespace},
        "spec": {"template": {"spec": {"hostPID": False}}},
    }
    world.cluster.foreign_apply(DAEMON_SET, foreign, "helm")
    world.look()
    assert world.condition("ConfigValid") == ("False", "NameTaken")
    assert world.daemon_set()["spec"] == foreign["spec"]


def test_a_configuration_that_crashes_is_rolled_back_and_not_tried_again() -> None:
    world = World(own(1))
    world.roll_out()
    good = world.daemon_set()["metadata"]["annotations"][CONFIG_MAP_NAME]
    world.spec(own(2))
    world.look()
    assert world.daemon_set()["metadata"]["annotations"][CONFIG_MAP_NAME] != good
    world.crashes(words="info line\nError: cannot start pipelines: no such file\n")
    world.observed(updated=1, available=1)
    world.look()
    world.look()
    assert world.daemon_set()["metadata"]["annotations"][CONFIG_MAP_NAME] == good
    world.observed(updated=1, available=1)
    world.look()
    assert world.condition("Ready") == ("False", "RolledBack")
    assert world.condition("Degraded") == ("True", "RolledBack")
    status = world.status
    assert status.quarantine[0].error == "cannot start pipelines: no such file"
    assert status.quarantine[0].config_hash == status.config_hash != status.applied_config_hash
    assert {node.state for node in status.nodes} == {NodeState.FAILED}
    assert status.nodes[0].config_hash == status.applied_config_hash == status.last_good_config_hash
    assert ("RolledBack", True) in [(reason, warning) for reason, _, warning in world.cluster.events]
    writes = world.writes()
    world.restart()
    world.look()
    assert world.writes() == writes


def test_a_higher_revision_tries_a_quarantined_one_again() -> None:
    world = World(own(1))
    world.roll_out()
    world.spec(own(2))
    world.look()
    world.crashes()
    world.observed(updated=1)
    world.look()
    world.look()
    rolled_back = world.daemon_set()["metadata"]["annotations"][CONFIG_HASH]
    world.spec(own(2) | {"revision": 1})
    world.look()
    assert world.daemon_set()["metadata"]["annotations"][CONFIG_HASH] != rolled_back


def test_no_progress_within_the_deadline_is_a_failure() -> None:
    world = World(own(1))
    world.roll_out()
    good = world.daemon_set()["metadata"]["annotations"][CONFIG_MAP_NAME]
    world.spec(own(2) | {"rollout": {"progressDeadline": "60s"}})
    world.look()
    waiting = {"waiting": {"reason": "CreateContainerConfigError", "message": 'secret "b" not found'}}
    world.pod("web-22", state=waiting)
    world.observed(updated=1, available=1)
    world.look()
    assert world.status.nodes[0].message == 'CreateContainerConfigError: secret "b" not found'
    world.clock.advance(59)
    world.look()
    assert world.status.quarantine == ()
    world.clock.advance(2)
    world.look()
    world.look()
    assert 'secret "b" not found' in world.status.quarantine[0].error
    assert world.daemon_set()["metadata"]["annotations"][CONFIG_MAP_NAME] == good


def test_the_first_configuration_has_nothing_to_go_back_to_and_may_yet_come_up() -> None:
    world = World()
    world.look()
    world.crashes("web-1")
    world.observed(updated=1)
    world.look()
    assert world.condition("Degraded") == ("True", "NodesFailed")
    assert world.status.quarantine == ()
    world.runs()
    world.observed(updated=1)
    world.look()
    world.clock.advance(20)
    world.observed(updated=1, available=1)
    world.look()
    assert world.condition("Ready") == ("True", "AllNodesReady")


def test_old_config_maps_go_but_the_last_good_one_stays() -> None:
    world = World(own(1))
    world.roll_out()
    first = world.config_maps()
    world.spec(own(2))
    world.look()
    assert len(world.config_maps()) == 2, "a rollout under way may be rolled back"
    world.pod("web-22")
    world.runs()
    world.observed(updated=1, available=1)
    world.look()
    world.clock.advance(20)
    world.look()
    world.look()
    assert len(world.config_maps()) == 1
    assert world.config_maps() != first


@pytest.mark.parametrize("deadly", range(1, 12))
def test_killed_after_any_write_the_next_process_comes_to_the_same(deadly: int) -> None:
    def story(world: World) -> dict[str, Any]:
        steps = [world.look, lambda: world.runs(), lambda: world.observed(updated=1, available=1), world.look]
        steps += [lambda: world.clock.advance(60), world.look, world.look]
        seen = lambda: world.observed(updated=1, available=1)  # noqa: E731
        steps += [lambda: world.spec(own(2)), world.look, lambda: world.crashes(), seen, world.look, world.look]
        steps += [seen, world.look, world.look]
        for step in steps:
            try:
                step()
            except Died:
                world.restart()
                step()
        status = world.status
        return {
            "maps": world.config_maps(),
            "applied": world.daemon_set()["metadata"]["annotations"],
            "quarantined": [one.config_hash for one in status.quarantine],
            "ready": world.condition("Ready"),
        }

    untouched, killed = World(own(1)), World(own(1))
    killed.cluster.die_at = deadly
    assert story(killed) == story(untouched)


def test_a_deleted_resource_is_left_alone() -> None:
    world = World()
    world.look()
    world.cluster.remove(PIPELINE, KEY)
    writes = world.writes()
    world.look()
    assert world.writes() == writes
    assert world.cluster.names(DAEMON_SET) == [], "its children went with it"
