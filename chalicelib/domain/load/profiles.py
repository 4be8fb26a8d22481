"""The names of profiles and scenarios, and what each runs when the request does not say. Nothing is checked here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

from chalicelib.domain.model import Value

PlainProfile = Literal["high-cardinality", "realistic", "process-churn", "custom"]
"""One population, kept as it is. A scenario is a sequence of these."""
ScenarioName = Literal["steady-state", "memory-pressure", "cardinality-explosion", "chaos", "stages"]
"""`stages` is the scenario whose stages the request brings itself."""
ProfileName = Literal[PlainProfile, ScenarioName]
PLAIN: tuple[str, ...] = get_args(PlainProfile)
SCENARIOS: tuple[str, ...] = get_args(ScenarioName)
USUAL_LIFE_S = 4.0
"""By default churn leaves each process at least so long, so that a small population is not all starts and ends."""


class LoadDefaults(Value):
    """What a profile runs when the request does not say. count: None where the request's own parts say it."""

    count: int | None
    busy: int = 0
    critical: int = 0
    restarts_per_minute: float = 0.0
    starts_per_second: float = 0.0
    scenario: bool = False
    summary: str
    """One line for lists of profiles."""


DEFAULTS: Mapping[str, LoadDefaults] = {
    "high-cardinality": LoadDefaults(
        count=1000,
        busy=20,
        critical=5,
        restarts_per_minute=6,
        summary="mostly idle processes, each with a name and a command line of its own",
    ),
    "realistic": LoadDefaults(
        count=120,
        busy=12,
        critical=3,
        restarts_per_minute=4,
        summary="the names, sizes and CPU patterns of a web host: proxies, databases, workers, cron, logins",
    ),
    "process-churn": LoadDefaults(
        count=200,
        busy=10,
        critical=5,
        starts_per_second=25,
        summary="short-lived jobs: so many starts and as many ends a second, every job a new process",
    ),
    "custom": LoadDefaults(count=None, summary="your own groups of processes: names, CPU, memory, lifetime"),
    "steady-state": LoadDefaults(
        count=120, busy=12, critical=3, scenario=True, summary="realistic from beginning to end, nothing else happens"
    ),
    "memory-pressure": LoadDefaults(
        count=120, busy=12, critical=3, scenario=True, summary="a web host on which some processes grow and grow"
    ),
    "cardinality-explosion": LoadDefaults(
        count=1000, busy=20, critical=5, scenario=True, summary="ever more names, eight times as many, then fewer again"
    ),
    "chaos": LoadDefaults(
        count=300, busy=12, critical=5, scenario=True, summary="calm, churn, explosion, memory pressure and collapse"
    ),
    "stages": LoadDefaults(count=None, scenario=True, summary="your own scenario: profiles one after the other"),
}


def with_defaults(given: Mapping[str, Any]) -> dict[str, Any]:
    """`given` with what is missing filled in from its profile, fitted to its count; wrong values stay as they are.

    By default at most a quarter is critical and at most half is busy, so that a small population still has idle ones.
    """
    out = dict(given)
    name = str(out.get("profile", "high-cardinality"))
    profile = DEFAULTS.get(name)
    if profile is None:
        return out
    grouped = _grouped(out.get("groups"))
    otherwise = _longest(out.get("stages")) if name == "stages" else max(1, grouped + (profile.count or 0))
    own = _number(out.setdefault("count", otherwise), otherwise) - grouped
    own = own // 2 if profile.scenario else own  # the other half is what its stages change
    asked_busy = _number(out.get("busy"), 0)
    critical = _number(out.setdefault("critical", max(0, min(profile.critical, own // 4, own - asked_busy))), 0)
    busy = _number(out.setdefault("busy", max(0, min(profile.busy, own // 2, own - critical))), 0)
    _default_rates(out, profile, own - busy - critical)
    return out


def _default_rates(out: dict[str, Any], profile: LoadDefaults, idle: int) -> None:
    if "restarts_per_minute" not in out and "restartsPerMinute" not in out:
        out["restartsPerMinute"] = profile.restarts_per_minute if idle > 0 else 0.0
    if "starts_per_second" not in out and "startsPerSecond" not in out:
        out["startsPerSecond"] = min(profile.starts_per_second, max(0, idle) / USUAL_LIFE_S)


def stage_with_defaults(given: Mapping[str, Any]) -> dict[str, Any]:
    """The same for one stage, which has no critical processes of its own: those are the whole load's."""
    out = with_defaults({**given, "critical": 0})
    del out["critical"]
    return {**out, "critical": given["critical"]} if "critical" in given else out


def _grouped(groups: object) -> int:
    if not isinstance(groups, list | tuple):
        return 0
    return sum(_number(_field(group, "count"), 1) for group in groups)


def _longest(stages: object) -> int:
    if not isinstance(stages, list | tuple):
        return 1
    counts = [_number((with_defaults(s) if isinstance(s, Mapping) else {"count": s.count})["count"], 1) for s in stages]
    return max(counts, default=1)


def _field(value: object, name: str) -> object:
    return value.get(name) if isinstance(value, Mapping) else getattr(value, name, None)


def _number(value: object, otherwise: int) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else otherwise
