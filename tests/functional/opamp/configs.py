"""Configurations that tests offer: small, and each wrong in one way at most."""

from __future__ import annotations

from typing import Any

Config = dict[str, Any]


def good(name: str) -> Config:
    """Runs, does nothing; the name makes contents differ."""
    return {
        "receivers": {"nop": {}},
        "processors": {"resource/name": {"attributes": [{"key": "name", "value": name, "action": "upsert"}]}},
        "exporters": {"nop": {}},
        "service": {
            "pipelines": {"metrics": {"receivers": ["nop"], "processors": ["resource/name"], "exporters": ["nop"]}}
        },
    }


def listening_on(port: int) -> Config:
    """Receives OTLP on a port."""
    config = good("listening")
    config["receivers"]["otlp"] = {"protocols": {"http": {"endpoint": f"127.0.0.1:{port}"}}}
    config["service"]["pipelines"]["metrics"]["receivers"].append("otlp")
    return config


def unknown_component() -> Config:
    config = good("unknown")
    config["processors"]["nonsense"] = {}
    config["service"]["pipelines"]["metrics"]["processors"].append("nonsense")
    return config


def sending_to(port: int) -> Config:
    """Sends process metrics each second to a port; slow to stop while nobody answers there."""
    return {
        "receivers": {
            "hostmetrics": {"collection_interval": "1s", "scrapers": {"process": {"mute_process_all_errors": True}}}
        },
        "exporters": {
            "otlp_http/away": {
                "metrics_endpoint": f"http://127.0.0.1:{port}/v1/metrics",
                "headers": {"authorization": "Bearer ${env:PHOENIX_SECRET}", "x-note": "${env:PHOENIX_SECRET}"},
                "sending_queue": {"queue_size": 1000},
                "retry_on_failure": {"initial_interval": "1s", "max_elapsed_time": "300s"},
            }
        },
        "service": {"pipelines": {"metrics": {"receivers": ["hostmetrics"], "exporters": ["otlp_http/away"]}}},
    }
