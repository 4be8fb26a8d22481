"""Cost over HTTP, from counts that hosts sent: hosts, pipelines, fleet, savings so far, and books of one's own."""

from __future__ import annotations

from typing import Any

import pytest

from tests.functional.control_plane.world import World, manifest

COST = "/api/v1/cost"
BOOKS = "/api/v1/price-books"


def own_book(name: str = "acme", **fields: Any) -> dict[str, Any]:
    """A price list as a contract might say it."""
    charges = [{"meter": "series", "per": 1000, "included": 500, "tiers": [{"price": 10}]}]
    base = {"title": "ACME contract", "source": "contract 7", "asOf": "2026-11-01", "currency": "EUR"}
    return {"name": name, **base, "charges": charges, **fields}


def deployed(world: World, *names: str) -> None:
    """Hosts with the fake's 600 of 7 000 series, each its own deployment of its own pipeline or the same."""
    for number, name in enumerate(names):
        host = world.host(name, {"role": "web" if number % 2 == 0 else "db"})
        host.behaviour.series["deployed"] = 600 + 60 * number
        world.deployed(host, name=f"d-{name}", pipeline="process-topk-v1")


def test_cost_by_host_and_pipeline_is_what_was_measured(world: World) -> None:
    deployed(world, "h1", "h2", "h3")
    world.pass_time(60)
    found = world.get(f"{COST}?window=10m")["report"]
    assert [row["series"] for row in found["hosts"]] == [600, 660, 720]
    assert found["perMonth"] == pytest.approx(1980 * 0.06)
    assert found["savedPerMonth"] == pytest.approx((21000 - 1980) * 0.06)
    assert [(row["pipeline"].split()[0], row["hosts"]) for row in found["pipelines"]] == [("process-topk-v1", 3)]
    assert any("example-2026" in line for line in found["assumptions"])
    web = world.get(f"{COST}?window=10m&labels=role=web")["report"]
    assert [row["host"] for row in web["hosts"]] == ["h1", "h3"]
    one = world.get(f"{COST}?window=10m&deployment=d-h2")["report"]
    assert [row["host"] for row in one["hosts"]] == ["h2"]


def test_a_fleet_and_a_payback_come_with_intervals(world: World) -> None:
    deployed(world, "h1", "h2", "h3")
    world.pass_time(30)
    found = world.get(f"{COST}?window=10m&fleet=300&once=5000&perMonth=100")
    fleet, back = found["report"]["projection"], found["payback"]
    assert fleet["perMonth"]["low"] < fleet["perMonth"]["estimate"] == pytest.approx(300 * 660 * 0.06)
    assert fleet["savedPerMonth"]["low"] < fleet["savedPerMonth"]["estimate"] < fleet["savedPerMonth"]["high"]
    assert back["best"] < back["months"] < back["worst"]
    assert found["report"]["projection"]["measured"] == 3


def test_nothing_measured_is_a_reason_and_never_zero(world: World) -> None:
    host = world.host("h1")
    host.behaviour.silent = True
    world.deployed(host)
    world.pass_time(20)
    found = world.get(f"{COST}?window=10m&fleet=10")
    assert found["report"]["perMonth"] is None
    assert found["report"]["reason"] == "nothing was measured in the window"
    assert (found["realised"], found["payback"]) == (None, None)
    assert found["report"]["hosts"][0]["reason"] == "no scrape arrived in the window"
    refused = world.send("GET", f"{COST}?window=10m&once=100")
    assert (refused.status, refused.json["code"]) == (400, "PHX-INVALID")


def test_closed_hours_are_added_up_once_and_outlive_their_measurements(world: World) -> None:
    world.clock.advance(1000)
    deployed(world, "h1")
    world.pass_time(120)
    before = world.get(f"{COST}?window=1h")["realised"]
    world.hosts["h1"].behaviour.away = True
    world.clock.advance(4 * 3600)
    world.control_plane.deliver()  # nobody asks: the clock adds up
    world.clock.advance(40 * 86400)
    later = world.get(f"{COST}?window=1h")
    assert later["report"]["perMonth"] is None
    assert later["realised"]["saved"] == pytest.approx(before["saved"])


def test_what_is_too_much_for_one_request_waits_and_is_said(world: World) -> None:
    deployed(world, "h1")
    world.pass_time(60)
    expected = world.get(f"{COST}?window=1h")["realised"]["savedSeriesHours"]
    world.hosts["h1"].behaviour.away = True
    world.clock.advance(20 * 86400)
    first = world.get(f"{COST}?window=1h")
    assert first["pendingHours"] > 100
    for _ in range(4):
        world.clock.advance(1)
        world.control_plane.deliver()
    later = world.get(f"{COST}?window=1h")
    assert later["pendingHours"] == 0
    assert later["realised"]["savedSeriesHours"] == pytest.approx(expected)


