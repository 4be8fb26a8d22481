"""Webhooks against a real receiver: well, down, wrong, endless or gone; and across deaths of the control plane."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from chalicelib.adapters.items.sqlite import SqliteItemStore
from chalicelib.ports.items import ItemStore
from tests.fakes.dying_store import DyingStore
from tests.functional.control_plane.receiver import Received, Receiver, answer
from tests.functional.control_plane.world import World, deployment, manifest

HOOKS = "/api/v1/webhooks"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as made:
        yield made


@pytest.fixture(params=["sqlite", "memory"])
def world(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[World]:
    made = World(tmp_path, memory=request.param == "memory")
    local(made)
    yield made
    made.close()


def local(world: World, store: ItemStore | None = None) -> None:
    """Let webhooks lead to this machine, as `phoenix up` does."""
    world.settings = world.settings.model_copy(update={"private_webhooks": True})
    world.start(store or world.remains)


def hook(world: World, receiver: Receiver, name: str = "ops", **fields: Any) -> str:
    """A webhook to the receiver; its secret."""
    made = world.post(HOOKS, {"name": name, "url": receiver.url, **fields}, token="admin")
    return str(made["secret"])


def deliver(world: World, seconds: float = 1, step: float = 1) -> None:
    """Time passes for the control plane alone; everything that is due is sent."""
    for _ in range(max(1, round(seconds / step))):
        world.clock.advance(step)
        world.mortal(lambda: world.control_plane.deliver())
        world.mortal(lambda: world.control_plane.deliver())


def deliveries(world: World, name: str = "ops") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = world.get(f"{HOOKS}/{name}/deliveries")["items"]
    return found


def types(received: list[Received]) -> list[str]:
    return [one.json["type"] for one in received]


def test_an_experiments_life_is_told_once_each_and_signed(world: World, receiver: Receiver) -> None:
    secret = hook(world, receiver, events=["experiment.*"])
    world.host("h1")
    world.post("/api/v1/experiments?start=true", manifest(["h1"]))
    world.until_state("running")
    world.post("/api/v1/experiments/web/pause")
    world.post("/api/v1/experiments/web/resume")
    world.until_state("awaiting_promotion")
    world.post("/api/v1/experiments/web/promote")
    world.until_state("completed")
    deliver(world, 3)
    assert sorted(types(receiver.received)) == sorted(
        [
            "experiment.started",
            "experiment.running",
            "experiment.paused",
            "experiment.running",
            "experiment.verdict",
            "experiment.awaiting_promotion",
            "experiment.promoted",
        ]
    )
    assert all(one.signed_with(secret) for one in receiver.received)
    assert not receiver.received[0].signed_with("whsec_" + "A" * 44)
    ids = [one.headers["webhook-id"] for one in receiver.received]
    assert len(set(ids)) == len(ids)
    assert not any("." in one for one in ids)
    verdict = next(one.json for one in receiver.received if one.json["type"] == "experiment.verdict")
    assert verdict["data"]["verdict"] == "promote"
    assert verdict["data"]["experiment"] == "web"
    assert verdict["timestamp"].endswith("Z")
    assert {one["standing"] for one in deliveries(world)} == {"delivered"}
    deliver(world, 5)
    assert len(receiver.received) == 7


def test_a_rejected_experiment_and_a_stopped_one_are_told(world: World, receiver: Receiver) -> None:
    host = world.host("h1")
    host.behaviour.loses = (("nginx", "nginx", 11), ("nginx", "nginx", 12))
    hook(world, receiver, events=["experiment.verdict", "experiment.rolled_back", "experiment.stopped"])
    world.post("/api/v1/experiments?start=true", manifest(["h1"]))
    world.until_state("rolled_back")
    host.behaviour.loses = ()
    world.post("/api/v1/experiments?start=true", manifest(["h1"], name="two"))
    world.until_state("running", name="two")
    world.post("/api/v1/experiments/two/stop")
    world.until_state("stopped", name="two")
    deliver(world, 3)
    found = sorted((one.json["type"], one.json["data"]["verdict"]) for one in receiver.received if one.json)
    assert found == [
        ("experiment.rolled_back", "reject"),
        ("experiment.stopped", None),
        ("experiment.verdict", "reject"),
    ]


def test_the_secret_is_shown_once_and_is_in_no_answer_audit_or_store(tmp_path: Path, receiver: Receiver) -> None:
    world = World(tmp_path)
    local(world)
    secret = hook(world, receiver)
    deliver(world)
    raw = secret.removeprefix("whsec_")
    for target in (HOOKS, f"{HOOKS}/ops", f"{HOOKS}/ops/deliveries"):
        assert raw not in world.send("GET", target, token="admin").body.decode()
    assert raw not in str(world.chain("webhook:ops"))
    world.close()
    with sqlite3.connect(tmp_path / "phoenix.sqlite") as database:
        dumped = "\n".join(database.iterdump())
    assert "webhook:ops" in dumped
    assert raw not in dumped


def test_a_webhook_made_again_has_another_secret(world: World, receiver: Receiver) -> None:
    first = hook(world, receiver)
    assert world.send("DELETE", f"{HOOKS}/ops", token="admin").status == 204
    assert hook(world, receiver) != first


def test_a_receiver_that_is_down_gets_it_when_it_is_back_under_the_same_id(world: World) -> None:
    with Receiver() as gone:
        url = gone.url
    world.post(HOOKS, {"name": "ops", "url": url}, token="admin")
    world.post(f"{HOOKS}/ops/test")
    deliver(world, 20)
    (one,) = deliveries(world)
    assert one["standing"] == "pending"
    assert 2 <= one["count"] <= 3
    assert "ConnectionRefusedError" in one["attempts"][-1]["error"]


@pytest.mark.parametrize("status", [500, 404, 429, 302])
def test_any_answer_but_2xx_is_tried_again_and_redirects_are_not_followed(
    world: World, receiver: Receiver, status: int
) -> None:
    receiver.behave = lambda handler: answer(handler, status, Location=receiver.url + "/elsewhere")
    hook(world, receiver)
    world.post(f"{HOOKS}/ops/test")
    deliver(world, 3)
    (one,) = deliveries(world)
    assert (one["standing"], one["count"], one["attempts"][0]["status"]) == ("pending", 1, status)
    receiver.behave = lambda handler: answer(handler, 204)
    deliver(world, 10)
    assert deliveries(world)[0]["standing"] == "delivered"
    assert {one.path for one in receiver.received} == {"/hook"}
    assert len({one.headers["webhook-id"] for one in receiver.received}) == 1
    assert len({one.headers["webhook-timestamp"] for one in receiver.received}) == 2


def test_it_is_given_up_after_a_day_and_a_half_and_can_be_replayed(world: World, receiver: Receiver) -> None:
    receiver.behave = lambda handler: answer(handler, 503, Retry_After="60")
    secret = hook(world, receiver)
    world.post(f"{HOOKS}/ops/test")
    deliver(world, 4 * 86400, step=1800)
    (one,) = deliveries(world)
    assert (one["standing"], one["count"]) == ("dead", 9)
    receiver.behave = lambda handler: answer(handler, 200)
    again = world.post(f"{HOOKS}/ops/deliveries/{one['id']}/replay")
    assert again["standing"] == "pending"
    assert world.send("POST", f"{HOOKS}/ops/deliveries/{one['id']}/replay").status == 409
    deliver(world, 2)
    assert deliveries(world)[0]["standing"] == "delivered"
    assert len({r.headers["webhook-id"] for r in receiver.received}) == 1
    assert receiver.received[-1].signed_with(secret)
    assert [record.action for record in world.chain("webhook:ops")] == ["create", "replay"]
    assert world.send("POST", f"{HOOKS}/ops/deliveries/none/replay").status == 404


def test_retry_after_is_kept_to(world: World, receiver: Receiver) -> None:
    receiver.behave = lambda handler: answer(handler, 503, Retry_After="120")
    hook(world, receiver)
    world.post(f"{HOOKS}/ops/test")
    deliver(world, 100)
    assert len(receiver.received) == 1
    deliver(world, 30)
    assert len(receiver.received) == 2


def test_410_disables_the_webhook_for_good(world: World, receiver: Receiver) -> None:
    receiver.behave = lambda handler: answer(handler, 410)
    hook(world, receiver)
    world.post(f"{HOOKS}/ops/test")
    deliver(world, 2)
    shown = world.get(f"{HOOKS}/ops")
    assert "410" in shown["disabled"]
    assert deliveries(world)[0]["standing"] == "dead"
    assert world.send("POST", f"{HOOKS}/ops/test").status == 409
    assert [record.action for record in world.chain("webhook:ops")] == ["create", "disable"]


def endless(handler: BaseHTTPRequestHandler) -> None:
    """A body that the receiver never ends."""
    handler.send_response(200)
    handler.send_header("Content-Length", str(10**12))
    handler.end_headers()
    try:
        for _ in range(1000):
            handler.wfile.write(b"x" * 65536)
    except OSError:
        pass
    handler.close_connection = True


def nonsense(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"SSH-2.0-no-http\r\n\r\n")
    handler.close_connection = True


def test_an_endless_body_is_cut_and_nonsense_is_a_failure(world: World, receiver: Receiver) -> None:
    receiver.behave = endless
    hook(world, receiver)
    world.post(f"{HOOKS}/ops/test")
    deliver(world, 2)
    assert deliveries(world)[0]["standing"] == "delivered"
    receiver.behave = nonsense
    world.post(f"{HOOKS}/ops/test")
    deliver(world, 2)
    assert sorted(one["standing"] for one in deliveries(world)) == ["delivered", "pending"]


def test_slack_gets_what_slack_takes_and_names_cannot_mention_anyone(world: World, receiver: Receiver) -> None:
    hook(world, receiver, format="slack", events=["experiment.started"])
    world.host("h1")
    world.post("/api/v1/experiments?start=true", manifest(["h1"]))
    deliver(world, 2)
    sent = receiver.received[0].json
    assert sent["text"].startswith("experiment web: started")
    assert sent["blocks"][0]["text"]["type"] == "mrkdwn"


def test_hosts_away_and_back_are_told_once_each(world: World, receiver: Receiver) -> None:
    hook(world, receiver, events=["host.*"])
    host = world.host("h1")
    for _ in range(40):
        world.pass_time(1)
        deliver(world)
    assert receiver.received == []
    host.behaviour.away = True
    deliver(world, 600, step=5)
    assert types(receiver.received) == ["host.away"]
    host.behaviour.away = False
    world.pass_time(2)
    deliver(world, 40)
    assert types(receiver.received) == ["host.away", "host.back"]
    assert receiver.received[1].json["data"]["before"] == "away"


def test_a_failed_deployment_and_its_repair_are_told_once_each(world: World, receiver: Receiver) -> None:
    hook(world, receiver, events=["deployment.*"])
    host = world.host("h1")
    world.deployed(host)
    before = host.config or {}
    host.behaviour.refuses = lambda config: "no" if config["processors"].keys() - before["processors"] else ""
    world.post("/api/v1/deployments", deployment("base", [], "process-topk-v1", k=7))
    world.until("failed", lambda: world.get("/api/v1/deployments/base")["settled"], 200)
    world.post("/api/v1/deployments/base/rollback", {})
    world.until("restored", lambda: world.get("/api/v1/deployments/base")["settled"], 200)
    deliver(world, 3)
    assert sorted(types(receiver.received)) == ["deployment.failed", "deployment.restored"]
    failed = next(one.json for one in receiver.received if one.json["type"] == "deployment.failed")
    assert "h1" in failed["data"]["failed"]


@pytest.mark.parametrize("at", range(1, 9))
@pytest.mark.parametrize("after", [False, True])
def test_a_death_between_save_and_delivery_loses_nothing(
    tmp_path: Path, receiver: Receiver, at: int, after: bool
) -> None:
    """The control plane dies at any write of creating, spreading or sending; each event arrives, under one id."""
    world = World(tmp_path)
    local(world)
    world.host("h1")
    hook(world, receiver, events=["experiment.started"])
    world.remains = SqliteItemStore(tmp_path / "phoenix.sqlite", world.clock.now)
    local(world, DyingStore(world.remains, at, after=after))
    world.insist("POST", "/api/v1/experiments?start=true", manifest(["h1"]))
    deliver(world, 60)
    assert types(receiver.received)
    assert set(types(receiver.received)) == {"experiment.started"}
    assert len({one.headers["webhook-id"] for one in receiver.received}) == 1
    assert len(receiver.received) <= 2
    assert deliveries(world)[0]["standing"] == "delivered"
    world.close()


def test_two_deliverers_at_once_send_it_once(world: World, receiver: Receiver) -> None:
    hook(world, receiver)
    world.post(f"{HOOKS}/ops/test")
    services = world.control_plane.services
    stored = next(iter(services.webhooks._context.records.deliveries.all("default")))
    key = f"ops#{stored.value.id}"
    receiver.behave = lambda handler: (services.deliveries.step("default", key), answer(handler, 204))[0]
    services.deliveries.step("default", key)
    assert len(receiver.received) == 1
    assert deliveries(world)[0]["standing"] == "delivered"


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"url": "ftp://example.com"}, "/url"),
        ({"url": "https://user:pass@example.com/"}, "/url"),
        ({"url": "https://example.com/\r\nX: 1"}, "/url"),
        ({"url": "http://[::1"}, "/url"),
        ({"url": "https://example.com:99999/"}, "/url"),
        ({"events": ["experiment.exploded"]}, "/events"),
        ({"events": []}, "/events"),
        ({"format": "teams"}, "/format"),
        ({"name": "A b"}, "/name"),
        ({"secret": "mine"}, "/secret"),
        ({"gate": {"deadline": "1s"}}, "/gate/deadline"),
    ],
)
def test_a_webhook_that_cannot_be_right_is_refused(world: World, change: dict[str, Any], pointer: str) -> None:
    answered = world.send("POST", HOOKS, {"name": "ops", "url": "https://example.com/x", **change}, token="admin")
    assert answered.status == 400
    assert answered.json["errors"][0]["pointer"].startswith(pointer)


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://[::ffff:169.254.169.254]/",
        "http://127.0.0.1:9/",
        "http://localhost:9/",
        "http://10.0.0.1/",
        "http://[::1]:9/",
        "http://2130706433:9/",
        "http://0.0.0.0:9/",
    ],
)
def test_nothing_is_sent_inside_unless_it_is_allowed(tmp_path: Path, url: str) -> None:
    world = World(tmp_path, memory=True)
    world.post(HOOKS, {"name": "ops", "url": url}, token="admin")
    world.post(f"{HOOKS}/ops/test")
    deliver(world, 2)
    (one,) = deliveries(world)
    world.close()
    assert one["standing"] == "dead"
    assert "nothing is sent there" in one["attempts"][0]["error"]


def test_metadata_is_out_of_reach_even_where_private_networks_are_allowed(world: World) -> None:
    world.post(HOOKS, {"name": "ops", "url": "http://169.254.169.254/"}, token="admin")
    world.post(f"{HOOKS}/ops/test")
    deliver(world, 2)
    assert deliveries(world)[0]["standing"] == "dead"
