"""The collector's own `validate` over everything we render, and its words when it refuses."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.adapters.catalog.files import FileCatalog
from chalicelib.adapters.collector.validator import MAX_MESSAGE, CollectorValidator
from chalicelib.domain.critical import CriticalPattern
from chalicelib.domain.errors import Unavailable
from chalicelib.domain.experiment.spec import Backend
from chalicelib.domain.measurement import Variant
from chalicelib.domain.pipeline.assembly import assemble, standalone
from chalicelib.domain.pipeline.document import to_yaml
from chalicelib.domain.pipeline.instrument import instrument
from chalicelib.domain.pipeline.marker import find_marker, stamp
from chalicelib.domain.pipeline.rendering import render
from chalicelib.domain.pipeline.request import AssemblyArm, AssemblyRequest, Kpi
from tests.catalog.conftest import CATALOG
from tests.property.pipelines import ATTACKS, critical_patterns, legal_parameters, template_of_every_type

FEW = settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
BASELINE, PRIORITY, TOPK = "process-baseline-v1", "process-priority-filter-v1", "process-topk-v1"
NAMES = tuple(FileCatalog(CATALOG).names())
KPI = Kpi(endpoint="https://phoenix.example", scope="exp-1", host="h1")
BACKEND = Backend(otlp="https://backend.example/v1/metrics", headers={"authorization": "${env:BACKEND_TOKEN}"})


def ab(catalog: FileCatalog, name: str, parameters: dict[str, Any], critical: tuple[CriticalPattern, ...]) -> Any:
    arms = (
        AssemblyArm(variant=Variant.BASELINE, fragment=render(catalog.get(BASELINE), {}), backend=BACKEND),
        AssemblyArm(variant=Variant.CANDIDATE, fragment=render(catalog.get(name), parameters)),
    )
    return stamp(assemble(AssemblyRequest(interval_s=5, critical=critical, arms=arms, kpi=KPI)), 7)[0]


@pytest.mark.parametrize("name", NAMES)
@given(data=st.data(), critical=critical_patterns())
@FEW
def test_the_collector_accepts_every_legal_rendering(
    name: str, catalog: FileCatalog, validator: CollectorValidator, data: st.DataObject, critical: Any
) -> None:
    parameters = data.draw(legal_parameters(catalog.get(name).metadata))
    assert validator.validate(ab(catalog, name, parameters, critical)) is None
    fragment = render(catalog.get(name), parameters)
    assert validator.validate(standalone(fragment, critical, 15, BACKEND)) is None


@given(data=st.data())
@FEW
def test_the_collector_accepts_hostile_parameters_of_every_type(
    validator: CollectorValidator, data: st.DataObject
) -> None:
    template = template_of_every_type()
    fragment = render(template, data.draw(legal_parameters(template.metadata)))
    assert validator.validate(standalone(fragment, (), 15)) is None


def test_the_collector_reads_exactly_the_text_that_was_given(
    collector: Path, catalog: FileCatalog, tmp_path: Path
) -> None:
    """`print-config` shows texts after expansion: only Go's string escapes are left, and none of ours is expanded."""
    critical = tuple(CriticalPattern(id=f"p{index}", owner=attack) for index, attack in enumerate(ATTACKS))
    path = tmp_path / "config.yaml"
    path.write_text(to_yaml(standalone(render(catalog.get(BASELINE), {}), critical, 15)), encoding="utf-8")
    done = subprocess.run(
        [str(collector), "print-config", f"--config={path}"], capture_output=True, timeout=20, check=True, env={}
    )
    printed = yaml.safe_load(done.stdout.decode())
    statements = printed["processors"]["transform/mark"]["metric_statements"][0]["statements"]
    read = [go_unquoted(statement.split('["process.owner"] == ', 1)[1]) for statement in statements]
    assert read == list(ATTACKS)


def go_unquoted(literal: str) -> str:
    inner = literal[1:-1]
    return re.sub(
        r'\\(?:u([0-9a-f]{4})|U([0-9a-f]{8})|([\\"]))',
        lambda found: found.group(3) or chr(int(found.group(1) or found.group(2), 16)),
        inner,
    )


