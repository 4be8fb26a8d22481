"""Budgets over HTTP: warned, breached and recovered once each, and never by a lack of data."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.dying_store import DyingStore
from tests.functional.control_plane.notifications.test_webhooks import deliver, hook, local, types
from tests.functional.control_plane.receiver import Receiver
from tests.functional.control_plane.world import World

BUDGETS = "/api/v1/budgets"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as made:
        yield made


@pytest.fixture
def world(tmp_path: Path, receiver: Receiver) -> Iterator[World]:
    """Two hosts with 600 series each: 72 USD a month at the example price. Its webhook hears of budgets."""
    made = World(tmp_path, memory=True)
    local(made)
    hook(made, receiver, events=["budget.*"])
    for name, role in (("h1", "web"), ("h2", "db")):
        made.deployed(made.host(name, {"role": role}), name=f"d-{name}", pipeline="process-topk-v1")
    yield made
    made.close()


def series(world: World, count: int) -> None:
    for host in world.hosts.values():
        host.behaviour.series["deployed"] = count


def run(world: World, seconds: int) -> None:
    """Hosts live and budgets are looked at."""
    for _ in range(seconds // 20):
        for _ in range(4):
            world.pass_time(5, step=5)
        deliver(world, 1)


def budget(world: World, name: str = "all", **fields: Any) -> dict[str, Any]:
    made: dict[str, Any] = world.post(BUDGETS, {"name": name, "limit": 100, "window": "1m", **fields})
    return made


def test_warn_breach_and_recovery_are_told_once_each(world: World, receiver: Receiver) -> None:
    assert budget(world)["reason"] == "not looked at yet"
    run(world, 200)
    found = world.get(f"{BUDGETS}/all")
    assert (found["level"], found["measured"], found["currency"]) == ("fine", 2, "USD")
    assert found["perMonth"] == pytest.approx(72)
    assert receiver.received == []
    for count, level in ((700, "warn"), (1000, "breach"), (200, "fine")):
        series(world, count)
        run(world, 300)
        assert world.get(f"{BUDGETS}/all")["level"] == level
    assert types(receiver.received) == ["budget.warn", "budget.breach", "budget.recovered"]
    breach = receiver.received[1].json["data"]
    assert (breach["limit"], breach["priceBook"], breach["measuredHosts"]) == (100, "example-2026", 2)
    assert breach["perMonth"] >= 100
    assert receiver.received[2].json["data"]["before"] == "breach"


def test_cost_that_sways_about_the_limit_is_told_once(world: World, receiver: Receiver) -> None:
    budget(world, limit=72, warnAt=1)
    for count in (601, 590, 602, 580, 600):
        series(world, count)
        run(world, 120)
    assert types(receiver.received) == ["budget.breach"]


def test_silence_recovers_nothing(world: World, receiver: Receiver) -> None:
    budget(world, limit=60)
    run(world, 120)
    assert types(receiver.received) == ["budget.breach"]
    world.hosts["h1"].behaviour.silent = True
    run(world, 240)
    found = world.get(f"{BUDGETS}/all")
    assert (found["level"], found["unmeasured"]) == ("breach", 1)
    assert "not measured" in found["reason"]
    world.hosts["h2"].behaviour.silent = True
    run(world, 240)
    found = world.get(f"{BUDGETS}/all")
    assert (found["level"], found["perMonth"]) == ("breach", None)
    assert types(receiver.received) == ["budget.breach"]


def test_a_budget_is_for_hosts_a_deployment_or_a_pipeline(world: World) -> None:
    budget(world, "web", labels={"role": "web"})
    budget(world, "one", deployment="d-h2")
    budget(world, "topk", pipeline="process-topk-v1")
    budget(world, "none", pipeline="process-basic-v1")
    run(world, 120)
    found = {item["spec"]["name"]: item["perMonth"] for item in world.get(BUDGETS)["items"]}
    assert found == {
        "web": pytest.approx(36),
        "one": pytest.approx(36),
        "topk": pytest.approx(72),
        "none": None,
    }


@pytest.mark.parametrize("at", range(1, 6))
@pytest.mark.parametrize("after", [False, True])
def test_a_death_tells_it_all_the_same_and_under_one_id(world: World, receiver: Receiver, at: int, after: bool) -> None:
    budget(world, limit=50)
    world.pass_time(10)
    assert world.remains is not None
    local(world, DyingStore(world.remains, at, after=after))
    deliver(world, 200, step=5)
    world.pass_time(20)
    deliver(world, 80, step=5)
    assert set(types(receiver.received)) == {"budget.breach"}
    assert len({one.headers["webhook-id"] for one in receiver.received}) == 1


def test_what_cannot_be_right_is_refused_and_changes_are_audited(world: World) -> None:
    budget(world)
    assert world.send("POST", BUDGETS, {"name": "all", "limit": 1}).status == 409
    for body, pointer in (
        ({"limit": 0}, "/limit"),
        ({"limit": 1, "warnAt": "150%"}, "/warnAt"),
        ({"limit": 1, "priceBook": "nobody"}, "/priceBook"),
        ({"limit": 1, "priceBook": "chronosphere"}, "/priceBook"),
        ({"limit": 1, "deployment": "nothing"}, "/deployment"),
        ({"limit": 1, "labels": "web"}, "/labels"),
    ):
        answer = world.send("POST", BUDGETS, {"name": "other", **body})
        assert (answer.status, answer.json["errors"][0]["pointer"]) == (400, pointer)
    assert world.send("DELETE", f"{BUDGETS}/all").status == 204
    assert world.send("GET", f"{BUDGETS}/all").status == 404
    assert [record.action for record in world.chain("budget:all")] == ["create", "delete"]


def test_a_book_that_a_budget_uses_stays(world: World) -> None:
    charges = [{"meter": "series", "tiers": [{"price": 1}]}]
    book = {"name": "acme", "title": "A", "source": "contract", "asOf": "2026-01-01", "currency": "EUR"}
    world.post("/api/v1/price-books", {**book, "charges": charges})
    budget(world, priceBook="acme", limit=5000)
    assert world.send("DELETE", "/api/v1/price-books/acme").status == 409
    run(world, 80)
    assert world.get(f"{BUDGETS}/all")["currency"] == "EUR"
