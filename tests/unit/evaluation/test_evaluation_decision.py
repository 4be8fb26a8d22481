"""The decision: its order, its verdicts, its words, and that stored evidence gives the same verdict."""

from __future__ import annotations

import random

import pytest

from chalicelib.domain.errors import InvalidInput
from chalicelib.domain.evaluation.evaluation import Evaluation, evaluate, recompute
from chalicelib.domain.evaluation.plan import ConfigProof, plan_for
from chalicelib.domain.experiment.spec import ExperimentSpec
from chalicelib.domain.measurement import Count, Variant
from chalicelib.domain.pricebooks import price_book
from tests.unit.evaluation.simulated import WORKER, at, plan_of, sample, scrapes


def look(
    counts: list[Count], second: float = 605, *, last: bool = False, problems: dict | None = None, **plan: object
) -> Evaluation:
    samples = [sample(i * 15, i * 15 * 0.09) for i in range(41)]
    return evaluate(plan_of(**plan), counts, samples, at(second), last=last, host_problems=problems)  # type: ignore[arg-type]


def noisy(i: int) -> tuple[int, int, int]:
    return 7000, 7000, random.Random(i).randint(2600, 4000)


def test_the_order_of_the_rules() -> None:
    """Each line has all the faults of the lines below it."""
    silent = {"absent": lambda i: [Variant.CANDIDATE] if i >= 37 else []}
    harm, costly, dull = {"lost": [WORKER]}, {"collector_cpu": 0.02}, {"series": (7000, 7000, 6900)}
    problems = {"node-01": "exited with code 1"}
    assert look(scrapes(0, 40, **silent, **harm, **dull), problems=problems, **costly).reason == "cannot_measure"
    assert look(scrapes(0, 40, **harm, **dull), problems=problems, **costly).reason == "collector_problem"
    assert look(scrapes(0, 40, **harm, **dull), **costly).reason == "critical_missing"
    assert look(scrapes(0, 40, **dull), **costly).reason == "collector_cpu"
    assert look(scrapes(0, 40, **dull), min_minutes=11).reason == "min_duration"
    assert look(scrapes(0, 40, **dull)).reason == "not_worth_it"


def test_an_arm_that_stops_to_report_is_an_error_that_says_since_when() -> None:
    absent = lambda i: [Variant.CANDIDATE] if i >= 20 else []  # noqa: E731
    grace = look(scrapes(0, 22, absent=absent), 335)
    assert (grace.verdict, grace.reason) == (None, "stream_silent")
    assert grace.waiting_for[0].startswith("all streams of node-01, which does not report the candidate stream")
    found = look(scrapes(0, 23, absent=absent), 350)
    assert (found.verdict, found.reason, found.breach) == ("error", "cannot_measure", False)
    assert "does not report the candidate stream since" in found.explanation
    assert found.evidence.cannot_measure[0].since_ns == at(303)


def test_an_arm_that_never_reported_is_an_error_too() -> None:
    assert look(scrapes(0, 10, absent=[Variant.BASELINE]), 155).reason == "cannot_measure"


def test_a_collector_problem_rejects_with_its_own_words_on_one_line() -> None:
    found = look(scrapes(0, 40), problems={"node-01": "exited with code 1:\nbad config"})
    assert (found.verdict, found.breach) == ("reject", True)
    assert "node-01: exited with code 1: bad config" in found.explanation


def test_while_it_runs_it_says_what_it_waits_for() -> None:
    early = look(scrapes(0, 5), 80)
    assert (early.verdict, early.reason, early.reduction.too_early) == (None, "too_few_scrapes", True)
    assert early.reduction.value == pytest.approx(0.9)
    assert (early.reduction.low, early.reduction.high) == (None, None)
    assert early.waiting_for == (
        "16 complete scrapes: 5 so far, about 2m45s more",
        "the minimum duration: 1m15s of 5m measured, about 3m45s more",
    )
    assert early.explanation.startswith("Too early for an interval: series reduction 90.0 % so far")


