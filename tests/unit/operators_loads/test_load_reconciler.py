"""One LoadSimulationJob over the fake cluster: made once, followed, ended, whenever the operator dies in between."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.domain.errors import Unavailable
from chalicelib.domain.load import LoadPhase, LoadRates
from operators.engine.objects import JOB, POD, Key
from operators.loads.desired import LOAD, OWNER_LABEL
from tests.unit.operators_loads.world import KEY, World, container, last_word, running, terminated


def started(**spec: Any) -> World:
    """A load whose only pod runs and was heard."""
    world = World(**spec)
    world.look()
    (job,) = world.jobs()
    world.pod(job)
    world.answers["10.0.0.1"] = running()
    world.look()
    return world


def test_a_life_from_made_to_its_last_word() -> None:
    world = World()
    assert world.look() is None
    assert world.status().phase is LoadPhase.STARTING
    assert world.condition("Ready") == ("False", "Starting")
    (job,) = world.jobs()
    world.pod(job)
    world.answers["10.0.0.1"] = running()
    assert world.look() == pytest.approx(5.0)
    status = world.status()
    assert (status.phase, status.asked, status.running, status.spawned) == (LoadPhase.RUNNING, 60, 60, 61)
    assert world.condition("Ready") == ("True", "AllRunning")
    assert status.nodes[0].node == "node-1"
    assert status.ends_by is not None
    world.pod(job, **terminated(0, last_word()))
    world.job_says(job, conditions=[{"type": "Complete", "status": "True"}])
    assert world.look() is None
    status = world.status()
    assert (status.phase, status.running, status.spawned) == (LoadPhase.STOPPED, 0, 70)
    assert (status.ended_at, status.reason) == (700.5, "duration reached")
    assert world.condition("Complete") == ("True", "Ended")
    assert [reason for reason, _, _ in world.cluster.events] == ["Running", "Stopped"]
    assert world.jobs() == [job]


def test_a_new_load_takes_two_writes_and_at_rest_none() -> None:
    world = World()
    world.look()
    assert world.cluster.asked("patch", "create", "delete", "get") == [
        ("patch", "jobs"),
        ("patch", "loadsimulationjobs"),
    ]
    world.cluster.requests.clear()
    world.look()
    world.restart()
    world.look()
    assert world.cluster.asked("patch", "create", "delete", "get") == []


def test_a_status_is_written_when_it_says_something_new_or_is_old() -> None:
    world = started()
    world.cluster.requests.clear()
    for _ in range(3):
        world.clock.advance(5.0)
        world.answers["10.0.0.1"] = running(rates=LoadRates(asked=0.1, starts=0.1, ends=0.1, seconds=9.0))
        assert world.look() == pytest.approx(5.0)
    assert world.cluster.asked("patch") == []
    world.clock.advance(20.0)
    world.look()
    assert world.cluster.asked("patch") == [("patch", "loadsimulationjobs")]
    assert world.status().nodes[0].reported_at == world.clock.now()
    world.clock.advance(5.0)
    world.answers["10.0.0.1"] = running(spawned=62)
    world.look()
    assert world.status().spawned == 62


def test_a_pod_is_asked_every_five_seconds_however_often_it_is_woken() -> None:
    world = started()
    for _ in range(5):
        world.clock.advance(0.5)
        world.look()
    assert world.asked == ["10.0.0.1"]
    world.clock.advance(2.6)
    world.look()
    assert world.asked == ["10.0.0.1"] * 2


def test_one_that_does_not_answer_is_unknown_not_zero_and_asked_ever_less_often() -> None:
    world = started()
    world.answers["10.0.0.1"] = "no answer within 2 s"
    waits = []
    for _ in range(5):
        world.clock.advance(5.0)
        waits.append(world.look())
    assert waits == pytest.approx([2.0, 4.0, 5.0, 5.0, 5.0])
    status = world.status()
    assert (status.phase, status.running) == (LoadPhase.RUNNING, 60)
    assert status.reason == "its pod could not be asked: no answer within 2 s"
    assert world.condition("Ready") == ("Unknown", "NotHeard")


def test_stopped_ends_its_job_and_keeps_the_status() -> None:
    world = started()
    (job,) = world.jobs()
    world.edit_spec(stopped=True)
    world.look()
    assert world.jobs() == []
    assert world.cluster.names(POD) == []  # by ownership
    world.look()
    status = world.status()
    assert (status.phase, status.running, status.spawned) == (LoadPhase.STOPPED, 0, 61)
    assert world.condition("Failed") == ("False", "NoneFailed")
    world.look()
    assert world.jobs() == []
    assert job


def test_stopped_from_the_beginning_starts_nothing() -> None:
    world = World(stopped=True)
    world.look()
    assert world.jobs() == []
    assert (world.status().phase, world.status().reason) == (LoadPhase.STOPPED, "stopped before it ran")


def test_stopped_after_its_end_changes_nothing() -> None:
    world = started()
    (job,) = world.jobs()
    world.pod(job, **terminated(0, last_word()))
    world.job_says(job, conditions=[{"type": "Complete", "status": "True"}])
    world.look()
    world.edit_spec(stopped=True)
    world.look()
    assert world.jobs() == [job]
    assert world.status().reason == "duration reached"


def test_a_job_that_somebody_deletes_is_a_failure_and_not_made_again() -> None:
    world = started()
    (job,) = world.jobs()
    world.cluster.remove(JOB, Key(KEY.namespace, job))
    for _ in range(3):
        world.look()
    assert world.jobs() == []
    assert world.status().phase is LoadPhase.FAILED
    assert world.status().reason == "its Job was deleted; a load is never started twice"


def test_a_load_on_two_nodes_is_the_sum_and_one_that_fails_does_not_end_the_other() -> None:
    world = World(nodeNames=["node-1", "node-2"])
    world.look()
    first, second = world.jobs()
    nodes = {}
    for number, job in enumerate((first, second), start=1):
        thing = world.cluster.peek(JOB, Key(KEY.namespace, job))
        assert thing
        nodes[job] = thing["metadata"]["annotations"]["phoenix.io/node"]
        world.pod(job, address=f"10.0.0.{number}", node=nodes[job])
        world.answers[f"10.0.0.{number}"] = running()
    world.look()
    assert (world.status().running, world.status().asked) == (120, 120)
    world.pod(first, node=nodes[first], **terminated(137, reason="OOMKilled"))
    world.look()
    status = world.status()
    assert (status.phase, status.running, status.spawned) == (LoadPhase.RUNNING, 60, 122)
    assert status.reason.startswith(f"{nodes[first]}: over its memory limit (1Gi)")
    assert (world.condition("Ready"), world.condition("Failed")) == (("False", "SomeEnded"), ("True", "LoadFailed"))
    world.pod(second, node=nodes[second], **terminated(0, last_word()))
    world.look()
    assert world.status().phase is LoadPhase.FAILED


@pytest.mark.parametrize("death", range(1, 8))
def test_an_operator_that_dies_after_any_write_comes_back_to_the_same_end(death: int) -> None:
    world = World(nodeNames=["node-1", "node-2"])
    world.cluster.die_at = death
    world.survive()
    assert len(world.jobs()) == 2
    for number, job in enumerate(world.jobs(), start=1):
        world.pod(job, address=f"10.0.0.{number}")
        world.answers[f"10.0.0.{number}"] = running()
    world.clock.advance(6.0)
    world.survive()
    assert world.status().running == 120
    world.edit_spec(stopped=True)
    world.survive()
    assert world.jobs() == []
    assert (world.status().phase, world.status().running) == (LoadPhase.STOPPED, 0)


def test_what_is_refused_is_tried_again_and_said_nowhere_as_a_status() -> None:
    world = World()
    world.cluster.refuse = lambda verb, kind, key: Unavailable("away") if (verb, kind) == ("patch", JOB) else None
    with pytest.raises(Unavailable):
        world.look()
    assert "status" not in (world.cluster.peek(LOAD, KEY) or {})
    world.cluster.refuse = lambda verb, kind, key: None
    world.look()
    assert len(world.jobs()) == 1


def test_a_resource_that_cannot_be_carried_out_says_the_field() -> None:
    world = World(load={"profile": "realistic", "count": 0})
    world.look()
    assert world.jobs() == []
    assert world.status().phase is LoadPhase.FAILED
    assert world.status().reason == "spec.load.count: Input should be greater than or equal to 1"
    assert world.condition("Failed") == ("True", "LoadFailed")
    world.cluster.requests.clear()
    world.look()
    assert world.cluster.asked("patch") == []


def test_without_an_image_it_says_where_to_name_one() -> None:
    world = World(image_of_operator="")
    world.look()
    assert world.jobs() == []
    assert "--operator-image" in world.status().reason


def test_a_deleted_resource_is_left_to_kubernetes() -> None:
    world = started()
    world.cluster.remove(LOAD, KEY)
    world.cluster.requests.clear()
    assert world.look() is None
    assert world.cluster.asked("patch", "delete", "create") == []


def test_a_resource_made_anew_with_the_same_name_gets_its_own_job() -> None:
    world = started()
    (old,) = world.jobs()
    world.cluster.edit(JOB, Key(KEY.namespace, old), lambda thing: thing["metadata"].update(ownerReferences=[]))
    world.cluster.remove(LOAD, KEY)
    world.put()
    world.look()
    (new,) = set(world.jobs()) - {old}
    assert world.status().nodes[0].pod == ""
    assert new != old


def test_a_pod_of_something_else_with_that_name_is_not_its_own() -> None:
    world = World()
    world.look()
    (job,) = world.jobs()
    world.pod(job)
    world.cluster.edit(POD, Key(KEY.namespace, f"{job}-x"), lambda pod: pod["metadata"]["labels"].pop(OWNER_LABEL))
    world.look()
    assert world.asked == []


def test_a_status_of_another_version_is_made_anew() -> None:
    world = started()
    world.cluster.edit(LOAD, KEY, lambda thing: thing["status"].update(future=1))
    world.look()
    assert world.status().phase is LoadPhase.RUNNING
    assert len(world.jobs()) == 1


def test_a_container_that_waits_for_good_says_why() -> None:
    world = World()
    world.look()
    (job,) = world.jobs()
    waiting = {"reason": "ErrImageNeverPull", "message": "no image"}
    world.pod(job, phase="Pending", **container(waiting=waiting))
    assert world.look() is None
    assert world.status().reason == "the pod does not start: ErrImageNeverPull: no image"
