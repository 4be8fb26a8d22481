"""Predictions over HTTP: kept, bounded, checked, and held against the experiment that comes after."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.domain.prediction.prediction import KEPT_SECONDS, MAX_OF_PAIR
from tests.functional.control_plane.world import VIEWER, World, manifest
from tests.unit.prediction.made import PATTERN, conditions, draft, figures

PATH = "/api/v1/predictions"


def body(**fields: Any) -> dict[str, Any]:
    """A prediction for the pair that `manifest` compares, with every parameter as the catalog fills it in."""
    base = {
        "baseline": figures("process-baseline-v1", 7000.0, version="1.0.0"),
        "candidate": figures(parameters={"k": 10, "disk": False, "memory_floor": 0}),
    }
    return draft(**{**base, **fields}).model_dump(mode="json", by_alias=True)


def candidate() -> dict[str, Any]:
    return {"pipeline": "process-topk-v1", "parameters": {"k": 10}}


def started(world: World) -> None:
    world.host("h1").behaviour.critical = (("db", "db-main", 11),)
    spec = {"candidate": candidate(), "critical": [{"id": "db", "name": "^db-main$"}]}
    world.post("/api/v1/experiments?start=true", manifest(["h1"], **spec))


def test_an_experiment_is_held_against_the_latest_prediction_from_before_it(world: World) -> None:
    world.post(PATH, body(raw_series=6000.0))
    world.pass_time(2)
    latest = world.post(PATH, body())
    world.pass_time(2)
    started(world)
    world.until_state("running")
    world.pass_time(30)
    world.post(PATH, body(raw_series=1.0))
    found = world.get("/api/v1/experiments/web/prediction")
    assert found["prediction"]["uid"] == latest["uid"]
    by_name = {one["figure"]: one for one in found["figures"]}
    assert by_name["raw"]["predicted"] == 7000
    assert by_name["reduction"]["predicted"] == pytest.approx(0.99)
    evaluation = world.get("/api/v1/experiments/web/evaluation")
    mean = evaluation["series"]["mean"]
    assert by_name["candidate"]["realised"] == mean["candidate"]
    assert by_name["candidate"]["difference"] == pytest.approx(mean["candidate"] / 70 - 1)
    assert by_name["reduction"]["realised"] == evaluation["reduction"]["value"]
    assert by_name["critical db"]["realised"] == evaluation["critical"]["patterns"][0]["candidateRetention"] == 1


def test_what_differs_from_the_recording_is_said(world: World) -> None:
    world.post(PATH, body(critical=(PATTERN,), conditions=conditions(host="elsewhere", interval_s=60, complete=False)))
    started(world)
    differs = "; ".join(world.get("/api/v1/experiments/web/prediction")["differs"])
    assert "recorded every 60 s" in differs
    assert "elsewhere" in differs
    assert "cut short" in differs


def test_without_a_prediction_of_this_very_pair_there_is_none(world: World) -> None:
    world.post(PATH, body(candidate=figures(parameters={"k": 11, "disk": False, "memory_floor": 0})))
    started(world)
    answer = world.send("GET", "/api/v1/experiments/web/prediction", token=VIEWER)
    assert answer.status == 404
    assert "phoenix pipeline preview process-topk-v1" in answer.json["hint"]
    assert world.send("GET", "/api/v1/experiments/none/prediction", token=VIEWER).status == 404


def test_predictions_are_bounded_and_forgotten(world: World) -> None:
    for number in range(MAX_OF_PAIR + 3):
        world.post(PATH, body(raw_series=float(number)))
        world.clock.advance(1)
    kept = world.get(PATH)["items"]
    assert [one["rawSeries"] for one in kept] == [MAX_OF_PAIR + 2]
    world.clock.advance(KEPT_SECONDS)
    assert world.get(PATH)["items"] == []


@pytest.mark.parametrize(
    ("fields", "status", "what"),
    [
        ({"candidate": figures("process-nope-v1")}, 400, "process-nope-v1"),
        ({"candidate": figures(version="9.9.9", parameters={"k": 10})}, 400, "9.9.9"),
        ({"candidate": figures(parameters={"k": 0})}, 400, "minimum"),
        ({"candidate": figures(parameters={"k": 10, "x": "y" * 40_000})}, 413, "bytes"),
    ],
    ids=["pipeline", "version", "parameter", "size"],
)
def test_what_could_never_run_here_is_not_kept(fields: dict[str, Any], status: int, what: str, world: World) -> None:
    answer = world.send("POST", PATH, body(**fields))
    assert answer.status == status, answer.body
    assert what in str(answer.json)
    assert world.get(PATH)["items"] == []


@pytest.mark.parametrize(
    "change",
    [
        {"unknown": 1},
        {"critical": []},
        {"rawSeries": -1},
        {"rawSeries": 1e300},
        {"conditions": {**body()["conditions"], "recording": "x"}},
        {"notes": ["x" * 501]},
    ],
    ids=["unknown field", "figures without their pattern", "negative", "huge", "digest", "long note"],
)
def test_a_malformed_prediction_is_refused(change: dict[str, Any], world: World) -> None:
    assert world.send("POST", PATH, {**body(), **change}).status == 400


def test_a_viewer_may_look_and_not_keep(world: World) -> None:
    assert world.send("POST", PATH, body(), token=VIEWER).status == 403
    assert world.get(PATH)["items"] == []
