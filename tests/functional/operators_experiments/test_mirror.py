"""An Experiment resource and its experiment: created, followed, stopped, refused, adopted; over HTTP to real routes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from operators.experiments.resource import EXPERIMENT
from tests.fakes.kubernetes import Died
from tests.functional.control_plane.served import served
from tests.functional.control_plane.world import World, manifest
from tests.functional.operators_experiments.mirror import KEY, Mirror

NOWHERE = "http://127.0.0.1:9"
ADOPT, ABANDON = "phoenix.io/adopt", "phoenix.io/abandon"


class Stage:
    """A control plane that may be away, and one operator."""

    def __init__(self, folder: Path) -> None:
        self.world = World(folder / "data", memory=True)
        self._served = ExitStack()
        self.url = self._up()
        self.mirror = Mirror(self.world, folder, self.url)

    def _up(self) -> str:
        return f"http://127.0.0.1:{self._served.enter_context(served(self.world.control_plane))}"

    def away(self) -> None:
        self.mirror.restart(NOWHERE)

    def back(self) -> None:
        self.mirror.restart(self.url)

    def close(self) -> None:
        self.mirror.close()
        self._served.close()
        self.world.close()


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = Stage(tmp_path)
    made.world.host("h1")
    yield made
    made.close()


def test_a_resource_becomes_an_experiment_and_shows_its_verdict_and_its_figures(stage: Stage) -> None:
    mirror = stage.mirror
    mirror.apply(["h1"])
    mirror.until("running")
    assert mirror.condition("Ready") == ("True", "Running")
    assert stage.world.experiment()["managedBy"].startswith("kubernetes:prod/web/web/uid-")
    assert stage.world.experiment()["labels"] == {"team": "platform"}
    mirror.until("awaiting_promotion")
    assert (mirror.status["verdict"], mirror.status["hosts"]) == ("promote", 1)
    assert " % [" in mirror.status["reduction"]
    kept, of = mirror.status["retention"].split("/")
    assert kept == of
    assert int(of) > 0
    stage.world.post("/api/v1/experiments/web/promote")
    mirror.until("completed")
    assert mirror.condition("Complete") == ("True", "Completed")
    assert mirror.reconcile() is None
    reasons = [reason for reason, _, _ in mirror.cluster.events]
    assert reasons.count("Completed") == reasons.count("Verdict") == 1


def test_nothing_is_written_while_nothing_changes(stage: Stage) -> None:
    stage.mirror.apply(["h1"])
    stage.mirror.until("running")
    writes = stage.mirror.cluster.writes
    for _ in range(5):
        stage.mirror.reconcile()
    assert stage.mirror.cluster.writes == writes


def test_deleting_the_resource_stops_the_experiment_and_keeps_its_record(stage: Stage) -> None:
    mirror = stage.mirror
    mirror.apply(["h1"])
    mirror.until("running")
    mirror.cluster.remove(EXPERIMENT, KEY)
    mirror.reconcile()
    assert mirror.condition("Synced") == ("True", "Stopping")
    for _ in range(60):
        if mirror.thing is None:
            break
        stage.world.pass_time(2)
        mirror.reconcile()
    assert mirror.thing is None
    assert stage.world.experiment()["state"] == "stopped"


@pytest.mark.parametrize("number", range(1, 6))
def test_an_operator_killed_after_any_write_goes_on_where_it_was(stage: Stage, number: int) -> None:
    mirror = stage.mirror
    mirror.cluster.die_at = number
    mirror.apply(["h1"])
    died = 0
    for _ in range(60):
        try:
            mirror.reconcile()
        except Died:
            died += 1
            mirror.restart(stage.url)
        stage.world.pass_time(1)
    assert died == 1
    assert len(stage.world.get("/api/v1/experiments")["items"]) == 1
    assert mirror.condition("Synced") == ("True", "Synced")


def test_what_the_api_refuses_is_said_with_the_field(stage: Stage) -> None:
    mirror = stage.mirror
    mirror.apply(["h1", "nobody"])
    again = mirror.reconcile()
    assert (mirror.condition("Synced"), again) == (("False", "Rejected"), 60)
    assert "/spec/targets/hosts/1" in mirror.said()
    assert "phoenix host list" in mirror.said()
    stage.world.host("nobody")
    mirror.reconcile()
    assert mirror.condition("Synced") == ("True", "Synced")


def test_a_host_that_another_experiment_holds_is_waited_for(stage: Stage) -> None:
    stage.world.post("/api/v1/experiments?start=true", manifest(["h1"], name="first"))
    stage.mirror.apply(["h1"])
    stage.mirror.reconcile()
    assert stage.mirror.condition("Synced") == ("False", "Conflict")
    assert "first" in stage.mirror.said()
    stage.world.post("/api/v1/experiments/first/stop")
    stage.world.pass_time(10)
    stage.mirror.until("running")


def test_an_experiment_made_another_way_is_left_alone_until_it_is_adopted(stage: Stage) -> None:
    mirror = stage.mirror
    stage.world.post("/api/v1/experiments?start=true", manifest(["h1"]))
    mirror.apply(["h1"])
    mirror.reconcile()
    assert mirror.condition("Synced") == ("False", "NotManaged")
    assert ADOPT in mirror.said()
    assert stage.world.experiment()["managedBy"] == ""
    mirror.annotate(ADOPT)
    mirror.reconcile()
    assert mirror.condition("Synced") == ("True", "Synced")
    uid = mirror.thing["metadata"]["uid"] if mirror.thing else ""
    assert stage.world.experiment()["managedBy"] == f"kubernetes:prod/web/web/{uid}"
    stage.world.post(
        "/api/v1/experiments/web/adopt", {"managedBy": "", "expected": stage.world.experiment()["managedBy"]}
    )
    mirror.reconcile()
    assert mirror.condition("Synced") == ("False", "NotManaged")
    assert "taken over" in mirror.said()


def test_deleting_a_resource_that_is_not_the_experiments_own_touches_nothing(stage: Stage) -> None:
    stage.world.post("/api/v1/experiments?start=true", manifest(["h1"]))
    stage.mirror.apply(["h1"])
    stage.mirror.reconcile()
    stage.mirror.cluster.remove(EXPERIMENT, KEY)
    stage.mirror.reconcile()
    assert stage.mirror.thing is None
    assert stage.world.experiment()["state"] == "pending"


def test_an_adoption_of_something_else_names_what_differs(stage: Stage) -> None:
    stage.world.post("/api/v1/experiments?start=true", manifest(["h1"]))
    stage.mirror.apply(["h1"], {ADOPT: "true"}, interval="2s")
    stage.mirror.reconcile()
    assert stage.mirror.condition("Synced") == ("False", "NotManaged")
    assert "/spec/interval" in stage.mirror.said()
    assert stage.world.experiment()["managedBy"] == ""


def test_a_changed_spec_is_said_and_the_experiment_goes_on(stage: Stage) -> None:
    stage.mirror.apply(["h1"])
    stage.mirror.until("running")
    stage.mirror.apply(["h1"], interval="2s")
    stage.mirror.reconcile()
    assert stage.mirror.condition("Synced") == ("False", "Rejected")
    assert "/spec/interval" in stage.mirror.said()
    assert stage.mirror.status["state"] == "running"


def test_away_nothing_is_lost_and_creation_goes_through_when_it_is_back(stage: Stage) -> None:
    mirror = stage.mirror
    stage.away()
    mirror.apply(["h1"])
    first = mirror.reconcile()
    assert mirror.condition("Synced") == ("Unknown", "Unreachable")
    assert "since 20" in mirror.said()
    stage.world.pass_time(100, 100)
    writes = mirror.cluster.writes
    later = mirror.reconcile()
    assert mirror.cluster.writes == writes
    assert first is not None
    assert later is not None
    assert first < later <= 60
    stage.back()
    mirror.until("running")


def test_a_deletion_while_it_is_away_is_carried_out_when_it_is_back(stage: Stage) -> None:
    mirror = stage.mirror
    mirror.apply(["h1"])
    mirror.until("running")
    stage.away()
    mirror.cluster.remove(EXPERIMENT, KEY)
    mirror.reconcile()
    assert mirror.thing is not None
    assert ABANDON in mirror.said()
    stage.back()
    mirror.reconcile()
    stage.world.pass_time(30)
    mirror.reconcile()
    assert mirror.thing is None
    assert stage.world.experiment()["state"] == "stopped"


def test_a_deletion_that_is_abandoned_leaves_the_experiment_running(stage: Stage) -> None:
    mirror = stage.mirror
    mirror.apply(["h1"])
    mirror.until("running")
    stage.away()
    mirror.cluster.remove(EXPERIMENT, KEY)
    mirror.annotate(ABANDON)
    mirror.reconcile()
    assert mirror.thing is None
    assert ("Released", "abandoned: the experiment was not stopped", True) in mirror.cluster.events
    assert stage.world.experiment()["state"] == "running"


def test_one_that_people_deleted_is_not_made_again(stage: Stage) -> None:
    mirror = stage.mirror
    mirror.apply(["h1"])
    mirror.until("running")
    stage.world.post("/api/v1/experiments/web/stop")
    stage.world.pass_time(30)
    assert stage.world.send("DELETE", "/api/v1/experiments/web").status == 204
    mirror.reconcile()
    assert mirror.condition("Synced") == ("False", "Gone")
    assert stage.world.send("GET", "/api/v1/experiments/web").status == 404


def test_a_token_that_is_replaced_is_used_at_once(stage: Stage) -> None:
    mirror = stage.mirror
    mirror.token_file.write_text("phx_wrong", "utf-8")
    mirror.apply(["h1"])
    mirror.reconcile()
    assert mirror.condition("Synced") == ("False", "NotAllowed")
    assert "phx_wrong" not in mirror.said()
    mirror.token_file.write_text(stage.world.tokens["operator"] + "\n", "utf-8")
    mirror.reconcile()
    assert mirror.condition("Synced") == ("True", "Synced")
