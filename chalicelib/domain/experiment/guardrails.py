"""Success criteria and guardrails as their user writes them: KPI, direction, limit, severity. No measurement here.

What is refused names the field, the rule and the fix (the context of the error has the fix).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, ValidationError, field_validator, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from chalicelib.domain.kpi.registry import KPIS, Form, KpiName, Severity
from chalicelib.domain.model import Value
from chalicelib.domain.units import Bytes, Ratio, Seconds


class AtLeast(Value):
    """A lower bound on a share."""

    at_least: Ratio = Field(ge=0, lt=1)


class _Limit(Value):
    severity: Severity = "rollback"
    """What breaking it does: rollback, pause, or warn."""


class CpuLimit(_Limit):
    """An upper bound on CPU, as a share of one core."""

    at_most: Annotated[float, Field(gt=0, le=64)]
    """Cores: 0.05 or "5%" is a twentieth of one."""

    @field_validator("at_most", mode="before")
    @classmethod
    def _share(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*%?\s*", value)
        if not found:
            raise ValueError(
                f"{value[:40]!r} is no share of a core; write a percentage such as 5%, or a number (1 = a core)"
            )
        return float(found[1]) / (100 if "%" in value else 1)


class BytesLimit(_Limit):
    """An upper bound on bytes: of memory, or a minute."""

    at_most: Bytes = Field(gt=0)


class CountLimit(_Limit):
    """An upper bound on a number of series a scrape, of points a minute, or of money a month."""

    at_most: float = Field(gt=0, le=1e15, allow_inf_nan=False)
    """A plain number, without a unit."""

    @field_validator("at_most", mode="before")
    @classmethod
    def _plain(cls, value: Any) -> Any:
        if isinstance(value, (str, bool)):
            raise ValueError(f"{str(value)[:40]!r} is not a plain number; write one without a unit, such as 5000")
        return value


class ShareLimit(_Limit):
    """An upper bound on a share. 0 % is exact: a single point breaks it."""

    at_most: Ratio = Field(ge=0, lt=1)


class DurationLimit(_Limit):
    """An upper bound on a time."""

    at_most: Seconds = Field(gt=0, le=3600)


class CoverageLimit(_Limit):
    """A lower bound on the share of due scrapes that were complete."""

    at_least: Ratio = Field(gt=0, le=1)


Limit = CpuLimit | BytesLimit | CountLimit | ShareLimit | DurationLimit | CoverageLimit


def _whole(value: Any) -> Any:
    """100 %, or the long form with the same meaning."""
    if isinstance(value, Mapping):
        _only(value, ("atLeast", "at_least", "severity"), "criticalRetention: 100%")
        if value.get("severity", "rollback") != "rollback":
            raise PydanticCustomError(
                "invariant",
                "critical retention is an invariant: the candidate that breaks it loses what must never disappear, so "
                "its severity is rollback and no other",
                {"fix": "leave severity out; to see what would happen without acting on it, set spec.dryRun: true"},
            )
        return value.get("atLeast", value.get("at_least", 1.0))
    return value


def _invariant(value: float) -> float:
    if value != 1:
        raise PydanticCustomError(
            "invariant",
            "critical retention is an invariant and cannot be relaxed: write 100%, or leave it out",
            {"fix": "criticalRetention: 100%"},
        )
    return value


class Success(Value):
    """What the candidate must reach to be promoted: every criterion that is given. Without any, half the series."""

    series_reduction: AtLeast | None = None
    points_reduction: AtLeast | None = None
    bytes_reduction: AtLeast | None = None
    cost_reduction: AtLeast | None = None

    @model_validator(mode="before")
    @classmethod
    def _known(cls, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        names = {kpi.reduction: name for name, kpi in KPIS.items() if kpi.reduction}
        _only(value, (*names, *cls.model_fields), "one of: " + ", ".join(names), "success criterion")
        if all(given is None for given in value.values()):
            return {"seriesReduction": {"atLeast": 0.5}}
        return value


class Guardrails(Value):
    """What must not happen. Critical retention is always on; the others when given."""

    critical_retention: Annotated[Ratio, Field(validate_default=False), BeforeValidator(_whole)] = 1.0
    series: CountLimit | None = None
    """Of the candidate, all hosts together, per scrape."""
    points: CountLimit | None = None
    """Of the candidate, all hosts together, per minute."""
    bytes: BytesLimit | None = None
    """Sent by the candidate, all hosts together, per minute."""
    cost: CountLimit | None = None
    """Of the candidate a month, in the price book's currency."""
    collector_cpu: CpuLimit | None = None
    collector_memory: BytesLimit | None = None
    export_failures: ShareLimit | None = None
    """Points that the candidate's exporter lost."""
    dropped_points: ShareLimit | None = None
    """Points that the collector refused."""
    coverage: CoverageLimit | None = None
    scrape_duration: DurationLimit | None = None

    @field_validator("critical_retention")
    @classmethod
    def _kept(cls, value: float) -> float:
        return _invariant(value)

    @model_validator(mode="before")
    @classmethod
    def _known(cls, value: Any) -> Any:
        if isinstance(value, Mapping):
            _only(value, (*KPIS, *cls.model_fields), "one of: " + ", ".join(KPIS), "KPI")
            for name, given in value.items():
                _direction(str(name), given)
        return value

    def given(self) -> dict[KpiName, Limit]:
        """The limits that were asked for, critical retention apart."""
        found = {name: getattr(self, field_of(name)) for name, kpi in KPIS.items() if kpi.form is not Form.INVARIANT}
        return {name: limit for name, limit in found.items() if limit is not None}


