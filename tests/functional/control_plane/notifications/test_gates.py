"""Gates: a promotion waits for the webhook's word, and silence is never an approval."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.dying_store import DyingStore
from tests.functional.control_plane.notifications.test_webhooks import HOOKS, deliver, hook, local
from tests.functional.control_plane.receiver import Receiver, answer
from tests.functional.control_plane.world import World, manifest

WEB = "/api/v1/experiments/web"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as made:
        yield made


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path, memory=True)
    local(made)
    made.host("h1")
    yield made
    made.close()


def gate(world: World, receiver: Receiver, name: str = "change-board", **fields: Any) -> None:
    hook(world, receiver, name, events=["experiment.failed"], gate={"deadline": "60s", **fields})


def says(decision: str, reason: str = "") -> Any:
    body = json.dumps({"decision": decision, "reason": reason}).encode()
    return lambda handler: answer(handler, 200, body)


def won(world: World, promotion: str = "automatic") -> None:
    """An experiment whose candidate has won and that waits."""
    world.post("/api/v1/experiments?start=true", manifest(["h1"], promotion=promotion))
    world.until_state("awaiting_promotion")


def live(world: World, seconds: int) -> str:
    """Hosts, steps and deliveries, side by side; the state afterwards."""
    for _ in range(seconds):
        world.pass_time(1)
        world.mortal(lambda: world.control_plane.deliver())
    return str(world.experiment()["state"])


def test_a_gate_that_approves_lets_an_automatic_promotion_go_on(world: World, receiver: Receiver) -> None:
    receiver.behave = says("approve", "CHG-42")
    gate(world, receiver)
    won(world)
    assert live(world, 20) == "completed"
    (asked,) = receiver.received
    assert asked.json["type"] == "gate.asked"
    assert asked.json["data"]["otherwise"] == "hold"
    found = world.get(f"{WEB}/gates")["items"][0]
    assert (found["answer"]["decision"], found["answeredBy"]) == ("approve", "webhook:change-board")
    assert world.experiment()["promotedBy"] == "automatic"
    actions = [record.action for record in world.chain(f"experiment:{world.experiment()['uid']}")]
    assert actions.count("gate") == 1


@pytest.mark.parametrize("promotion", ["automatic", "manual"])
def test_a_gate_that_denies_stops_it_and_restores_what_ran(world: World, receiver: Receiver, promotion: str) -> None:
    receiver.behave = says("deny", "freeze")
    gate(world, receiver)
    won(world, promotion)
    assert live(world, 20) == "stopped"
    assert "gate change-board denied it: freeze" in world.story()
    assert world.claimed("h1") == ""


@pytest.mark.parametrize(("otherwise", "state"), [("hold", "awaiting_promotion"), ("deny", "stopped")])
def test_silence_is_no_approval(world: World, receiver: Receiver, otherwise: str, state: str) -> None:
    receiver.behave = lambda handler: answer(handler, 202)
    gate(world, receiver, otherwise=otherwise)
    won(world)
    assert live(world, 30) == "awaiting_promotion"
    assert live(world, 60) == state
    if state == "awaiting_promotion":
        assert "a person decides" in world.experiment()["message"]
        world.post(f"{WEB}/promote", {})
        assert live(world, 10) == "completed"


def test_an_operator_waits_too_and_may_answer_for_the_gate(world: World, receiver: Receiver) -> None:
    gate(world, receiver)
    won(world, "manual")
    live(world, 2)
    refused = world.send("POST", f"{WEB}/promote", {})
    assert refused.status == 409
    assert "waiting for gate change-board" in refused.json["detail"]
    assert world.send("POST", f"{WEB}/gates/nobody", {"decision": "approve"}).status == 404
    assert world.send("POST", f"{WEB}/gates/change-board", {"decision": "perhaps"}).status == 400
    world.post(f"{WEB}/gates/change-board", {"decision": "approve", "reason": "by phone"})
    second = world.post(f"{WEB}/gates/change-board", {"decision": "deny"})
    assert second["answer"] == {"decision": "approve", "reason": "by phone"}
    assert live(world, 3) == "awaiting_promotion"
    world.post(f"{WEB}/promote", {})
    assert live(world, 10) == "completed"


def test_every_gate_must_approve(world: World, receiver: Receiver) -> None:
    receiver.behave = lambda handler: answer(handler, 204)
    gate(world, receiver)
    gate(world, receiver, "second")
    won(world)
    live(world, 2)
    world.post(f"{WEB}/gates/change-board", {"decision": "approve"})
    assert live(world, 5) == "awaiting_promotion"
    assert world.experiment()["message"] == "waiting for gate second"
    world.post(f"{WEB}/gates/second", {"decision": "approve"})
    assert live(world, 10) == "completed"


def nonsense(handler: BaseHTTPRequestHandler) -> None:
    answer(handler, 200, b'{"decision": "approve", "reason": ' + b"[" * 5000)


@pytest.mark.parametrize(
    "behave",
    [
        nonsense,
        lambda handler: answer(handler, 200, b'{"decision": "APPROVE!"}'),
        lambda handler: answer(handler, 500, b'{"decision": "approve"}'),
        lambda handler: answer(handler, 302, b'{"decision": "approve"}', Location="/yes"),
    ],
)
def test_only_a_clear_word_in_a_good_answer_counts(world: World, receiver: Receiver, behave: Any) -> None:
    receiver.behave = behave
    gate(world, receiver)
    won(world)
    assert live(world, 10) == "awaiting_promotion"
    assert world.get(f"{WEB}/gates")["items"][0]["answer"] is None


def test_a_gate_that_is_deleted_holds_nothing_any_more(world: World, receiver: Receiver) -> None:
    receiver.behave = lambda handler: answer(handler, 204)
    gate(world, receiver)
    won(world)
    live(world, 2)
    assert world.send("DELETE", f"{HOOKS}/change-board", token="admin").status == 204
    assert live(world, 10) == "completed"


@pytest.mark.parametrize("at", range(1, 15, 2))
@pytest.mark.parametrize("after", [False, True])
def test_a_death_anywhere_on_the_way_ends_in_one_promotion(
    world: World, receiver: Receiver, at: int, after: bool
) -> None:
    receiver.behave = says("approve")
    gate(world, receiver)
    won(world)
    assert world.remains is not None
    local(world, DyingStore(world.remains, at, after=after))
    for _ in range(60):
        if live(world, 1) == "completed":
            break
    deliver(world, 30)
    assert world.experiment()["state"] == "completed"
    versions = world.get("/api/v1/deployments/web")["versions"]
    assert len([one for one in versions if one["experimentUid"]]) == 1
    assert len({one.headers["webhook-id"] for one in receiver.received}) == 1
