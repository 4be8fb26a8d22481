"""Configurations of one pipeline from the process scraper to a backend, with what a test puts between."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from chalicelib.domain.validation.findings import Report

LIMITER = {"check_interval": "1s", "limit_mib": 200, "spike_limit_mib": 40}


def text(
    processors: Mapping[str, Any] | None = None,
    *,
    order: Sequence[str] | None = None,
    scraper: Mapping[str, Any] | None = None,
    receiver: Mapping[str, Any] | None = None,
    exporter: str = "otlp_http",
    settings: Mapping[str, Any] | None = None,
) -> str:
    """A sound configuration but for what is given. JSON is YAML."""
    inner = {"memory_limiter": LIMITER, **(processors or {})}
    scrapers = {"process": {"mute_process_all_errors": True, **(scraper or {})}}
    receivers = (
        {"otlp": receiver} if receiver else {"hostmetrics": {"collection_interval": "10s", "scrapers": scrapers}}
    )
    tree = {
        "receivers": receivers,
        "processors": inner,
        "exporters": {exporter: settings if settings is not None else {"endpoint": "https://otlp.example.com"}},
        "service": {
            "pipelines": {
                "metrics": {
                    "receivers": list(receivers),
                    "processors": list(order if order is not None else inner),
                    "exporters": [exporter],
                }
            }
        },
    }
    return json.dumps(tree, indent=1)


def drop(*conditions: str) -> dict[str, Any]:
    """A filter that drops what meets one of the conditions."""
    return {"error_mode": "propagate", "metric_conditions": list(conditions)}


def statements(*lines: str) -> dict[str, Any]:
    """A transform."""
    return {"error_mode": "propagate", "metric_statements": list(lines)}


def found(report: Report) -> list[tuple[str, str]]:
    """Rule and pointer of every finding but the two about attributes, which every report of processes has."""
    return [(one.rule, one.pointer) for one in report.findings if one.rule not in ("PHX-V140", "PHX-V141")]