def test_the_marker_comes_back_from_the_collector(collector: Path, catalog: FileCatalog, tmp_path: Path) -> None:
    config = ab(catalog, TOPK, {}, ())
    path = tmp_path / "config.yaml"
    path.write_text(to_yaml(config), encoding="utf-8")
    env = {"PHOENIX_TOKEN": "x", "BACKEND_TOKEN": "x"}
    command = [str(collector), "print-config", f"--config={path}"]
    done = subprocess.run(command, capture_output=True, timeout=20, check=True, env=env)
    effective = yaml.safe_load(done.stdout.decode())
    assert find_marker(config) is not None
    assert find_marker(effective) == find_marker(config)


def test_a_refusal_is_in_the_collectors_words(catalog: FileCatalog, validator: CollectorValidator) -> None:
    config = standalone(render(catalog.get(BASELINE), {}), (), 15)
    config["processors"]["sampler/x"] = {}
    refusal = validator.validate(config)
    assert refusal is not None
    assert '\'processors\' unknown type: "sampler" for id: "sampler/x"' in refusal
    assert "transform" in refusal, "the valid values are named"
    assert "config.yaml" not in refusal
    assert refusal.count("unknown type") == 1
    assert len(refusal) <= MAX_MESSAGE


def test_a_bad_statement_and_a_bad_pattern_are_refused(catalog: FileCatalog, validator: CollectorValidator) -> None:
    config = standalone(render(catalog.get(PRIORITY), {}), (), 15)
    config["processors"]["filter/priority"]["metric_conditions"] = ["resource.attributes["]
    assert "invalid syntax" in (validator.validate(config) or "")
    critical = (CriticalPattern(id="x", name="a{2000}"),)  # Python takes it; RE2 repeats at most 1 000 times
    config = standalone(render(catalog.get(PRIORITY), {}), critical, 15)
    assert "error parsing regexp" in (validator.validate(config) or "")


def test_references_to_files_and_addresses_are_never_followed(tmp_path: Path, validator: CollectorValidator) -> None:
    secret = tmp_path / "secret"
    secret.write_text("do-not-show")
    for reference in (f"${{file:{secret}}}", "${http://127.0.0.1:1/x}", "${yaml:a: b}", "$$${file:/etc/passwd}"):
        refusal = validator.validate({"receivers": {reference: {}}, "exporters": {"nop": {"x": reference}}})
        assert refusal is not None
        assert "only ${env:NAME} is allowed" in refusal
        assert "do-not-show" not in refusal


def test_a_users_own_configuration_is_accepted_with_our_telemetry(validator: CollectorValidator) -> None:
    own = {
        "receivers": {"hostmetrics": {"scrapers": {"process": None}}},
        "exporters": {
            "otlp_http": {"endpoint": "${env:BACKEND}", "headers": {"authorization": "${env:BACKEND_TOKEN}"}}
        },
        "service": {
            "telemetry": {"resource": {"attributes": [{"name": "team", "value": "x"}]}},
            "pipelines": {"metrics": {"receivers": ["hostmetrics"], "exporters": ["otlp_http"]}},
        },
    }
    assert validator.validate(instrument(own, KPI)) is None


def test_answers_are_remembered_by_content(tmp_path: Path) -> None:
    asked = tmp_path / "asked"
    binary = tmp_path / "collector"
    binary.write_text(f"#!/bin/sh\necho asked >> {asked}\necho 'Error: no' >&2\nexit 1\n")
    binary.chmod(0o700)
    validator = CollectorValidator(binary)
    config = {"receivers": {"nop": {}}}
    assert [validator.validate(stamp(config, revision)[0]) for revision in range(3)] == ["no"] * 3
    assert asked.read_text().split() == ["asked"]
    assert validator.validate({"receivers": {}}) == "no"
    assert asked.read_text().split() == ["asked", "asked"]


def test_a_collector_that_hangs_is_not_waited_for(tmp_path: Path) -> None:
    binary = tmp_path / "collector"
    binary.write_text("#!/bin/sh\nexec sleep 30\n")
    binary.chmod(0o700)
    with pytest.raises(Unavailable, match=r"did not validate within 0.2 s"):
        CollectorValidator(binary, deadline_s=0.2).validate({"receivers": {}})


def test_a_missing_collector_is_named_with_its_remedy(tmp_path: Path) -> None:
    for binary in (None, tmp_path / "no-such-binary"):
        with pytest.raises(Unavailable) as caught:
            CollectorValidator(binary).validate({"receivers": {}})
        assert "PHOENIX_OTELCOL" in caught.value.hint