def unmeasurable(
    success: Success, guardrails: Guardrails, sends: tuple[bool, bool], *, one_arm_a_host: bool = False
) -> ValidationError | None:
    """The refusal of what could never be measured, in place of an experiment that waits for it until its deadline.

    sends: whether the baseline, and the candidate, have a backend; an arm without one exports nothing. one_arm_a_host:
    the canary layout, in which the bytes of both arms are never of the same scrapes.
    """
    baseline, candidate = sends
    wanted = [
        (("guardrails", "exportFailures"), guardrails.export_failures, candidate),
        (("guardrails", "bytes"), guardrails.bytes, candidate),
        (("success", "bytesReduction"), success.bytes_reduction, baseline and candidate),
    ]
    in_canary = [
        _line(
            place, f"{place[1]} compares what one host sends by both arms, and in a canary each host runs one", _SERIES
        )
        for place, given, _ in wanted
        if given is not None and one_arm_a_host and place[1] != "exportFailures"
    ]
    lines = in_canary or [
        _line(
            place,
            f"{place[1]} is measured at the exporter of an arm, and an arm without a backend has none",
            f"give {'both arms' if place[0] == 'success' else 'the candidate'} a backend, or leave it out",
        )
        for place, given, possible in wanted
        if given is not None and not possible
    ]
    return ValidationError.from_exception_data("manifest", lines) if lines else None


_SERIES = "leave it out; series and cost are measured in every layout"


def field_of(name: KpiName) -> str:
    """Its name among Python's: "scrapeDuration" -> "scrape_duration"."""
    return "".join("_" + char.lower() if char.isupper() else char for char in name.value)


def limit_of(limit: Limit) -> float:
    """The number."""
    return float(limit.at_least if isinstance(limit, CoverageLimit) else limit.at_most)


def _direction(name: str, given: Any) -> None:
    """A limit on the wrong side is no misspelling, and is told apart from one."""
    if name not in KPIS or not isinstance(given, Mapping) or KPIS[KpiName(name)].form is Form.INVARIANT:
        return
    right, wrong = ("atLeast", "atMost") if KPIS[KpiName(name)].better == "higher" else ("atMost", "atLeast")
    if wrong in given:
        better = KPIS[KpiName(name)].better
        raise _refused((name, wrong), f"of {name}, {better} is better: its limit is {right}", f"write {right}: …")


def _only(given: Mapping[Any, Any], known: tuple[str, ...], fix: str, noun: str = "field") -> None:
    for name in given:
        if name not in known:
            raise _refused((str(name)[:64],), f"unknown {noun} {str(name)[:64]!r}", fix)


def _refused(loc: tuple[str, ...], rule: str, fix: str) -> ValidationError:
    """An error at a place below the value that is being validated."""
    return ValidationError.from_exception_data("manifest", [_line(loc, rule, fix)])


def _line(loc: tuple[str, ...], rule: str, fix: str) -> InitErrorDetails:
    kind = PydanticCustomError("refused", "{rule}", {"rule": rule, "fix": fix})
    return InitErrorDetails(type=kind, loc=loc, input=None)