def test_an_experiment_compares_candidate_and_baseline(world: World) -> None:
    world.host("h1")
    world.post("/api/v1/experiments?start=true", manifest(["h1"]))
    early = world.send("GET", f"{COST}?experiment=web")
    assert early.status == 404
    assert "nothing yet" in early.json["detail"]
    world.until_state("awaiting_promotion")
    found = world.get(f"{COST}?experiment=web")["report"]
    assert found["reference"] == "the baseline process-baseline-v1"
    assert found["perMonth"] == pytest.approx(600 * 0.06)
    assert found["savedPerMonth"] == pytest.approx(6400 * 0.06)


def test_a_book_of_ones_own_is_made_used_and_deleted(world: World) -> None:
    made = world.post(BOOKS, own_book())
    assert made["own"]
    assert made["createdBy"] == "operator"
    assert world.send("POST", BOOKS, own_book()).status == 409
    assert world.send("POST", BOOKS, own_book("datadog-pro")).status == 409
    names = [item["book"]["name"] for item in world.get(BOOKS)["items"]]
    assert "acme" in names
    assert "grafana-cloud-pro" in names
    deployed(world, "h1")
    world.pass_time(20)
    found = world.get(f"{COST}?window=10m&priceBook=acme")["report"]
    assert found["perMonth"] == pytest.approx(1.0)
    assert world.send("DELETE", f"{BOOKS}/acme").status == 204
    assert [record.action for record in world.chain("price-book:acme")] == ["create", "delete"]
    assert world.send("GET", f"{COST}?priceBook=acme").status == 400
    assert world.send("DELETE", f"{BOOKS}/acme").status == 404
    assert world.send("DELETE", f"{BOOKS}/example-2026").status == 409


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"charges": []}, "/charges"),
        ({"charges": [{"meter": "series", "tiers": [{"upTo": 1, "price": 1}]}]}, "/charges/0"),
        ({"charges": [{"meter": "series", "tiers": [{"price": 1}], "rebate": 3}]}, "/charges/0/rebate"),
        ({"currency": "euro"}, "/currency"),
        ({"asOf": "yesterday"}, "/asOf"),
        ({"name": "../x"}, "/name"),
        ({"source": ""}, "/source"),
    ],
)
def test_a_broken_book_is_refused_with_the_field(world: World, change: dict[str, Any], pointer: str) -> None:
    answer = world.send("POST", BOOKS, own_book(**change) if "name" not in change else {**own_book(), **change})
    assert answer.status == 400
    assert answer.json["errors"][0]["pointer"] == pointer


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("priceBook=chronosphere", "not public"),
        ("priceBook=nobody", "no price book"),
        ("window=1s", "window"),
        ("window=400d", "window"),
        ("fleet=0", "fleet"),
        ("labels=role", "key=value"),
        ("allotments=some", "allotments"),
        ("experiment=a&deployment=b", "leave deployment"),
        ("unknown=1", "unknown"),
    ],
)
def test_a_question_that_cannot_be_answered_is_refused(world: World, query: str, says: str) -> None:
    answer = world.send("GET", f"{COST}?{query}")
    assert answer.status == 400
    assert says in answer.body.decode()


def test_an_experiment_keeps_the_book_that_it_was_created_with(world: World) -> None:
    world.host("h1")
    world.post(BOOKS, own_book())
    world.post("/api/v1/experiments?start=true", manifest(["h1"], priceBook="acme"))
    assert world.send("DELETE", f"{BOOKS}/acme").status == 204
    world.until_state("awaiting_promotion")
    cost = world.get("/api/v1/experiments/web/evaluation")["cost"]
    assert cost["priceBook"]["name"] == "acme"
    assert cost["baselinePerMonth"] == pytest.approx(65)
    assert cost["savedPerMonth"] == pytest.approx(64)


@pytest.mark.parametrize(
    ("name", "says"), [("nobody", "no price book"), ("newrelic-original", "gigabyte"), ("chronosphere", "not public")]
)
def test_an_experiment_needs_a_book_that_can_price_it(world: World, name: str, says: str) -> None:
    world.host("h1")
    refused = world.send("POST", "/api/v1/experiments", manifest(["h1"], priceBook=name))
    assert refused.status == 400
    assert refused.json["errors"][0]["pointer"] == "/spec/priceBook"
    assert says in refused.json["detail"]
    assert world.send("GET", "/api/v1/experiments/web").status == 404
