"""What the layout means for the other fields of an experiment's spec, as validators of those fields.

Each sees the fields above its own. Raises ValueError with rule and fix; the field is named by where it stands.
"""

from __future__ import annotations

from typing import Any

from pydantic import AfterValidator, ValidationInfo

from chalicelib.domain.canary.spec import MIN_INTERVALS, CanarySpec, fewest, too_few
from chalicelib.domain.units import show_duration


def with_defaults(data: Any) -> Any:
    """A spec as it is written, with what a canary means when it does not say so."""
    if isinstance(data, dict) and data.get("layout") == "canary":
        return {"claim": "hosts-like-these", **data, "canary": data.get("canary") or {}}
    return data


def _canary(value: CanarySpec | None, info: ValidationInfo) -> CanarySpec | None:
    if value is None:
        return None
    given = info.data
    if given.get("layout") == "paired":
        raise ValueError("canary divides hosts between the arms: write layout: canary, or leave canary out")
    if given.get("mode") == "dedicated":
        raise ValueError(
            "each host of a canary runs one arm in one collector, so its cost is measured already: "
            "leave mode: dedicated out, or write layout: paired"
        )
    if "interval" in given and value.pre_period < MIN_INTERVALS * given["interval"]:
        least = show_duration(MIN_INTERVALS * given["interval"])
        raise ValueError(
            f"prePeriod is too short to know the hosts by: {MIN_INTERVALS} intervals at least, here {least}"
        )
    targets = given.get("targets")
    if targets and targets.hosts and (why := too_few(len(targets.hosts), value.share)):
        hosts = fewest(value.share)
        raise ValueError(f"{why}; name {hosts} hosts at least, choose a share nearer to 50%, or layout: paired")
    return value


def _claim(value: str, info: ValidationInfo) -> str:
    if info.data.get("layout") == "canary" and value != "hosts-like-these":
        raise ValueError(
            "no host of a canary runs both arms, so nothing can be said of these hosts alone: write claim: "
            "hosts-like-these, leave claim out, or write layout: paired"
        )
    return value


def _source(value: Any, info: ValidationInfo) -> Any:
    if info.data.get("layout") == "canary" and value.decides:
        raise ValueError(
            "the pre-period of a canary is counted at the edge, and so must its window be: use the Prometheus with "
            "use: check, leave source out, or write layout: paired"
        )
    return value


CANARY_RULES = AfterValidator(_canary)
CLAIM_OF_A_CANARY = AfterValidator(_claim)
SOURCE_OF_A_CANARY = AfterValidator(_source)
