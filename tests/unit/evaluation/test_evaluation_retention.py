"""Critical retention as an invariant: what is a breach, what is recorded, what was not measured."""

from __future__ import annotations

from chalicelib.domain.evaluation.evaluation import Evaluation, evaluate
from chalicelib.domain.measurement import Count, CriticalProcess, Variant
from tests.unit.evaluation.simulated import NGINX, TEN, WORKER, at, plan_of, scrape, scrapes


def look(counts: list[Count], second: float = 605) -> Evaluation:
    return evaluate(plan_of(), counts, [], at(second), last=False)


def losing(*numbers: int, until: int = 40, **details: object) -> list[Count]:
    """A run whose candidate loses the worker in these scrapes."""
    return scrapes(0, until, lost=lambda i: [WORKER] if i in numbers else [], **details)


def test_two_scrapes_in_a_row_are_a_breach_that_names_everything() -> None:
    found = look(losing(20, 21))
    assert (found.verdict, found.reason, found.breach) == ("reject", "critical_missing", True)
    (miss,) = found.critical.breaches
    assert (miss.host, miss.pattern, miss.name, miss.pids) == ("node-01", "payments", "payments-worker", (4312,))
    assert miss.at_ns == (at(303), at(318))
    assert "payments-worker (pid 4312, node-01" in found.explanation
    assert "present in raw and baseline" in found.explanation
    assert "process-topk-v1" in found.hint


def test_a_single_miss_is_recorded_and_not_a_breach() -> None:
    found = look(losing(20))
    assert found.critical.breaches == ()
    (miss,) = found.critical.unconfirmed
    assert (miss.scrapes, miss.confirmed, miss.pending) == (1, False, False)
    assert found.verdict == "promote"
    assert "399 of 400" in found.explanation


def test_a_miss_in_the_newest_scrape_holds_a_promotion() -> None:
    found = look(losing(39))
    assert (found.verdict, found.reason) == (None, "critical_unconfirmed")
    assert "payments-worker" in found.waiting_for[0]
    assert look(losing(39, until=41), 620).verdict == "promote"
    assert look(losing(39, 40, until=41), 620).verdict == "reject"


def test_a_process_that_ends_after_a_miss_is_no_breach() -> None:
    alive = lambda i: TEN if i <= 20 else TEN[:9]  # noqa: E731
    found = look(scrapes(0, 40, critical=alive, lost=lambda i: [WORKER] if i == 20 else []))
    assert found.critical.breaches == ()
    assert len(found.critical.unconfirmed) == 1


def test_a_scrape_that_was_not_measured_does_not_clear_a_miss() -> None:
    absent = lambda i: [Variant.CANDIDATE] if i == 21 else []  # noqa: E731
    assert look(losing(20, 22, absent=absent)).reason == "critical_missing"


def test_three_misses_apart_are_a_breach_too() -> None:
    assert look(losing(20, 22)).critical.breaches == ()
    assert look(losing(20, 22, 24)).reason == "critical_missing"


def test_a_process_that_restarts_at_every_scrape_is_followed_by_name() -> None:
    def worker(i: int) -> CriticalProcess:
        return CriticalProcess(pattern="payments", name="payments-worker", pid=5000 + i)

    found = look(scrapes(0, 40, critical=lambda i: [NGINX, worker(i)], lost=lambda i: [worker(i)] if i >= 38 else []))
    assert found.reason == "critical_missing"
    assert found.critical.breaches[0].pids == (5038, 5039)


def test_a_loss_in_the_baseline_is_reported_and_rejects_nobody() -> None:
    found = look(scrapes(0, 40, baseline_lost=[WORKER]))
    assert found.verdict == "promote"
    assert found.critical.baseline_breaches[0].name == "payments-worker"
    assert "The baseline itself loses critical processes" in found.explanation


def test_a_loss_in_both_arms_rejects_the_candidate_and_says_both() -> None:
    found = look(scrapes(0, 40, baseline_lost=[WORKER], lost=[WORKER]))
    assert found.reason == "critical_missing"
    assert "missing from baseline too" in found.explanation


def test_the_table_counts_each_process_in_each_stream() -> None:
    found = look(losing(20))
    worst = found.critical.processes[0]
    assert (worst.name, worst.raw, worst.baseline, worst.candidate) == ("payments-worker", 40, 40, 39)
    assert (worst.baseline_retention, worst.candidate_retention) == (1.0, 39 / 40)
    assert {p.candidate_retention for p in found.critical.processes[1:]} == {1.0}
    nginx, payments = found.critical.patterns
    assert (nginx.processes, nginx.raw, nginx.candidate_retention) == (9, 360, 1.0)
    assert (payments.processes, payments.candidate) == (1, 39)


def test_what_only_an_arm_has_is_no_retention() -> None:
    counts = scrapes(0, 40)
    thin = [c.model_copy(update={"critical": c.critical[:5]}) if c.variant is Variant.RAW else c for c in counts]
    assert {row.candidate_retention for row in look(thin).critical.patterns} <= {1.0, None}


def test_a_pattern_that_matched_nothing_has_no_retention() -> None:
    found = look(scrapes(0, 40, critical=TEN[:9]))
    payments = found.critical.patterns[1]
    assert (payments.seen, payments.baseline_retention, payments.candidate_retention) == (False, None, None)
    assert "Not seen, so its retention is not measured: payments." in found.explanation


def test_nothing_is_promoted_when_no_critical_process_was_ever_seen() -> None:
    counts = scrapes(0, 40, critical=())
    assert look(counts).reason == "no_critical_seen"
    assert evaluate(plan_of(), counts, [], at(605), last=True).verdict == "insufficient_data"


def test_names_from_hosts_are_made_safe_to_show() -> None:
    nasty = CriticalProcess(pattern="nginx", name="\x1b[31mevil\n" + "x" * 200, pid=7)
    found = look(scrapes(0, 40, critical=[*TEN, nasty], lost=[nasty]))
    assert "\x1b" not in found.explanation
    assert "\n" not in found.explanation
    assert "x" * 65 not in found.explanation


def test_tables_are_bounded_and_keep_the_worst() -> None:
    many = [CriticalProcess(pattern="nginx", name="nginx", pid=i) for i in range(300)]
    found = look([c for i in range(3) for c in scrape(i * 15 + 3, critical=many, lost=[many[250]])], 60)
    assert len(found.critical.processes) == 200
    assert found.critical.processes_total == 300
    assert found.critical.processes[0].pid == 250
    assert found.critical.patterns[0].raw == 900