def test_undecided_says_how_much_longer_from_ten_minutes_on() -> None:
    found = look(scrapes(0, 60, series=noisy), 905)
    assert (found.verdict, found.reason) == (None, "undecided")
    assert found.minutes_left is not None
    assert found.minutes_left.low < found.minutes_left.about < found.minutes_left.high
    assert "more minutes" in found.waiting_for[0]
    assert look(scrapes(0, 30, series=noisy), 455).minutes_left is None


def test_the_deadline_ends_in_inconclusive_with_what_it_would_take() -> None:
    found = look(scrapes(0, 60, series=noisy), 905, last=True)
    assert (found.verdict, found.reason, found.waiting_for) == ("inconclusive", "deadline", ())
    assert "It would probably take about" in found.explanation
    assert "hosts like these" in found.explanation


def test_too_close_to_the_target_is_said_to_be_undecidable() -> None:
    found = look(scrapes(0, 60, series=(7000, 7000, 3500)), 905, last=True)
    assert found.verdict == "inconclusive"
    assert "not decidable here" in found.explanation


@pytest.mark.parametrize(
    ("counts", "reason"),
    [(scrapes(0, 10), "too_few_scrapes"), (scrapes(0, 18), "min_duration"), (scrapes(0, 30), "coverage")],
)
def test_too_little_at_the_deadline_is_insufficient(counts: list[Count], reason: str) -> None:
    found = look(counts, last=True)
    assert (found.verdict, found.reason) == ("insufficient_data", reason)
    assert "still missing" in found.explanation


def test_coverage_is_asked_of_every_host() -> None:
    counts = [c for host in ("a", "b", "c") for c in scrapes(0, 40 if host != "c" else 30, host=host)]
    found = look(counts, hosts=("a", "b", "c"))
    assert (found.verdict, found.reason) == (None, "coverage")
    assert found.waiting_for == ("coverage of c: 30 of 40 due scrapes, 90.0 % needed",)
    assert "phoenix host show c" in found.hint


def test_a_claim_about_other_hosts_needs_three() -> None:
    two = [c for host in ("a", "b") for c in scrapes(0, 40, host=host)]
    assert look(two, hosts=("a", "b"), claim="hosts-like-these").reason == "too_few_hosts"
    three = two + scrapes(0, 40, host="c")
    assert look(three, hosts=("a", "b", "c"), claim="hosts-like-these").verdict == "promote"


def test_hosts_that_differ_decide_for_themselves_and_not_for_others() -> None:
    levels = {"a": 300, "b": 2400, "c": 5000}
    counts = [c for host, b in levels.items() for c in scrapes(0, 40, host=host, series=(7000, 7000, b))]
    assert look(counts, hosts=("a", "b", "c"), target=0.6).verdict == "promote"
    open_ = look(counts, hosts=("a", "b", "c"), target=0.6, claim="hosts-like-these")
    assert (open_.reason, open_.minutes_left) == ("undecided", None)
    assert "more hosts, not more minutes" in open_.waiting_for[0]
    ended = look(counts, hosts=("a", "b", "c"), target=0.6, claim="hosts-like-these", last=True)
    assert ended.verdict == "inconclusive"
    assert "hosts like these" in ended.explanation
    assert "more minutes" not in ended.explanation


def test_promotion_explains_itself_and_its_money() -> None:
    found = look(scrapes(0, 40, series=lambda i: (7000, 7000, 690 + i % 20)))
    assert (found.verdict, found.reason, found.waiting_for) == ("promote", "target_reached", ())
    assert "1 host, 10.0 minutes, 40 paired scrapes" in found.explanation
    assert "Every critical process was present in every scrape (400 of 400)." in found.explanation
    cost = found.cost
    assert cost is not None
    assert cost.saved_low is not None
    assert cost.saved_high is not None
    assert cost.saved_per_month == pytest.approx((7000 - 699.5) * 0.06)
    assert cost.saved_low < cost.saved_per_month < cost.saved_high
    assert "example" in cost.assumptions[0]


