"""Own pipelines with the real collector behind the control plane: what it accepts, and what a trial run refuses."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from chalicelib.adapters.collector.validator import CollectorValidator
from chalicelib.settings import Settings
from tests.functional.control_plane.pipelines.own import COLLECTOR, document
from tests.functional.control_plane.world import VIEWER, World, deployment, manifest

PATH = "/api/v1/pipelines"
NGINX = [{"name": "^nginx$"}]


@pytest.fixture
def real(tmp_path: Path, collector: Path) -> Iterator[World]:
    """A control plane that asks and runs the real collector."""
    world = World(tmp_path)
    world.settings = Settings(data_dir=tmp_path, otelcol=collector)
    world.validator = CollectorValidator(collector)  # type: ignore[assignment]
    world.start()
    yield world
    world.close()


def refused(world: World, text: str, **body: Any) -> Any:
    answer = world.send("POST", PATH, {"text": text, "name": "mine", **body})
    assert answer.status == 422, answer.body
    assert world.send("GET", f"{PATH}/mine", token=VIEWER).status == 404
    return answer.json["errors"]


def test_from_a_collector_file_to_an_experiment_a_deployment_and_back_to_a_file(real: World, collector: Path) -> None:
    real.host("h1")
    real.host("h2")
    made = real.post(PATH, {"text": COLLECTOR, "name": "mine", "critical": NGINX})
    checked = made["version"]["checked"]
    assert (checked["collector"], checked["retention"], checked["critical"]) == ("accepted", "kept", ["nginx"])
    created = real.post("/api/v1/experiments", manifest(["h1"], candidate={"pipeline": "mine"}))
    assert created["experiment"]["spec"]["candidate"]["version"] == "1"
    arms = real.get("/api/v1/experiments/web/configs")
    stock = CollectorValidator(collector)
    assert stock.validate(arms["candidate"]) is None
    real.post("/api/v1/deployments", deployment("node", ["h2"], "mine"))
    assert real.get("/api/v1/deployments/node")["pipeline"] == "mine version 1"
    config = real.post(f"{PATH}/mine/render", {"critical": NGINX}, token=VIEWER)["config"]
    assert stock.validate(config) is None
    again = real.post(f"{PATH}/mine/versions", {"text": yaml.safe_dump(config, sort_keys=False)})
    assert (again["new"], again["version"]["number"]) == (False, 1)


def test_a_pipeline_that_can_drop_a_critical_process_is_refused_at_the_line_that_does(real: World) -> None:
    text = COLLECTOR.replace('resource.attributes["phoenix.critical"] == nil and ', "")
    (problem,) = refused(real, text.replace("> 300000", "> 1"), critical=NGINX)
    assert problem["pointer"].startswith("/processors/filter~1small")
    assert "PHX-V130" in problem["rule"]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('resource.attributes["process.pid"] > 300000', 'no_such_function(metric.name) == "a"', "no_such_function"),
        ("metric_conditions:", "metric_condition:", "metric_condition"),
        ("filter/small", "filterr/small", "filterr"),
    ],
)
def test_what_the_collector_itself_refuses_is_told_in_its_own_words(
    real: World, old: str, new: str, words: str
) -> None:
    found = refused(real, COLLECTOR.replace(old, new))
    assert words in str(found)
    assert any(problem["pointer"].startswith("/processors/") for problem in found)


def test_a_scraper_metric_that_does_not_exist_is_refused(real: World) -> None:
    found = refused(real, document(None, scraperMetrics=["process.no.such"]))
    assert "process.no.such" in str(found)
