"""The parts every configuration shares: the receiver, what marks critical processes, what strips our attributes,
what removes helper metrics, and exporters. Which pipeline uses which is `assembly`'s business.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from chalicelib.domain.critical import CriticalPattern
from chalicelib.domain.errors import InvalidInput, Problem
from chalicelib.domain.experiment.spec import Backend
from chalicelib.domain.pipeline import ottl
from chalicelib.domain.pipeline.request import TOKEN_VARIABLE

Tree = dict[str, Any]
_CONSUMERS = 4
"""Requests in flight per exporter, and so the most that every host sends at once when an absent side comes back."""
CRITICAL = 'resource.attributes["phoenix.critical"]'


def go_duration(seconds: float) -> str:
    """A duration as Go reads it: "15s", or "2500ms" when it is no whole number of seconds."""
    millis = round(seconds * 1000)
    return f"{millis // 1000}s" if millis % 1000 == 0 else f"{millis}ms"


def receiver(interval_s: float, scraper_metrics: Sequence[str]) -> Tree:
    """The process scraper. Errors of processes that end while they are read are muted: they are not failures."""
    process: Tree = {"mute_process_all_errors": True}
    if scraper_metrics:
        process["metrics"] = {metric: {"enabled": True} for metric in scraper_metrics}
    return {"collection_interval": go_duration(interval_s), "scrapers": {"process": process}}


def memory_limiter(limit_mib: int) -> Tree:
    """Refuses a scrape for both arms alike when memory is short; stands before the arms part."""
    return {"check_interval": "1s", "limit_mib": limit_mib, "spike_limit_mib": max(limit_mib // 5, 1)}


def mark(critical: Iterable[CriticalPattern]) -> Tree:
    """Writes the id of the first pattern that matches into phoenix.critical."""
    statements = []
    for index, pattern in enumerate(critical):
        unmarked = f"{CRITICAL} == nil and " if index else ""
        statements.append(f"set({CRITICAL}, {ottl.text(pattern.id)}) where {unmarked}{_condition(pattern)}")
    return transform([{"context": "resource", "statements": statements}])


def _condition(pattern: CriticalPattern) -> str:
    if pattern.name is not None:
        return f'IsMatch(resource.attributes["process.executable.name"], {ottl.text(pattern.name)})'
    if pattern.command_line is not None:
        return f'IsMatch(resource.attributes["process.command_line"], {ottl.text(pattern.command_line)})'
    return f'resource.attributes["process.owner"] == {ottl.text(pattern.owner or "")}'


def strip() -> Tree:
    """Removes every attribute of ours; last before an exporter."""
    pattern = ottl.text(r"^phoenix\.")
    statement = f"delete_matching_keys(resource.attributes, {pattern})"
    return transform([{"context": "resource", "statements": [statement]}])


def drop_metrics(metrics: Iterable[str]) -> Tree:
    """Removes helper metrics that an arm (or the raw count) did not ask for."""
    conditions = [f"metric.name == {ottl.text(metric)}" for metric in metrics]
    return {"error_mode": "propagate", "metric_conditions": conditions}


def transform(groups: list[Tree]) -> Tree:
    """A transform that fails loudly: a payload missing is honest, a payload half transformed is not."""
    return {"error_mode": "propagate", "metric_statements": groups}


def resource(attributes: Iterable[tuple[str, str, str]]) -> Tree:
    """A resource processor from (action, key, value)."""
    return {
        "attributes": [{"key": key, "value": ottl.plain(value), "action": action} for action, key, value in attributes]
    }


def exporter_type(backend: Backend) -> str:
    """The component that sends to a user's backend."""
    return "prometheus_remote_write" if backend.remote_write else "otlp_http"


def exporter(backend: Backend, interval_s: float) -> Tree:
    """To a user's backend. Raises InvalidInput when a header would carry the host's own token away."""
    if any(TOKEN_VARIABLE in value for value in backend.headers.values()):
        raise InvalidInput(
            f"{TOKEN_VARIABLE} must not be sent to a backend",
            problems=(Problem("/backend/headers", f"{TOKEN_VARIABLE} is the host's own credential", "use another"),),
        )
    headers = {"headers": dict(backend.headers)} if backend.headers else {}
    if backend.remote_write:
        return {"endpoint": ottl.plain(backend.remote_write), **headers, **_remote_write()}
    body = {"metrics_endpoint": ottl.plain(backend.otlp or ""), **headers}
    return {**body, "sending_queue": queue(interval_s, 1000), "retry_on_failure": retry(300)}


def _remote_write() -> Tree:
    """Every resource attribute a label, or all processes of a host would fall into the same few series (collector.md,
    section 1). One consumer: two would send a series' samples in any order, and a Prometheus refuses what is older."""
    return {
        "resource_to_telemetry_conversion": {"enabled": True},
        "target_info": {"enabled": False},
        "remote_write_queue": {"enabled": True, "queue_size": 1000, "num_consumers": 1},
        "retry_on_failure": retry(300),
    }


def queue(interval_s: float, size: int) -> Tree:
    """A queue that gathers a scrape into one request; its timer starts at the first item, unlike the batch
    processor's, which cuts scrapes apart (collector.md, section 4)."""
    return {
        "queue_size": size,
        "num_consumers": _CONSUMERS,
        "sizer": "requests",
        "batch": {"sizer": "items", "min_size": 100_000, "flush_timeout": go_duration(min(interval_s / 2, 5.0))},
    }


def retry(at_most_s: int) -> Tree:
    """Retries at most 5 s apart (7.5 s with the collector's jitter), so that data flows again soon after the other
    side is back."""
    return {"initial_interval": "1s", "max_interval": "5s", "max_elapsed_time": f"{at_most_s}s"}