def test_json_is_camel_case_compact_and_gives_the_same_evaluation() -> None:
    hour = scrapes(0, 720, interval=5, phase=1, series=lambda i: (7000 + i % 97, 7000 + i % 97, 700 + i % 13))
    found = look(hour, 3600, interval_s=5)
    text = found.model_dump_json(by_alias=True)
    assert len(text) < 300_000
    assert '"waitingFor"' in text
    assert Evaluation.model_validate_json(text) == found


def test_many_rows_are_thinned_and_the_verdict_needs_none() -> None:
    found = look(scrapes(0, 2500, interval=1, phase=0.3), 2501, interval_s=1)
    rows = found.evidence.rows
    assert (rows.scrapes_per_row, len(rows.raw)) == (3, 834)
    bare = found.model_copy(update={"evidence": found.evidence.model_copy(update={"rows": type(rows)()})})
    assert recompute(bare) == (found.verdict, found.reason)


def test_recomputing_reads_the_sums_and_not_the_conclusion() -> None:
    found = look(scrapes(0, 40))
    forged = [batch.model_copy(update={"b": batch.a}) for batch in found.evidence.batches]
    evidence = found.evidence.model_copy(update={"batches": tuple(forged)})
    assert recompute(found.model_copy(update={"evidence": evidence})) == ("reject", "not_worth_it")


def test_a_plan_follows_the_spec() -> None:
    spec = ExperimentSpec.model_validate(
        {
            "baseline": {"pipeline": "process-baseline-v1"},
            "candidate": {"pipeline": "process-topk-v1", "parameters": {"k": 20}},
            "targets": {"hosts": ["node-01"]},
            "critical": [{"id": "web", "name": "^nginx$"}],
            "claim": "these-hosts",
            "schedule": {"minDuration": "2m", "maxDuration": "10m"},
            "guardrails": {"collectorCpu": {"atMost": "5%"}, "collectorMemory": {"atMost": "150MiB"}},
        }
    )
    proof = ConfigProof(host="node-01", config_hash="h", marker="m")
    plan = plan_for(
        spec, scope="u", name="n", hosts=("node-01",), window_start_ns=1, deployed_ns=0, configs=(proof,), spec_hash="s"
    )
    limits = plan.limits
    assert (limits.min_minutes, limits.max_minutes, limits.target) == (2, 10, 0.5)
    assert (limits.collector_cpu, limits.collector_memory) == (0.05, 150 * 1024**2)
    assert (plan.critical, plan.candidate.title) == (("web",), "process-topk-v1 (k=20)")
    assert plan.markers("node-01") == {"m"}
    assert plan.markers("elsewhere") == set()


def test_a_claim_about_other_hosts_with_fewer_than_three_is_refused_at_once() -> None:
    document = {
        "baseline": {"pipeline": "process-baseline-v1"},
        "candidate": {"pipeline": "process-topk-v1"},
        "targets": {"hosts": ["a", "b"]},
        "critical": [{"id": "web", "name": "^nginx$"}],
        "claim": "hosts-like-these",
    }
    with pytest.raises(ValueError, match="needs 3 hosts at least"):
        ExperimentSpec.model_validate(document)
    spec = ExperimentSpec.model_validate({**document, "targets": {"hosts": ["a", "b", "c"]}})
    plan = plan_for(
        spec, scope="u", name="n", hosts=("a", "b", "c"), window_start_ns=1, deployed_ns=0, configs=(), spec_hash="s"
    )
    assert plan.limits.claim == "hosts-like-these"


def test_a_price_book_that_does_not_exist_is_refused_by_name() -> None:
    with pytest.raises(InvalidInput) as refused:
        price_book("acme")
    assert "example-2026" in refused.value.problems[0].fix
