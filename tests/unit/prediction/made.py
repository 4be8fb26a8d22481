"""Figures for tests, made by hand."""

from __future__ import annotations

from typing import Any

from chalicelib.domain.critical import CriticalPattern
from chalicelib.domain.prediction.figures import Amount, PatternKept, PipelineFigures
from chalicelib.domain.prediction.prediction import Conditions, PredictionDraft

PATTERN = CriticalPattern(id="db", name="^db-main$")


def kept(kept: int = 4, seen: int = 4, hidden: int = 0) -> PatternKept:
    return PatternKept(pattern="db", processes=1 if seen else 0, seen=seen, kept=kept, hidden=hidden)


def figures(name: str = "process-topk-v1", series: float = 70.0, **fields: Any) -> PipelineFigures:
    base: dict[str, Any] = {
        "pipeline": name,
        "version": "1.1.0",
        "series": Amount(mean=series, most=series + 7),
        "different_series": round(series) + 10,
        "points": round(series * 4),
        "bytes": Amount(mean=series * 150, most=series * 160),
        "wire_bytes": Amount(mean=series * 12, most=series * 13),
        "per_month": series * 0.06,
        "critical": (kept(),),
    }
    return PipelineFigures(**{**base, **fields})


def conditions(**fields: Any) -> Conditions:
    base: dict[str, Any] = {
        "recording": "a" * 64,
        "host": "h1",
        "started_at": 1.0e9,
        "seconds": 45.0,
        "interval_s": 15.0,
        "scrapes": 4,
        "processes": 170.0,
        "complete": True,
        "redacted": False,
        "price_book": "example-2026",
    }
    return Conditions(**{**base, **fields})


def draft(**fields: Any) -> PredictionDraft:
    base: dict[str, Any] = {
        "baseline": figures("process-baseline-v1", 7000.0, version="1.0.0"),
        "candidate": figures(),
        "raw_series": 7000.0,
        "critical": (PATTERN,),
        "conditions": conditions(),
    }
    return PredictionDraft(**{**base, **fields})
