"""Experiments that something manages: made once, stopped by their own manager, handed over; over HTTP, by the CLI."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from typer.testing import CliRunner

from phoenix_cli.main import app
from tests.functional.control_plane.served import served
from tests.functional.control_plane.world import World, manifest

ALL = "/api/v1/experiments"
ONE = f"{ALL}/web"
CR = "kubernetes:prod/web/web/0b1c"
OTHER = "kubernetes:prod/other/web/77aa"


def by(manager: str) -> str:
    return f"managedBy={quote(manager, safe='')}"


def made(world: World, manager: str = CR) -> str:
    world.host("h1")
    answer = world.send("POST", f"{ALL}?start=true&{by(manager)}", manifest(["h1"]))
    assert answer.status == 201, answer.body
    return str(answer.json["experiment"]["uid"])


def test_a_lost_answer_is_asked_for_again_and_no_second_experiment_is_made(world: World) -> None:
    uid = made(world)
    again = world.send("POST", f"{ALL}?start=true&{by(CR)}", manifest(["h1"]))
    assert (again.status, again.json["experiment"]["uid"]) == (200, uid)
    assert world.experiment()["managedBy"] == CR
    assert [one["managedBy"] for one in world.get(ALL)["items"]] == [CR]
    assert [entry.action for entry in world.chain(f"experiment:{uid}")] == ["create"]
    assert world.chain(f"experiment:{uid}")[0].detail["managedBy"] == CR


def test_another_spec_or_another_manager_is_a_conflict_that_says_so(world: World) -> None:
    made(world)
    changed = world.send("POST", f"{ALL}?{by(CR)}", manifest(["h1"], interval="2s"))
    assert (changed.status, changed.json["errors"][0]["pointer"]) == (409, "/spec/interval")
    for query in ("start=true", by(OTHER)):
        assert world.send("POST", f"{ALL}?{query}", manifest(["h1"])).status == 409


def test_a_manager_stops_its_own_and_no_other_and_a_person_any(world: World) -> None:
    made(world)
    foreign = world.send("POST", f"{ONE}/stop?{by(OTHER)}")
    assert (foreign.status, world.experiment()["state"]) == (409, "pending")
    assert CR in foreign.json["detail"]
    assert world.send("POST", f"{ONE}/stop?{by(CR)}").status == 200
    assert world.send("DELETE", ONE).status == 204
    answer = world.send("POST", f"{ALL}?start=true&{by(CR)}", manifest(["h1"]))
    assert answer.status == 201
    assert world.post(f"{ONE}/stop")["state"] == "stopped"


def test_an_adoption_over_http_is_audited_and_repeatable(world: World) -> None:
    uid = made(world, "")
    world.until_state("running")
    body = {"managedBy": CR, "expected": "", "spec": manifest(["h1"])["spec"]}
    assert world.post(f"{ONE}/adopt", body)["managedBy"] == CR
    assert world.post(f"{ONE}/adopt", body)["managedBy"] == CR
    taken = [entry for entry in world.chain(f"experiment:{uid}") if entry.action == "adopt"]
    assert [(entry.actor, entry.detail["managedBy"]) for entry in taken] == [("operator", CR)]
    assert world.experiment()["state"] == "running"
    world.until_state("awaiting_promotion")
    assert world.experiment()["managedBy"] == CR


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({"managedBy": CR, "expected": OTHER}, 409, "managed by the API and the CLI"),
        ({"managedBy": CR, "expected": "", "spec": {"interval": "9s"}}, 409, "/spec/interval"),
        ({"managedBy": CR}, 400, "expected"),
        ({"managedBy": "a b", "expected": ""}, 400, "managedBy"),
        ({"managedBy": CR, "expected": "", "spec": {"critical": []}}, 400, "/spec/critical"),
    ],
)
def test_an_adoption_that_is_not_right_changes_nothing(
    world: World, body: dict[str, object], status: int, said: str
) -> None:
    made(world, "")
    if isinstance(body.get("spec"), dict):
        body = {**body, "spec": {**manifest(["h1"])["spec"], **body["spec"]}}  # type: ignore[dict-item]
    answer = world.send("POST", f"{ONE}/adopt", body)
    assert answer.status == status, answer.body
    assert said in answer.body.decode()
    assert world.experiment()["managedBy"] == ""
    assert world.send("POST", f"{ONE}/adopt", {"managedBy": CR, "expected": ""}, token="viewer").status == 403


def test_the_command_line_shows_it_and_hands_it_over(world: World) -> None:
    made(world)
    with served(world.control_plane) as port:
        env = {"PHOENIX_URL": f"http://127.0.0.1:{port}", "PHOENIX_TOKEN": world.tokens["operator"]}

        def phoenix(*words: str) -> str:
            answer = CliRunner().invoke(app, ["experiment", *words], env={**env, "COLUMNS": "400"})
            assert answer.exit_code == 0, answer.output
            return answer.output

        assert f"managedBy: {CR}" in phoenix("show", "web")
        assert CR.rpartition("/")[0] in phoenix("list")
        assert "is managed by the API and the CLI" in phoenix("adopt", "web", "--from", CR)
        assert "managed by" not in phoenix("list")
