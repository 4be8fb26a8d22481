"""The experiment that would prove a prediction on the recorded host: its manifest as a tree. Nothing is created."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from chalicelib.domain.critical import CriticalPattern
from chalicelib.domain.experiment.spec import API_VERSION, NAME
from chalicelib.domain.prediction.figures import PipelineFigures
from chalicelib.domain.prediction.prediction import Conditions
from chalicelib.domain.units import show_duration

SHARE_OF_PREDICTED = 0.9
"""Of the predicted reduction that the experiment asks for: another time is never quite the recorded one."""
_LONGEST = 63


def manifest(
    candidate: PipelineFigures,
    against: PipelineFigures,
    critical: Sequence[CriticalPattern],
    conditions: Conditions,
    reduction: float | None,
) -> dict[str, Any]:
    """What `phoenix experiment create -f` takes. Parameters are all written out."""
    target = int(max(reduction or 0.0, 0.0) * SHARE_OF_PREDICTED * 100)
    return {
        "apiVersion": API_VERSION,
        "kind": "Experiment",
        "metadata": {"name": f"prove-{candidate.pipeline}"[:_LONGEST].rstrip("-")},
        "spec": {
            "baseline": _arm(against),
            "candidate": _arm(candidate),
            "targets": {"hosts": [_host(conditions.host)]},
            "critical": [one.model_dump(mode="json", by_alias=True, exclude_none=True) for one in critical],
            "interval": show_duration(conditions.interval_s),
            "success": {"seriesReduction": {"atLeast": f"{target}%"}},
        },
    }


def _arm(figures: PipelineFigures) -> dict[str, Any]:
    own = {} if "." in figures.version else {"version": figures.version}
    return {"pipeline": figures.pipeline, **own, "parameters": dict(figures.parameters)}


def _host(name: str) -> str:
    """The recorded host as a name that Phoenix takes: `phoenix host run` makes the same of a hostname."""
    label = re.sub(r"[^a-z0-9]", "-", name.split(".")[0].lower()).strip("-")[:_LONGEST]
    return label if re.fullmatch(NAME, label) else "host"
