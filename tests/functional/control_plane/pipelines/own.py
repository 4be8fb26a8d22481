"""Pipelines of a tenant's own, as tests hand them over."""

from __future__ import annotations

from typing import Any

import yaml

COLLECTOR = """\
receivers:
  hostmetrics:
    collection_interval: 10s
    scrapers:
      process:
        mute_process_all_errors: true
processors:
  memory_limiter: {check_interval: 1s, limit_mib: 200, spike_limit_mib: 50}
  filter/small:
    error_mode: propagate
    metric_conditions:
      - resource.attributes["phoenix.critical"] == nil and resource.attributes["process.pid"] > 300000
  batch:
exporters:
  debug: {}
service:
  pipelines:
    metrics:
      receivers: [hostmetrics]
      processors: [memory_limiter, filter/small, batch]
      exporters: [debug]
"""


def document(name: str | None = "lean", limit: int = 5, **spec: Any) -> str:
    """A pipeline document with one parameter."""
    condition = 'resource.attributes["phoenix.critical"] == nil and resource.attributes["process.pid"] > @{most}'
    body = {
        "title": "Lean",
        "description": "Processes with low pids.",
        "parameters": [
            {
                "name": "most",
                "type": "int",
                "minimum": 0,
                "maximum": 9999999,
                "default": limit,
                "description": "Why not.",
            }
        ],
        "order": ["filter/high"],
        "processors": {"filter/high": {"error_mode": "propagate", "metric_conditions": [condition]}},
        **spec,
    }
    metadata = {"name": name} if name else {}
    return yaml.safe_dump({"apiVersion": "phoenix.io/v1alpha1", "kind": "Pipeline", "metadata": metadata, "spec": body})
