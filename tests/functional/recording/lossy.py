"""A pipeline of a user's own that loses a critical process now and then: what a preview is for."""

from __future__ import annotations

from pathlib import Path

_METADATA = """
name: my-lossy
version: 1.0.0
title: Drops what holds little memory
description: Drops every process below a size, critical or not.
parameters:
  - {name: least, type: int, unit: bytes, minimum: 0, maximum: 1000000000, default: 20480, description: The size.}
keeps: [process.memory.usage]
backends: [cumulative]
names: Untouched.
changelog: [{version: 1.0.0, text: First version.}]
"""
_COLLECTOR = """
order: [transform/size, filter/small]
processors:
  transform/size:
    error_mode: propagate
    metric_statements:
      - context: datapoint
        statements:
          - >-
            set(resource.attributes["phoenix.small"], true)
            where metric.name == "process.memory.usage" and datapoint.value_int < @{least}
  filter/small:
    error_mode: propagate
    metric_conditions:
      - resource.attributes["phoenix.small"] == true
"""


def lossy_catalog(folder: Path) -> Path:
    """A folder to give to `--catalog`."""
    own = folder / "own" / "my-lossy"
    own.mkdir(parents=True)
    (own / "metadata.yaml").write_text(_METADATA, "utf-8")
    (own / "collector.yaml").write_text(_COLLECTOR, "utf-8")
    return own.parent
