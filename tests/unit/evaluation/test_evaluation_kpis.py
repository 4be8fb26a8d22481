"""Guardrails with a severity, several success criteria, and the table of how each KPI stands."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chalicelib.domain.evaluation.evaluation import Evaluation, evaluate, recompute
from chalicelib.domain.evaluation.verdict.conclusion import digest
from chalicelib.domain.evaluation.verdict.verification import differences
from chalicelib.domain.kpi.registry import KPIS
from chalicelib.domain.kpi.rows import KpiRow
from chalicelib.domain.measurement import CollectorSample, Count, ExporterCounters
from chalicelib.domain.pricebooks import price_book
from tests.unit.evaluation.simulated import at, plan_of, sample, scrapes

ENOUGH = 41


def samples(
    *,
    sent: int = 700,
    failed: int = 0,
    refused: int = 0,
    bytes_each: tuple[int, int] = (9000, 900),
    until: int = ENOUGH,
) -> list[CollectorSample]:
    """A sample every 15 s; failed, refused: points in each step."""
    return [
        sample(
            i * 15 + 4,
            5 + i * 0.3,
            exporters={
                "otlp_http/baseline": ExporterCounters(sent_points=7000 * i, sent_bytes=bytes_each[0] * i),
                "otlp_http/candidate": ExporterCounters(
                    sent_points=sent * i, sent_bytes=bytes_each[1] * i, failed_points=failed * i if failed else None
                ),
            },
        ).model_copy(update={"accepted_points": 7000 * i, "refused_points": refused * i})
        for i in range(1, until + 1)
    ]


def look(taken: list[CollectorSample] | None = None, *, counts: list[Count] | None = None, last: bool = False,
         **limits: Any) -> Evaluation:  # fmt: skip
    found = scrapes(0, 40) if counts is None else counts
    return evaluate(plan_of(**limits), found, samples() if taken is None else taken, at(605), last=last)


def row(found: Evaluation, kpi: str) -> KpiRow:
    return next(one for one in found.kpis if one.kpi == kpi)


def test_every_kpi_has_a_row_and_what_nobody_limited_says_so() -> None:
    found = look()
    assert [one.kpi for one in found.kpis] == ["seriesReduction", *(kpi.value for kpi in KPIS)]
    assert row(found, "series").value == 700
    assert row(found, "points").value == 2800
    assert row(found, "bytes").value == pytest.approx(3600)
    assert row(found, "scrapeDuration").value == pytest.approx(0.2)
    assert {one.state for one in found.kpis if one.role == "shown"} == {"unlimited"}
    assert row(found, "criticalRetention").state == "ok"


def test_what_cannot_be_measured_says_why_and_is_never_zero() -> None:
    found = look([])
    for kpi in ("bytes", "collectorCpu", "collectorMemory", "exportFailures", "droppedPoints"):
        one = row(found, kpi)
        assert (one.value, one.state) == (None, "unmeasured")
        assert one.why
    assert "arm without a backend" in row(found, "bytes").why


@pytest.mark.parametrize(
    ("kpi", "limit", "taken", "reason"),
    [
        ("export_failures", 0.01, {"failed": 70}, "export_failures"),
        ("dropped_points", 0.01, {"refused": 700}, "dropped_points"),
        ("scrape_duration", 0.1, {}, "scrape_duration"),
        ("series", 500.0, {}, "series_limit"),
        ("points", 2000.0, {}, "points_limit"),
        ("bytes", 3000.0, {}, "bytes_limit"),
        ("cost", 1.0, {}, "cost_limit"),
    ],
)
def test_a_broken_limit_rejects_pauses_or_warns(kpi: str, limit: float, taken: dict[str, int], reason: str) -> None:
    name = "".join(part.capitalize() if i else part for i, part in enumerate(kpi.split("_")))
    rolls_back = look(samples(**taken), **{kpi: limit})
    assert (rolls_back.verdict, rolls_back.reason, rolls_back.breach) == ("reject", reason, True)
    assert KPIS[row(rolls_back, name).kpi].title in rolls_back.explanation  # type: ignore[index]

    pauses = look(samples(**taken), **{kpi: limit, "severities": {name: "pause"}})
    assert (pauses.verdict, pauses.reason) == (None, "guardrail_broken")
    assert (row(pauses, name).state, row(pauses, name).severity) == ("broken", "pause")
    assert "nothing is promoted while it is broken" in pauses.waiting_for[0]
    assert look(samples(**taken), last=True, **{kpi: limit, "severities": {name: "pause"}}).verdict == "inconclusive"

    warns = look(samples(**taken), **{kpi: limit, "severities": {name: "warn"}})
    assert (warns.verdict, row(warns, name).state) == ("promote", "broken")

    for found in (rolls_back, pauses, warns):
        again = Evaluation.model_validate(json.loads(found.model_dump_json(by_alias=True)))
        assert recompute(again) == (found.verdict, found.reason)
        assert differences(again) == ()


def test_limits_that_hold_do_not_stand_in_the_way() -> None:
    found = look(
        export_failures=0.001, dropped_points=0.001, scrape_duration=2, series=1000, points=4000, bytes=9000,
        cost=1e6, coverage=0.9,
    )  # fmt: skip
    assert found.verdict == "promote"
    assert {one.state for one in found.kpis if one.role == "guardrail"} == {"ok"}
    assert differences(found) == ()


def test_a_limit_that_is_touched_holds_back_unless_it_only_warns() -> None:
    def series(i: int) -> tuple[int, int, int]:
        return 7000, 7000, 700 + (200 if i // 5 % 2 else -200)

    counts = scrapes(0, 40, series=series)
    held = look(counts=counts, series=690.0)
    assert (held.verdict, held.reason) == (None, "guardrail_near_limit")
    assert row(held, "series").state == "touching"
    assert look(counts=counts, series=690.0, severities={"series": "warn"}).verdict == "promote"


def test_a_limit_of_nothing_is_exact() -> None:
    assert look(export_failures=0).verdict == "promote"
    one = samples()
    lost = one[-1].exporters["otlp_http/candidate"].model_copy(update={"failed_points": 1})
    one[-1] = one[-1].model_copy(update={"exporters": {**one[-1].exporters, "otlp_http/candidate": lost}})
    assert look(one, export_failures=0).reason == "export_failures"
    assert look(one, export_failures=0.01).verdict is None, "rare and bursty: neither within nor beyond"


def test_a_guardrail_on_coverage_is_counted_per_host() -> None:
    counts = scrapes(0, 20) + scrapes(24, 40)
    found = look(counts=counts, coverage=0.95)
    assert found.reason == "coverage_limit"
    assert row(found, "coverage").hosts == ("node-01",)
    early = evaluate(plan_of(coverage=0.95), scrapes(3, 8), [], at(122), last=False)
    assert row(early, "coverage").state == "unmeasured"


def test_every_criterion_must_pass_and_the_missing_one_is_named() -> None:
    all_pass = look(bytes_reduction=0.5, points_reduction=0.5, cost_reduction=0.3)
    assert all_pass.verdict == "promote"
    assert "Bytes reduction 90.0 %" in all_pass.explanation
    assert "Cost reduction" in all_pass.explanation
    short = look(bytes_reduction=0.95)
    assert (short.verdict, short.reason) == ("reject", "not_worth_it")
    assert "Bytes reduction 90.0 % [89.5, 90.5] stays below the target of 95.0 %" in short.explanation
    assert "Series reduction" not in short.explanation
    assert "success.bytesReduction" in short.hint
    for found in (all_pass, short):
        assert differences(found) == ()


def test_bytes_that_nobody_reported_hold_back_a_promotion() -> None:
    found = look([], bytes_reduction=0.5)
    assert (found.verdict, found.reason) == (None, "criterion_unmeasured")
    assert "bytesReduction" in found.waiting_for[0]
    assert look([], bytes_reduction=0.5, last=True).verdict == "insufficient_data"


def test_cost_alone_can_be_the_criterion() -> None:
    found = look(target=None, cost_reduction=0.3)
    assert found.verdict == "promote"
    assert found.reduction.target is None
    assert row(found, "costReduction").value == pytest.approx(0.9)
    assert "seriesReduction" not in {one.kpi for one in found.kpis}
    assert found.evidence.price_book == price_book("example-2026")


def test_a_changed_limit_in_the_evidence_is_found() -> None:
    document = look(series=1000).model_dump(mode="json", by_alias=True)
    document["evidence"]["limits"]["series"] = 500
    assert "/judged/0/limit" in {one.pointer for one in differences(Evaluation.model_validate(document))}
    document["evidence"]["limits"]["series"] = None
    assert "/evidence/limits" in {one.pointer for one in differences(Evaluation.model_validate(document))}


def test_an_evaluation_of_before_loads_with_its_digest() -> None:
    document = look(collector_cpu=0.5).model_dump(mode="json", by_alias=True)
    for later in ("kpis", "judged"):
        del document[later]
    del document["overhead"]["bytesSent"]
    for name in ("pointsReduction", "bytesReduction", "costReduction", "series", "points", "bytes", "cost",
                 "exportFailures", "droppedPoints", "coverage", "scrapeDuration", "severities"):  # fmt: skip
        del document["evidence"]["limits"][name]
    del document["evidence"]["priceBook"]
    for host in document["evidence"]["hosts"]:
        del host["scrapeSeconds"]
    for host in document["overhead"]["hosts"]:
        del host["acceptedPoints"]
    del document["overhead"]["guardrails"][0]["why"]
    found = Evaluation.model_validate(document)
    old = found.model_copy(update={"digest": digest(found)})
    assert differences(old) == ()
    assert recompute(old) == (old.verdict, old.reason)
    assert digest(Evaluation.model_validate_json(old.model_dump_json(by_alias=True))) == old.digest


def test_a_counter_that_is_not_reported_or_fell_is_not_measured_and_never_nothing() -> None:
    silent = [one.model_copy(update={"refused_points": None}) for one in samples()]
    found = look(silent, dropped_points=0.01)
    assert (row(found, "droppedPoints").state, found.verdict) == ("unmeasured", None)
    assert row(look(silent), "droppedPoints").value is None

    falling = samples()
    for i, one in enumerate(falling):
        arm = one.exporters["otlp_http/candidate"].model_copy(update={"failed_points": 1000 - i})
        falling[i] = one.model_copy(update={"exporters": {**one.exporters, "otlp_http/candidate": arm}})
    found = look(falling[1:], export_failures=0.01)
    assert row(found, "exportFailures").state != "ok"
    assert found.verdict is None
