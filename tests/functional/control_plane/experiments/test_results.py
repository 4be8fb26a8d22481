"""Results as metrics, scraped by a real Prometheus and asked back: what it has is what the evaluation says."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.engines import prometheus
from tests.functional.control_plane.served import served
from tests.functional.control_plane.world import OPERATOR, VIEWER, World, manifest

PATH = "/api/v1/metrics"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One experiment that has its verdict, and one that has not begun."""
    made = World(tmp_path_factory.mktemp("world"), memory=True)
    made.host("web-1")
    made.post("/api/v1/experiments?start=true", manifest(["web-1"], critical=[{"id": "nginx", "name": "^nginx$"}]))
    made.until_state("awaiting_promotion")
    made.host("web-2")
    made.post("/api/v1/experiments", manifest(["web-2"], name="draft"))
    yield made
    made.close()


def scraped(world: World, folder: Path) -> dict[str, dict[tuple[tuple[str, str], ...], float]]:
    """By metric, the labels of each sample that are ours, and its value."""
    with served(world.control_plane) as port:
        job = (
            f"scrape_configs: [{{job_name: phoenix, metrics_path: {PATH}, authorization: "
            f"{{credentials: {world.tokens[VIEWER]}}}, static_configs: [{{targets: ['127.0.0.1:{port}']}}]}}]"
        )
        with prometheus.running(prometheus.resolve(os.environ), folder, job) as server:
            deadline = time.monotonic() + 60
            while not (found := server.query('{__name__=~"phoenix_.+"}')):
                state = server.query('up{job="phoenix"}')
                assert time.monotonic() < deadline, (state, (folder / "prometheus.log").read_text()[-2000:])
                time.sleep(0.1)
    out: dict[str, dict[tuple[tuple[str, str], ...], float]] = {}
    for series in found:
        metric = series["metric"]
        labels = tuple(sorted((k, v) for k, v in metric.items() if k not in ("__name__", "instance", "job")))
        out.setdefault(metric["__name__"], {})[labels] = float(series["value"][1])
    return out


def of(found: dict[str, Any], metric: str, experiment: str = "web", **labels: str) -> float:
    return float(found[f"phoenix_experiment_{metric}"][tuple(sorted({"experiment": experiment, **labels}.items()))])


def test_a_prometheus_has_what_the_evaluation_says(world: World, tmp_path: Path) -> None:
    found = scraped(world, tmp_path)
    said = world.get("/api/v1/experiments/web/evaluation")
    reduction, cost = said["reduction"], said["cost"]
    assert of(found, "state", state="awaiting_promotion") == 1
    assert of(found, "state", "draft", state="draft") == 1
    assert of(found, "verdict", verdict="promote", reason="target_reached") == 1
    assert of(found, "info", baseline="process-baseline-v1", candidate="process-topk-v1", source="measurements") == 1
    for metric, value in (
        ("series_reduction_ratio", reduction["value"]),
        ("series_reduction_low_ratio", reduction["low"]),
        ("series_reduction_high_ratio", reduction["high"]),
        ("series_reduction_target_ratio", reduction["target"]),
        ("scrapes", said["evidence"]["scrapes"]),
        ("coverage_min_ratio", min(host["share"] for host in said["coverage"])),
    ):
        assert of(found, metric) == value, metric
    for variant in ("raw", "baseline", "candidate"):
        assert of(found, "series", variant=variant) == said["series"]["mean"][variant]
    assert of(found, "critical_retention_ratio", variant="candidate", pattern="nginx") == 1
    assert of(found, "critical_breaches", variant="candidate") == 0
    prices = {"currency": cost["priceBook"]["currency"], "price_book": cost["priceBook"]["name"]}
    assert of(found, "saved_per_month", **prices) == cost["savedPerMonth"]
    assert of(found, "cost_per_month", variant="baseline", **prices) == cost["baselinePerMonth"]
    assert found["phoenix_experiments_left_out"] == {(): 0}


def test_what_was_not_measured_has_no_sample(world: World) -> None:
    text = world.send("GET", PATH, token=VIEWER).body.decode()
    lines = [line for line in text.splitlines() if 'experiment="draft"' in line]
    names = {line.partition("{")[0].removeprefix("phoenix_experiment_") for line in lines}
    assert names == {"info", "state", "hosts", "created_timestamp_seconds"}


@pytest.mark.parametrize(
    ("accept", "content_type", "end"),
    [
        (None, "text/plain", ""),
        ("text/plain;version=0.0.4;q=0.5,*/*;q=0.1", "text/plain", ""),
        ("application/openmetrics-text;version=1.0.0,text/plain;q=0.5", "application/openmetrics-text", "# EOF\n"),
        ("application/openmetrics-text;version=x;escaping=none", "application/openmetrics-text", "# EOF\n"),
    ],
)
def test_the_format_is_the_one_that_the_caller_reads(
    world: World, accept: str | None, content_type: str, end: str
) -> None:
    answer = world.send("GET", PATH, token=VIEWER, headers={"accept": accept} if accept else {})
    assert answer.status == 200
    assert answer.headers["content-type"].startswith(content_type)
    assert answer.body.decode().endswith(end)


def test_it_needs_a_token_and_takes_no_parameters(world: World) -> None:
    assert world.send("GET", PATH, token=None).status == 401
    assert world.send("GET", PATH, token=world.hosts["web-1"].token).status == 403
    assert world.send("GET", PATH, token=OPERATOR).status == 200
    assert world.send("GET", PATH + "?experiment=web", token=VIEWER).status == 400
