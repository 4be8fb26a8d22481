"""An experiment whose arms are read from a Prometheus: what is there decides, what cannot be read is not measured, and
nothing waits for ever."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chalicelib.domain.measurement import Count, Variant
from chalicelib.repositories.measurements import Measurements
from tests.fakes.kpis import FakeKpis
from tests.functional.control_plane.world import World, manifest

BACKEND = {"remoteWrite": "http://prometheus.example/api/v1/write"}
SOURCE = {"prometheus": {"url": "http://prometheus.example", "delay": "3s"}}


@pytest.fixture
def there() -> FakeKpis:
    return FakeKpis()


@pytest.fixture
def world(tmp_path: Path, there: FakeKpis) -> Iterator[World]:
    made = World(tmp_path, memory=True, kpi_sources=there)
    assert made.remains is not None
    there.measurements = Measurements(made.remains)
    made.host("web-1")
    yield made
    made.close()


def asked(**spec: Any) -> dict[str, Any]:
    arms = {
        "baseline": {"pipeline": "process-baseline-v1", "backend": BACKEND},
        "candidate": {"pipeline": "process-topk-v1", "parameters": {"k": 20}, "backend": BACKEND},
    }
    return manifest(["web-1"], **{"source": SOURCE, **arms, **spec})


def started(world: World, **spec: Any) -> None:
    world.post("/api/v1/experiments?start=true", asked(**spec))


def candidate_has(series: int) -> Any:
    return lambda count: (
        count.model_copy(update={"series": series}) if count.variant is Variant.CANDIDATE else count
    )  # fmt: skip


def test_what_arrived_decides_and_not_what_the_edge_counted(world: World, there: FakeKpis) -> None:
    world.hosts["web-1"].behaviour.series["candidate"] = 6900
    there.change = candidate_has(600)
    started(world)
    found = world.until_state("awaiting_promotion", "rolled_back")
    assert found["state"] == "awaiting_promotion", world.story()
    evaluation = world.get("/api/v1/experiments/web/evaluation")
    assert evaluation["reduction"]["value"] == pytest.approx(1 - 600 / 7000)
    assert evaluation["evidence"]["source"] == "Prometheus at http://prometheus.example"
    assert evaluation["series"]["mean"]["raw"] == 7000, "raw is sent nowhere: it stays as the edge counted it"
    assert "as they arrived in Prometheus" in evaluation["explanation"]


def test_a_critical_process_that_did_not_arrive_is_a_breach(world: World, there: FakeKpis) -> None:
    def without(count: Count) -> Count:
        return (
            count.model_copy(update={"critical": count.critical[:1]}) if count.variant is Variant.CANDIDATE else count
        )

    there.change = without
    started(world)
    assert world.until_state("awaiting_promotion", "rolled_back")["outcome"]["reason"] == "critical_missing"


def test_an_outage_is_said_and_costs_no_verdict(world: World, there: FakeKpis) -> None:
    started(world, schedule={"warmUp": "2s", "minDuration": "60s", "maxDuration": "300s", "evaluateEvery": "2s"})
    world.until_state("running")
    world.pass_time(20)
    there.down = "Prometheus could not be asked: it answered 503"
    world.pass_time(15)
    evaluation = world.get("/api/v1/experiments/web/evaluation")
    assert evaluation["verdict"] is None
    assert evaluation["evidence"]["sourceProblem"] == there.down
    assert there.down in evaluation["explanation"]
    assert world.experiment()["state"] == "running"
    there.down = ""
    found = world.until_state("awaiting_promotion", "rolled_back")
    assert found["state"] == "awaiting_promotion", world.story()
    assert world.get("/api/v1/experiments/web/evaluation")["coverage"][0]["missing"] == 0, "nothing was lost"


def test_an_outage_without_end_ends_at_the_deadline_and_promotes_nothing(world: World, there: FakeKpis) -> None:
    started(world)
    world.until_state("running")
    there.down = "gone"
    outcome = world.until_state("rolled_back", within=300)["outcome"]
    assert outcome["verdict"] == "insufficient_data"
    assert "Nothing newer is known of the arms: gone." in outcome["explanation"]


def test_an_arm_that_does_not_arrive_is_not_measured(world: World, there: FakeKpis) -> None:
    there.change = lambda count: None if count.variant is Variant.CANDIDATE else count
    started(world)
    outcome = world.until_state("rolled_back", within=300)["outcome"]
    assert (outcome["verdict"], outcome["reason"]) == ("error", "cannot_measure")


def test_scrapes_younger_than_the_delay_are_not_judged(world: World, there: FakeKpis) -> None:
    started(world)
    world.until_state("running")
    world.pass_time(10)
    newest = max(end for _, end in there.asked[-1].spans.values()) / 1e9
    assert 3 <= world.clock.now() - newest <= 8


def test_nothing_is_created_with_a_source_that_cannot_be_read(world: World, there: FakeKpis) -> None:
    there.down = "Prometheus could not be asked: ConnectionRefusedError"
    answer = world.send("POST", "/api/v1/experiments", asked())
    assert (answer.status, answer.json["errors"][0]["pointer"]) == (503, "/spec/source/prometheus")
    assert world.send("GET", "/api/v1/experiments/web").status == 404
    assert world.claimed("web-1") == ""


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"baseline": {"pipeline": "process-baseline-v1"}}, "give each a backend"),
        ({"source": "prometheus"}, "write measurements, or a mapping"),
        ({"source": {"prometheus": {"url": "http://x", "more": 1}}}, "unknown field 'more'"),
        ({"source": {"prometheus": {"url": "http://x", "match": {"host_name": "y"}}}}, "must leave host_name alone"),
        ({"source": {"prometheus": {"url": "http://x", "variantLabel": "host_name"}}}, "the same label"),
        ({"mode": "dedicated"}, "use: check"),
        ({"layout": "canary"}, "use: check"),
        ({"candidate": {"pipeline": "process-topk-v1", "backend": {**BACKEND, "otlp": "http://x"}}}, "one address"),
    ],
)
def test_what_is_wrong_with_a_source_is_named(world: World, spec: dict[str, Any], words: str) -> None:
    answer = world.send("POST", "/api/v1/experiments", asked(**spec))
    assert answer.status == 400
    assert words in answer.body.decode()


def test_measurements_is_the_default_and_asks_nobody(world: World, there: FakeKpis) -> None:
    world.post("/api/v1/experiments?start=true", manifest(["web-1"], source="measurements"))
    assert world.until_state("awaiting_promotion", "rolled_back")["spec"]["source"]["prometheus"] is None
    assert there.asked == []


def test_both_sources_are_compared_in_numbers(world: World, there: FakeKpis) -> None:
    started(world, source={**SOURCE, "use": "check"})
    there.change = candidate_has(599)
    world.until_state("awaiting_promotion", "rolled_back")
    assert world.get("/api/v1/experiments/web/evaluation")["evidence"]["source"] == "measurements"
    found = world.get("/api/v1/experiments/web/agreement?window=10m")
    baseline, candidate = found["arms"]
    assert (baseline["variant"], baseline["difference"], baseline["equal"]) == ("baseline", 0, baseline["compared"])
    assert candidate["compared"] >= 16
    assert (candidate["equal"], candidate["largest"]) == (0, 1)
    assert found["difference"] == candidate["difference"] == -candidate["compared"]
    assert found["relative"] == pytest.approx(found["difference"] / found["edgePoints"])
    assert candidate["edgeCritical"] == candidate["thereCritical"] == 2 * candidate["compared"]


def test_no_agreement_without_a_source_and_a_reason_where_nothing_is_there(world: World, there: FakeKpis) -> None:
    there.change = lambda count: None
    started(world, source={**SOURCE, "use": "check"})
    world.until_state("running")
    world.pass_time(10)
    found = world.get("/api/v1/experiments/web/agreement")
    assert (found["compared"], found["relative"]) == (0, None)
    assert "no sample of these hosts and arms" in found["reason"]
    there.down = "gone"
    assert world.send("GET", "/api/v1/experiments/web/agreement").status == 503
    world.host("web-2")
    world.post("/api/v1/experiments", manifest(["web-2"], name="other"))
    assert world.send("GET", "/api/v1/experiments/other/agreement").status == 400
    assert world.send("GET", "/api/v1/experiments/none/agreement").status == 404
