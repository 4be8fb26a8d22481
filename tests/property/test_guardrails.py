"""Properties of guardrails and criteria: recomputed from the evidence alike, and each severity does what it says."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain.evaluation.evaluation import Evaluation, evaluate, recompute
from chalicelib.domain.evaluation.result.reasons import LIMIT_BROKEN
from chalicelib.domain.evaluation.verdict.verification import differences
from chalicelib.domain.experiment.guardrails import field_of
from chalicelib.domain.kpi.registry import KpiName
from chalicelib.domain.measurement import ExporterCounters
from tests.unit.evaluation.simulated import at, plan_of, sample, scrapes

ALLOWED = st.sampled_from([0.5, 0.99, 1.0, 1.01, 2.0])
"""A limit as a multiple of what is about to be measured."""
TYPICAL = {
    KpiName.SERIES: 700.0, KpiName.POINTS: 2800.0, KpiName.BYTES: 3600.0, KpiName.COST: 42.0,
    KpiName.COLLECTOR_CPU: 0.02, KpiName.COLLECTOR_MEMORY: 8e7, KpiName.EXPORT_FAILURES: 0.01,
    KpiName.DROPPED_POINTS: 0.01, KpiName.SCRAPE_DURATION: 0.2, KpiName.COVERAGE: 0.45,
}  # fmt: skip


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[Any], list[Any], dict[str, float], bool]:
    """Counts, samples, limits, whether it is the last look."""
    noise = draw(st.sampled_from([0, 30, 300]))
    jitter = [draw(st.integers(-noise, noise)) for _ in range(40)] if noise else [0] * 40
    n = draw(st.integers(10, 40))
    counts = scrapes(0, n, series=lambda i: (7000, 7000, 700 + jitter[i]))
    failing, refusing = draw(st.sampled_from([0, 7])), draw(st.sampled_from([0, 70]))
    samples = [
        sample(
            i * 15 + 4,
            5 + i * 0.3,
            exporters={
                "otlp_http/baseline": ExporterCounters(sent_points=7000 * i, sent_bytes=9000 * i),
                "otlp_http/candidate": ExporterCounters(
                    sent_points=693 * i, sent_bytes=900 * i, failed_points=failing * i
                ),
            },
        ).model_copy(update={"accepted_points": 6930 * i, "refused_points": refusing * i})
        for i in range(1, draw(st.integers(2, 42)))
    ]
    chosen = draw(st.lists(st.sampled_from(list(TYPICAL)), unique=True, max_size=6))
    limits = {field_of(kpi): TYPICAL[kpi] * draw(ALLOWED) for kpi in chosen}
    for name in ("bytes_reduction", "cost_reduction", "points_reduction"):
        if draw(st.booleans()):
            limits[name] = draw(st.sampled_from([0.3, 0.9, 0.95]))
    return counts, samples, limits, draw(st.booleans())


def look(world: tuple[list[Any], list[Any], dict[str, float], bool], severity: str) -> Evaluation:
    counts, samples, limits, last = world
    plan = plan_of(**limits, severities=dict.fromkeys(TYPICAL, severity))
    return evaluate(plan, counts, samples, at(len(counts) // 3 * 15 + 5), last=last)


@given(worlds())
@settings(max_examples=25, deadline=None)
def test_each_severity_does_what_it_says_and_all_is_computed_again_alike(
    world: tuple[list[Any], list[Any], dict[str, float], bool],
) -> None:
    rollback, pause, warn = (look(world, severity) for severity in ("rollback", "pause", "warn"))
    without = look(
        (world[0], world[1], {k: v for k, v in world[2].items() if k.endswith("_reduction")}, world[3]), "warn"
    )
    broken = {row.kpi for row in rollback.kpis if row.role == "guardrail" and row.state == "broken"}
    assert rollback.breach == bool(broken)
    assert not broken or rollback.reason in LIMIT_BROKEN.values()
    assert not pause.breach
    assert not (pause.verdict == "promote" and broken)
    assert (warn.verdict, warn.reason) == (without.verdict, without.reason), "a warning changes no verdict"
    for found in (rollback, pause, warn):
        stored = Evaluation.model_validate_json(found.model_dump_json(by_alias=True))
        assert recompute(stored) == (found.verdict, found.reason)
        assert differences(stored) == ()
        assert all(row.why for row in found.kpis if row.state == "unmeasured")
        if found.verdict == "promote":
            assert {row.state for row in found.kpis if row.role == "success"} == {"ok"}
