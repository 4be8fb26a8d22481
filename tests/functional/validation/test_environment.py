"""A trial gives a configuration the environment that validation gave it: what the collector accepts also starts."""

from __future__ import annotations

from pathlib import Path

from chalicelib.adapters.collector.trials import CollectorTrials


def test_a_trial_has_a_text_for_the_host_and_an_address_for_an_endpoint(collector: Path) -> None:
    def make(listen: str, sink: str) -> dict[str, object]:
        return {
            "receivers": {"otlp": {"protocols": {"http": {"endpoint": listen}}}},
            "exporters": {"otlp_http": {"endpoint": "${env:BACKEND_ENDPOINT}"}},
            "service": {
                "telemetry": {"resource": {"host.name": "${env:PHOENIX_HOST}"}},
                "pipelines": {"metrics": {"receivers": ["otlp"], "exporters": ["otlp_http"]}},
            },
        }

    names = frozenset({"BACKEND_ENDPOINT", "PHOENIX_HOST"})
    assert CollectorTrials(collector, deadline_s=60).run(make, (), names).failure == ""
