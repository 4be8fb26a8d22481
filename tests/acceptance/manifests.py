"""Experiments as files, as a user writes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

CRITICAL = [{"name": "^phx-crit-"}]


def manifest(name: str, host: str, candidate: dict[str, Any], **spec: Any) -> dict[str, Any]:
    """process-baseline-v1 against `candidate` on one host every 2 s, at least 16 scrapes, at most 280 s: a slow machine
    scrapes late now and then, and time makes up for it."""
    schedule = {"warmUp": "6s", "minDuration": "32s", "maxDuration": "280s", "evaluateEvery": "2s"}
    return {
        "apiVersion": "phoenix.io/v1alpha1",
        "kind": "Experiment",
        "metadata": {"name": name},
        "spec": {
            "baseline": {"pipeline": "process-baseline-v1"},
            "candidate": candidate,
            "targets": {"hosts": [host]},
            "critical": CRITICAL,
            "interval": "2s",
            "schedule": schedule,
            **spec,
        },
    }


def written(folder: Path, document: dict[str, Any]) -> str:
    """The file of an experiment in a folder."""
    path = folder / f"{document['metadata']['name']}.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False), "utf-8")
    return str(path)
