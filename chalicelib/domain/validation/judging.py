"""What the outcome of a trial run says about the rules. Values in, findings out; nothing is read from the configuration
but where its exporters stand and how they name series."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from chalicelib.domain.pipeline.references import pointer
from chalicelib.domain.validation.components import kind_of
from chalicelib.domain.validation.findings import Finding
from chalicelib.domain.validation.outcome import Outcome, Point
from chalicelib.domain.validation.rules import finding
from chalicelib.domain.validation.view import View
from chalicelib.domain.validation.words import pointer_of

_PROMETHEUS = frozenset(("prometheus", "prometheus_remote_write", "prometheusremotewrite"))
_NO_BACKEND = frozenset(("debug", "nop"))
_COMMANDS = ("process.command_line", "process.command_args", "process.command")
_PIDS = ("process.pid", "process.parent_pid")
_IN_PROMETHEUS = frozenset(("service.name", "service.namespace", "service.instance.id"))
"""Resource attributes that become labels (job, instance) even without resource_to_telemetry_conversion."""
_MAX_HIDDEN = 10


def by_running(view: View, sinks: Mapping[str, str], outcome: Outcome) -> list[Finding]:
    """Everything but the retention of critical processes. sinks: exporter to its sink."""
    found = list(_failures(view, outcome))
    for exporter, sink in sinks.items():
        points = outcome.points.get(sink, ())
        body = view.section("exporters").get(exporter)
        where = pointer(("exporters", exporter))
        if kind_of(exporter) not in _NO_BACKEND:
            found += _unbounded(exporter, where, points, body)
        found += _unsound(exporter, where, points, body)
    return found


def _failures(view: View, outcome: Outcome) -> Iterator[Finding]:
    if outcome.refused:
        yield finding("PHX-V132", pointer_of(outcome.refused, view.tree), f"the scrape is refused: {outcome.refused}")
    seen: set[str] = set()
    for hidden in outcome.hidden:
        if hidden.component not in seen and len(seen) < _MAX_HIDDEN:
            seen.add(hidden.component)
            text = f"{hidden.component} fails on an ordinary scrape, and goes on: {hidden.words}"
            yield finding("PHX-V162", pointer(("processors", hidden.component)), text)


def _unbounded(exporter: str, where: str, points: Iterable[Point], body: Any) -> Iterator[Finding]:
    lifted = _lifts(exporter, body)
    names = {key for point in points for key, _ in (*point.attributes, *(point.resource if lifted else ()))}
    for rule, keys in (("PHX-V140", _COMMANDS), ("PHX-V141", _PIDS)):
        if sent := [key for key in keys if key in names]:
            yield finding(rule, where, f"exporter {exporter} gets {' and '.join(sent)}")


def _unsound(exporter: str, where: str, points: Iterable[Point], body: Any) -> Iterator[Finding]:
    """At most one finding an exporter: series that fall together also seem to fall."""
    lifted = _lifts(exporter, body)
    series: dict[tuple[Any, ...], dict[int, set[tuple[int, float]]]] = defaultdict(lambda: defaultdict(set))
    counters = set()
    for point in points:
        key = (point.metric, point.resource if lifted else _in_prometheus(point), point.attributes)
        series[key][point.time_ns].add((point.start_ns, point.value))
        if point.counter:
            counters.add(key)
    together = [key for key, times in series.items() if any(len(values) > 1 for values in times.values())]
    if together:
        text = f"{len(together)} of {len(series)} series at exporter {exporter} hold several processes, such as "
        yield finding("PHX-V151", where, text + _series(together[0]))
        return
    falling = [key for key in counters if _falls(series[key])]
    if falling:
        text = f"{len(falling)} of {len(counters)} counters at exporter {exporter} fall when a process ends, such as "
        yield finding("PHX-V150", where, text + _series(min(falling, key=str)))


def _falls(times: Mapping[int, set[tuple[int, float]]]) -> bool:
    """Whether the value falls while its start stays before the earlier point: a start behind it is an honest reset."""
    before: tuple[int, float] | None = None
    for time in sorted(times):
        (start, value) = next(iter(times[time]))
        if before is not None and value < before[1] and start < before[0]:
            return True
        before = (time, value)
    return False


def _series(key: tuple[Any, ...]) -> str:
    metric, resource, attributes = key
    labels = {**dict(resource), **dict(attributes)}
    shown = [f"{name}={str(value)[:40]!r}" for name, value in sorted(labels.items())]
    return f"{metric} {{{', '.join(shown[:6])}}}"


def _lifts(exporter: str, body: Any) -> bool:
    """Whether the exporter makes resource attributes part of a series' identity."""
    if kind_of(exporter) not in _PROMETHEUS:
        return True
    conversion = body.get("resource_to_telemetry_conversion") if isinstance(body, Mapping) else None
    return isinstance(conversion, Mapping) and conversion.get("enabled") is True


def _in_prometheus(point: Point) -> tuple[tuple[str, Any], ...]:
    return tuple(pair for pair in point.resource if pair[0] in _IN_PROMETHEUS)
