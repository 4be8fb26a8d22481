"""A canary's evaluation from counts to verdict: what is promoted, rejected, waited for, and kept as evidence."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chalicelib.domain.canary.before import HostBefore
from chalicelib.domain.evaluation.evaluation import Evaluation, evaluate, recompute
from chalicelib.domain.evaluation.plan import EvaluationPlan
from chalicelib.domain.evaluation.result.result import Reason, Verdict
from chalicelib.domain.evaluation.verdict.verification import differences
from chalicelib.domain.measurement import Count, Variant
from tests.unit.canary.made import canary_of, counts_of, lot, names, noisy, plan_for_canary
from tests.unit.evaluation.simulated import WORKER, at

SIZE = {host: 1000.0 * (number + 1) for number, host in enumerate(names(8))}
CANARY = canary_of(lot(names(8)), SIZE.__getitem__)
CANDIDATES = set(CANARY.assignment.of(Variant.CANDIDATE))


def look(counts: list[Count], minutes: float, plan: EvaluationPlan | None = None, *, last: bool = False) -> Evaluation:
    found = evaluate(plan or plan_for_canary(CANARY), counts, (), at(minutes * 60 + 15), last=last)
    assert differences(found) == ()
    assert recompute(found) == (found.verdict, found.reason)
    return found


def series(kept: float, seed: int = 1, grown: float = 1.0, sd: float = 0.05) -> Callable[[str, int], float]:
    factor = noisy(seed, sd)
    return lambda host, number: SIZE[host] * grown * factor(host, number) * (kept if host in CANDIDATES else 1)


def test_a_lean_candidate_is_promoted_and_growth_of_all_hosts_is_not_its_doing() -> None:
    found = look(counts_of(CANARY, 40, series(0.1, grown=1.5)), 10)
    assert (found.verdict, found.reason) == (Verdict.PROMOTE, Reason.TARGET_REACHED)
    assert found.reduction.value == pytest.approx(0.9, abs=0.01)
    assert "8 hosts, 4 on the candidate and 4 on the baseline" in found.explanation
    assert found.series.mean is not None
    expected = 1.5 * sum(SIZE[host] for host in CANDIDATES)
    assert found.series.mean.baseline == pytest.approx(expected, rel=0.05)
    assert found.cost is not None
    assert found.cost.hosts == 4


def test_the_same_pipeline_on_both_arms_is_never_promoted() -> None:
    for seed in range(12):
        counts = counts_of(CANARY, 60, series(1.0, seed, sd=0.2))
        for minutes in (5, 10, 15):
            upto = [count for count in counts if count.end_ns <= at(minutes * 60 + 15)]
            assert look(upto, minutes).verdict is not Verdict.PROMOTE


def test_a_critical_process_lost_on_one_candidate_host_rejects_after_two_scrapes_and_names_it() -> None:
    victim = sorted(CANDIDATES)[0]
    counts = counts_of(CANARY, 6, series(0.1), lambda host, number: (WORKER,) if host == victim and number > 2 else ())
    two = [count for count in counts if count.end_ns < at(5 * 15)]
    found = look(two, 4 * 15 / 60 + 0.25)
    assert (found.verdict, found.reason) == (Verdict.REJECT, Reason.CRITICAL_MISSING)
    assert f"payments-worker (pid 4312, {victim}" in found.explanation
    assert {miss.host for miss in found.critical.breaches} == {victim}


def test_a_loss_on_a_host_of_the_baseline_is_reported_and_no_mark_against_the_candidate() -> None:
    victim = sorted(set(SIZE) - CANDIDATES)[0]
    counts = counts_of(CANARY, 40, series(0.1), lambda host, number: (WORKER,) if host == victim else ())
    found = look(counts, 10)
    assert found.verdict is Verdict.PROMOTE
    assert {miss.host for miss in found.critical.baseline_breaches} == {victim}
    payments = next(row for row in found.critical.patterns if row.pattern == "payments")
    assert (payments.candidate, payments.raw, payments.candidate_retention) == (160, 160, 1.0)
    assert (payments.baseline, payments.baseline_raw, payments.baseline_retention) == (120, 160, 0.75)


def test_an_arm_with_too_few_measured_hosts_waits_and_then_says_so() -> None:
    silent = sorted(CANDIDATES)[:2]
    counts = [count for count in counts_of(CANARY, 40, series(0.1)) if count.host not in silent]
    waiting = look(counts, 10)
    assert (waiting.verdict, waiting.reason) == (None, Reason.TOO_FEW_HOSTS)
    assert "3 measured hosts of each arm" in waiting.waiting_for
    assert look(counts, 10, last=True).verdict is Verdict.INSUFFICIENT_DATA


def test_a_host_that_is_missing_for_a_while_does_not_move_the_estimate() -> None:
    whole = counts_of(CANARY, 40, series(0.1, sd=0.0))
    big = "node-07"
    part = [count for count in whole if not (count.host == big and count.end_ns > at(36 * 15))]
    assert look(part, 10).reduction.value == pytest.approx(look(whole, 10).reduction.value or 0)


def test_counts_of_the_pre_period_are_from_before_and_of_the_wrong_arm_are_not_used() -> None:
    host = sorted(CANDIDATES)[0]
    counts = counts_of(CANARY, 40, series(0.1))
    early = [one.model_copy(update={"marker": "marker-0"}) for one in counts if one.host == host][:2]
    strange = [one.model_copy(update={"marker": "marker-9"}) for one in counts if one.host == host][:4]
    found = look([*counts, *early, *strange], 10)
    reasons = {(one.host, one.reason): one.count for one in found.evidence.dropped}
    assert reasons[host, "before_window"] == 2
    assert reasons[host, "unexpected_config"] == 4


def test_an_arm_that_falls_silent_could_not_be_measured() -> None:
    host = sorted(CANDIDATES)[0]
    counts = [
        one
        for one in counts_of(CANARY, 40, series(0.1))
        if not (one.host == host and one.variant is Variant.CANDIDATE and one.end_ns > at(30 * 15))
    ]
    found = look(counts, 10)
    assert (found.verdict, found.reason) == (Verdict.ERROR, Reason.CANNOT_MEASURE)
    assert [(gap.host, gap.variant) for gap in found.evidence.cannot_measure] == [(host, Variant.CANDIDATE)]


def test_forged_sums_are_found() -> None:
    found = look(counts_of(CANARY, 40, series(0.1)), 10)
    evidence = found.evidence
    first = evidence.hosts[0].model_copy(update={"candidate": 1, "baseline": 1})
    forged = found.model_copy(
        update={"evidence": evidence.model_copy(update={"hosts": (first, *evidence.hosts[1:])})}
    )  # fmt: skip
    assert any(one.pointer.startswith("/evidence/hosts/0") for one in differences(forged))


def test_a_thin_pre_period_is_told_from_a_whole_one() -> None:
    whole = HostBefore(host="a", scrapes=36, due=40, raw=10, series=10)
    assert not whole.thin
    assert whole.model_copy(update={"scrapes": 35}).thin
    assert whole.model_copy(update={"series": 0}).thin
