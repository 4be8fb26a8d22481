"""A pipeline that a user wrote for a collector of their own, as an arm of an experiment on live processes: what arrives
is what its processors leave of the same scrape, and critical processes are marked and counted as with any other."""

from __future__ import annotations

import time
from pathlib import Path

import yaml

from chalicelib.adapters.catalog.files import FileCatalog
from chalicelib.domain.critical import CriticalPattern
from chalicelib.domain.experiment.spec import Backend
from chalicelib.domain.measurement import Variant
from chalicelib.domain.pipeline.assembly import assemble
from chalicelib.domain.pipeline.own import described, template_of
from chalicelib.domain.pipeline.own_document import written
from chalicelib.domain.pipeline.own_rules import check_spec
from chalicelib.domain.pipeline.rendering import Fragment, render
from chalicelib.domain.pipeline.request import AssemblyArm, AssemblyRequest, Kpi
from tests.catalog import brute
from tests.catalog.capture import Capture
from tests.catalog.conftest import Runner
from tests.catalog.counts import counts
from tests.catalog.population import Population

INTERVAL_S = 1.5
SCRAPES = 4
DEADLINE_S = 60.0
CRITICAL = (CriticalPattern(id="web", name="^web-"),)
MINE = """\
receivers:
  hostmetrics:
    scrapers:
      process:
        mute_process_all_errors: true
        metrics:
          process.threads: {enabled: true}
processors:
  memory_limiter: {check_interval: 1s, limit_mib: 200, spike_limit_mib: 40}
  # The unnamed one has the id that Phoenix's own would have in the same collector.
  resource:
    attributes:
      - {key: process.team, value: platform, action: upsert}
  filter/quiet:
    error_mode: propagate
    metric_conditions:
      - >-
        resource.attributes["phoenix.critical"] == nil
        and IsMatch(resource.attributes["process.executable.name"], "^(quiet|web)-")
      - metric.name == "process.memory.virtual"
  transform/kpi.own:
    error_mode: propagate
    metric_statements:
      - context: resource
        statements: ['delete_key(resource.attributes, "process.command_line")']
  batch: {}
exporters:
  debug: {}
service:
  pipelines:
    metrics:
      receivers: [hostmetrics]
      processors: [memory_limiter, resource, filter/quiet, transform/kpi.own, batch]
      exporters: [debug]
"""


def own_fragment() -> Fragment:
    spec = written(yaml.safe_load(MINE)).spec
    assert check_spec(spec) == []
    return render(template_of(described("mine", "1", spec), spec), {})


def test_an_imported_pipeline_is_an_arm_like_any_other(catalog: FileCatalog, runner: Runner, tmp_path: Path) -> None:
    with Capture() as capture, Population(tmp_path) as population:
        quiet = {population.idle(f"quiet-{index}") for index in range(10)}
        web = {population.idle(name): name for name in ("web-1", "web-2")}
        arms = tuple(
            AssemblyArm(variant=variant, fragment=fragment, backend=Backend(otlp=f"{capture.url}/{variant.value}"))
            for variant, fragment in (
                (Variant.BASELINE, render(catalog.get("process-baseline-v1"), {})),
                (Variant.CANDIDATE, own_fragment()),
            )
        )
        kpi = Kpi(endpoint=capture.url, scope="exp-own", host="test-host")
        request = AssemblyRequest(
            interval_s=INTERVAL_S,
            critical=CRITICAL,
            arms=arms,
            kpi=kpi,
            raw_backend=Backend(otlp=f"{capture.url}/raw"),
        )
        with runner.running(assemble(request)):
            for path in ("/raw", "/baseline", "/candidate", "/v1/metrics"):
                capture.wait_for(path, SCRAPES, DEADLINE_S)
            # What is on its way belongs to the last scrape; the collector's orderly end delivers it.
            time.sleep(INTERVAL_S / 2)
        assert runner.errors() == []
    scrapes = brute.scrapes_of(capture.resources("/raw"))
    baseline = brute.by_scrape(capture.resources("/baseline"), scrapes)
    candidate = brute.by_scrape(capture.resources("/candidate"), scrapes)
    counted = counts(capture.resources("/v1/metrics"), scrapes)
    assert len(scrapes) >= SCRAPES
    for index, scrape in enumerate(scrapes):
        wanted = [
            row
            for row in scrape.rows
            if row.metric != "process.memory.virtual"
            and (row.pid in web or not row.name.startswith(("quiet-", "web-")))
        ]
        assert sorted(map(measured, candidate[index])) == sorted(map(measured, wanted))
        assert web.keys() <= {row.pid for row in candidate[index]}
        assert not quiet & {row.pid for row in candidate[index]}
        assert all(attribute(row, "process.team") == "platform" for row in candidate[index])
        assert all(attribute(row, "process.command_line") is None for row in candidate[index])
        plain = [row for row in scrape.rows if row.metric != "process.threads"]
        assert sorted(map(measured, baseline[index])) == sorted(map(measured, plain))
        assert counted["candidate"][index].series == len(wanted)
        assert counted["baseline"][index].series == counted["raw"][index].series == len(plain)
        assert set(counted["candidate"][index].critical) == {("web", name, pid) for pid, name in web.items()}


def measured(row: brute.Row) -> tuple[object, ...]:
    return (row.pid, row.metric, row.state, row.direction, row.start, row.time, row.value)


def attribute(row: brute.Row, key: str) -> object:
    return dict(row.identity[0]).get(key)
