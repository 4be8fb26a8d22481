"""Collector configurations for the tests of the host runtime: one that runs, and some that fail in known ways."""

from __future__ import annotations

import yaml


def idle(marker: str, **telemetry: object) -> str:
    """A pipeline that does nothing, stamped with a marker as the control plane stamps its own."""
    return yaml.safe_dump(
        {
            "receivers": {"nop": {}},
            "exporters": {"nop": {}},
            "service": {
                "telemetry": {"resource": {"phoenix.config": marker}, **telemetry},
                "pipelines": {"metrics": {"receivers": ["nop"], "exporters": ["nop"]}},
            },
        }
    )


def listening(marker: str, port: int) -> str:
    """A receiver on this loopback port."""
    document = yaml.safe_load(idle(marker))
    document["receivers"] = {"otlp": {"protocols": {"http": {"endpoint": f"127.0.0.1:{port}"}}}}
    document["service"]["pipelines"]["metrics"]["receivers"] = ["otlp"]
    return yaml.safe_dump(document)


def with_processor(marker: str, name: str, *, configured: bool = True) -> str:
    """The idle pipeline with a processor of this name, configured or only referred to."""
    document = yaml.safe_load(idle(marker))
    if configured:
        document["processors"] = {name: {}}
    document["service"]["pipelines"]["metrics"]["processors"] = [name]
    return yaml.safe_dump(document)
