"""How a configuration is put together: what stands where, for one arm and for two."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from chalicelib.adapters.catalog.files import FileCatalog
from chalicelib.domain.critical import CriticalPattern
from chalicelib.domain.errors import InvalidInput
from chalicelib.domain.experiment.spec import Backend
from chalicelib.domain.measurement import Variant
from chalicelib.domain.pipeline.assembly import assemble, standalone
from chalicelib.domain.pipeline.rendering import render
from chalicelib.domain.pipeline.request import AssemblyArm, AssemblyRequest, Kpi
from tests.unit.pipeline.golden import CATALOG

KPI = Kpi(endpoint="https://phoenix.example/", scope="exp-1", host="h1")
BACKEND = Backend(otlp="https://backend.example/v1/metrics", headers={"x-key": "${env:KEY}"})
LOADED = FileCatalog(CATALOG)


def arm(variant: Variant, name: str, backend: Backend | None = None) -> AssemblyArm:
    return AssemblyArm(variant=variant, fragment=render(LOADED.get(name), {}), backend=backend)


BASELINE = arm(Variant.BASELINE, "process-baseline-v1", BACKEND)
TOPK = arm(Variant.CANDIDATE, "process-topk-v1")


def build(*arms: AssemblyArm, **more: Any) -> dict[str, Any]:
    return assemble(AssemblyRequest(interval_s=5, arms=arms, **{"kpi": KPI, **more}))


def test_every_component_is_used_and_every_used_one_exists() -> None:
    for config in (build(BASELINE, TOPK), build(TOPK), build(BASELINE, kpi=None), build(BASELINE, raw_backend=BACKEND)):
        pipelines = config["service"]["pipelines"].values()
        used = {name for pipeline in pipelines for part in pipeline.values() for name in part}
        defined = [*config["receivers"], *config["processors"], *config["connectors"], *config["exporters"]]
        assert used == set(defined)
        assert len(defined) == len(set(defined))


def test_the_memory_limiter_stands_once_before_the_arms_part() -> None:
    pipelines = build(BASELINE, TOPK)["service"]["pipelines"]
    limited = [name for name, pipeline in pipelines.items() if "memory_limiter" in pipeline["processors"]]
    assert limited == ["metrics/source"]
    assert pipelines["metrics/source"]["processors"][0] == "memory_limiter"


def test_everything_that_transforms_or_filters_propagates_errors() -> None:
    processors = build(BASELINE, TOPK, critical=(CriticalPattern(name="x"),))["processors"]
    loud = {name: body for name, body in processors.items() if name.startswith(("transform/", "filter/"))}
    assert len(loud) > 8
    assert {body["error_mode"] for body in loud.values()} == {"propagate"}


def test_the_helper_metric_is_scraped_only_when_an_arm_needs_it_and_leaves_every_output() -> None:
    plain = build(BASELINE)
    assert "metrics" not in plain["receivers"]["hostmetrics"]["scrapers"]["process"]
    both = build(BASELINE, TOPK)
    scraper = both["receivers"]["hostmetrics"]["scrapers"]["process"]
    assert scraper["metrics"] == {"process.cpu.utilization": {"enabled": True}}
    pipelines = both["service"]["pipelines"]
    assert pipelines["metrics/baseline"]["processors"] == ["filter/baseline.unasked"]
    assert pipelines["metrics/raw.kpi"]["processors"][0] == "filter/raw.unasked"
    assert "filter/candidate.helper" in pipelines["metrics/candidate"]["processors"]


def test_arms_share_no_processor_of_their_own() -> None:
    other = TOPK.model_copy(update={"variant": Variant.BASELINE})
    pipelines = build(other, TOPK)["service"]["pipelines"]
    first, second = (set(pipelines[f"metrics/{name}"]["processors"]) for name in ("baseline", "candidate"))
    assert not first & second


def test_the_token_stays_a_reference_and_goes_to_the_control_plane_only() -> None:
    config = build(BASELINE, TOPK)
    assert config["exporters"]["otlp_http/control"]["headers"] == {"authorization": "Bearer ${env:PHOENIX_TOKEN}"}
    assert config["exporters"]["otlp_http/control"]["metrics_endpoint"] == "https://phoenix.example/v1/metrics"
    assert config["exporters"]["otlp_http/baseline"]["headers"] == {"x-key": "${env:KEY}"}
    theirs = Backend(otlp="https://backend.example/v1/metrics", headers={"a": "${env:PHOENIX_TOKEN}"})
    with pytest.raises(InvalidInput, match="must not be sent to a backend"):
        build(BASELINE.model_copy(update={"backend": theirs}))


def test_telemetry_is_pushed_every_scrape_but_at_most_every_five_seconds() -> None:
    for interval, want in ((1.0, 5000), (5.0, 5000), (15.0, 15000)):
        request = AssemblyRequest(interval_s=interval, arms=(BASELINE,), kpi=KPI)
        reader = assemble(request)["service"]["telemetry"]["metrics"]["readers"][0]
        assert reader["periodic"]["interval"] == want


def test_a_scrape_is_gathered_for_half_an_interval_at_most() -> None:
    for interval, want in ((1.0, "500ms"), (3.0, "1500ms"), (60.0, "5s")):
        request = AssemblyRequest(interval_s=interval, arms=(BASELINE,), kpi=KPI)
        queue = assemble(request)["exporters"]["otlp_http/control"]["sending_queue"]
        assert queue["batch"]["flush_timeout"] == want


def test_the_first_matching_pattern_gives_the_id() -> None:
    critical = (CriticalPattern(id="a", name="^x"), CriticalPattern(id="b", command_line="y"))
    statements = build(BASELINE, critical=critical)["processors"]["transform/mark"]["metric_statements"][0][
        "statements"
    ]
    marked = 'resource.attributes["phoenix.critical"]'
    assert statements == [
        f'set({marked}, "a") where IsMatch(resource.attributes["process.executable.name"], "^x")',
        f'set({marked}, "b") where {marked} == nil and IsMatch(resource.attributes["process.command_line"], "y")',
    ]


def test_without_a_control_plane_nothing_counts_and_nothing_listens() -> None:
    config = build(BASELINE, kpi=None)
    assert config["service"]["telemetry"] == {"metrics": {"level": "none", "readers": []}}
    assert not [name for name in config["connectors"] if "kpi" in name]


def test_a_standalone_config_has_no_part_of_phoenix_but_its_own_attributes() -> None:
    config = standalone(TOPK.fragment, (CriticalPattern(name="^nginx$"),), 15)
    assert set(config) == {"receivers", "processors", "exporters", "service"}
    assert config["exporters"] == {"debug": {"verbosity": "basic"}}
    assert "PHOENIX_TOKEN" not in str(config)
    assert config["service"]["pipelines"]["metrics"]["processors"][-1] == "transform/strip"


@pytest.mark.parametrize(
    "bad",
    [
        {"arms": ()},
        {"arms": (BASELINE, BASELINE)},
        {"arms": (BASELINE.model_copy(update={"variant": Variant.RAW}),)},
        {"critical": (CriticalPattern(id="a", name="x"), CriticalPattern(id="a", name="y"))},
        {"interval_s": 0},
    ],
)
def test_what_makes_no_sense_is_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        AssemblyRequest(**{"interval_s": 5, "arms": (BASELINE,), **bad})


@pytest.mark.parametrize("endpoint", ["ftp://x", "http://a b", "http://${env:X}", 'http://"', "http://x?y=1"])
def test_an_endpoint_is_a_plain_url(endpoint: str) -> None:
    with pytest.raises(ValidationError):
        Kpi(endpoint=endpoint, scope="s", host="h")
