"""Specs for the API server: read back as the same value, durations as its schema has them."""

from __future__ import annotations

from chalicelib.domain.kubernetes.load_job import LoadSimulationJobSpec
from chalicelib.domain.kubernetes.process_pipeline import PhoenixProcessPipelineSpec, RolloutPolicy
from chalicelib.domain.kubernetes.writing import spec_body
from chalicelib.domain.load import LoadSpec


def test_a_pipeline_is_read_back_as_it_was_and_its_configuration_is_not_touched() -> None:
    config = {"exporters": {"nop": None}, "service": {"rate": 0.5, "whole": 2.0}}
    spec = PhoenixProcessPipelineSpec(config=config, rollout=RolloutPolicy(progress_deadline=90))
    body = spec_body(spec)
    assert body["config"] == config
    assert body["rollout"]["progressDeadline"] == 90
    assert isinstance(body["rollout"]["progressDeadline"], int)
    assert "kpi" not in body
    assert PhoenixProcessPipelineSpec.model_validate(body) == spec


def test_seconds_are_whole_or_in_words() -> None:
    groups = [{"nameTemplate": "phx-{n}", "count": 3, "cpuPattern": "sine", "period": "2500ms", "lifetime": "1500ms"}]
    load = LoadSpec.model_validate({"profile": "custom", "count": 3, "durationS": "1m", "groups": groups})
    body = spec_body(LoadSimulationJobSpec(load=load))
    assert body["load"]["durationS"] == 60
    assert body["load"]["groups"][0]["period"] == "2s500ms"
    assert body["load"]["groups"][0]["lifetime"] == "1s500ms"
    assert LoadSimulationJobSpec.model_validate(body).load == load
