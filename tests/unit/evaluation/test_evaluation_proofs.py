"""The proofs that the design asks for: A/A, planted and late harm, missing data, wrong clocks, repeats, restarts."""

from __future__ import annotations

import random

import pytest

from chalicelib.domain.evaluation.evaluation import Evaluation, evaluate, recompute
from chalicelib.domain.evaluation.interval import answer, retention
from chalicelib.domain.measurement import Count
from tests.unit.evaluation.simulated import TEN, WORKER, at, plan_of, sample, scrapes


def looks(counts: list[Count], until: int, **plan: object) -> list[Evaluation]:
    """An evaluation after every scrape, with what had been measured by then, up to the first verdict."""
    found = []
    for second in range(15, until + 1, 15):
        seen = [count for count in counts if count.end_ns <= at(second)]
        found.append(evaluate(plan_of(**plan), seen, [], at(second), last=second == until))  # type: ignore[arg-type]
        if found[-1].verdict:
            break
    return found


def test_a_thousand_runs_of_the_same_pipeline_twice_are_never_promoted_and_differ_by_nothing() -> None:
    for seed in range(1000):
        rng = random.Random(seed)
        levels = [round(7000 * rng.lognormvariate(0, 0.2)) for _ in range(22)]
        counts = scrapes(0, 22, series=lambda i, x=levels: (x[i], x[i], x[i]), critical=TEN[:2])
        found = evaluate(plan_of(), counts, [], at(335), last=True)
        assert (found.verdict, found.reason) == ("reject", "not_worth_it")
        assert found.reduction.value == 0
        assert not found.breach


def test_a_thousand_runs_of_separate_collectors_on_the_same_pipeline_are_never_promoted() -> None:
    for seed in range(1000):
        rng = random.Random(seed)
        a, b = ([7000 * rng.lognormvariate(0, 0.2) for _ in range(60)] for _ in range(2))
        assert all(
            answer(retention(a[:n], b[:n], n / 4), 0.5, n / 4, 5, last=False) != "promote" for n in range(20, 61)
        )


@pytest.mark.parametrize("first", [2, 18, 37])
def test_planted_harm_is_rejected_within_three_scrapes_by_name(first: int) -> None:
    """One critical process of ten, on one host of two, from scrape `first` on; also while all else is too early."""
    counts = scrapes(0, 60, host="node-01", series=(7000, 7000, 3400))
    counts += scrapes(0, 60, host="node-02", series=(7000, 7000, 3400), lost=lambda i: [WORKER] if i >= first else [])
    ended = looks(counts, 900, hosts=("node-01", "node-02"), min_minutes=14)[-1]
    assert (ended.verdict, ended.reason) == ("reject", "critical_missing")
    assert ended.evidence.window.end_ns <= at((first + 3) * 15)
    (miss,) = ended.critical.breaches
    assert (miss.host, miss.name, miss.pids, miss.at_ns[0]) == (
        "node-02",
        "payments-worker",
        (4312,),
        at(first * 15 + 3),
    )
    assert "payments-worker (pid 4312, node-02" in ended.explanation


def test_late_harm_is_found() -> None:
    """A critical process that starts after half the run, and that the candidate never shows."""
    alive = lambda i: TEN if i >= 30 else TEN[:9]  # noqa: E731
    counts = scrapes(0, 60, critical=alive, lost=[WORKER], series=(7000, 7000, 3400))
    ended = looks(counts, 900, min_minutes=14)[-1]
    assert ended.reason == "critical_missing"
    assert at(30 * 15) < ended.evidence.window.end_ns <= at(33 * 15)


@pytest.mark.parametrize("series", [700, 7000])
@pytest.mark.parametrize("silent", [range(0, 20), range(20, 40), range(40, 60)])
def test_a_host_silent_for_a_third_gets_no_verdict_and_exact_accounting(silent: range, series: int) -> None:
    counts = scrapes(0, 60, host="a", series=(7000, 7000, series))
    counts += [
        c for i in range(60) if i not in silent for c in scrapes(i, i + 1, host="b", series=(7000, 7000, series))
    ]
    found = evaluate(plan_of(("a", "b")), counts, [], at(905), last=True)
    assert (found.verdict, found.reason) == ("insufficient_data", "coverage")
    one, two = found.coverage
    assert (one.missing, two.received) == (0, 40)
    assert two.missing == 20
    assert [host.scrapes for host in found.evidence.hosts] == [60, 40]


@pytest.mark.parametrize("shift", [-90.0, 90.0])
def test_a_clock_90_s_off_changes_no_verdict(shift: float) -> None:
    for series, verdict in ((700, "promote"), (7000, "reject")):
        counts = scrapes(-3, 60, shift=shift, series=(7000, 7000, series))
        assert evaluate(plan_of(), counts, [], at(905), last=True).verdict == verdict
    harm = scrapes(-3, 60, shift=shift, lost=lambda i: [WORKER] if i >= 50 else [])
    assert evaluate(plan_of(), harm, [], at(905), last=True).reason == "critical_missing"


def test_repeats_and_disorder_change_nothing() -> None:
    counts = scrapes(-3, 60, series=lambda i: (7000, 7000, 600 + i), lost=lambda i: [WORKER] if i == 30 else [])
    samples = [sample(i * 15, i * 0.3) for i in range(60)]
    wanted = evaluate(plan_of(), counts, samples, at(905), last=False)
    for seed in range(10):
        rng = random.Random(seed)
        shaken = counts + rng.choices(counts, k=len(counts) // 5)
        rng.shuffle(shaken)
        repeated = samples + rng.choices(samples, k=12)
        rng.shuffle(repeated)
        assert evaluate(plan_of(), shaken, repeated, at(905), last=False) == wanted


def test_a_collector_restarted_in_the_middle_costs_a_gap_and_nothing_else() -> None:
    before, after = scrapes(-3, 30), scrapes(0, 29, phase=471)  # last at 438 s, first at 471 s
    samples = [sample(i * 15, 3 + i * 0.3) for i in range(-3, 30)]
    samples += [sample(470 + i * 15, 0.1 + i * 0.3, started=469) for i in range(29)]
    found = evaluate(plan_of(), before + after, samples, at(905), last=True)
    assert found.verdict == "promote"
    assert found.reduction.value == pytest.approx(0.9)
    assert (found.coverage[0].received, found.coverage[0].missing) == (59, 1)
    assert found.overhead.hosts[0].restarts == 1
    assert found.overhead.hosts[0].cpu_share == pytest.approx(0.02, rel=0.02)


def test_a_host_that_goes_away_ends_in_insufficient_data_and_is_never_promoted() -> None:
    ended = looks(scrapes(0, 12), 900)
    assert {found.verdict for found in ended[:-1]} == {None}
    assert (ended[-1].verdict, ended[-1].reason) == ("insufficient_data", "too_few_scrapes")
    assert ended[-1].evidence.window.end_ns == at(900)


def test_a_host_among_many_that_never_comes_blocks_the_promotion() -> None:
    names = tuple(f"node-{i:02}" for i in range(20))
    counts = [c for host in names[1:] for c in scrapes(0, 40, host=host, critical=TEN[:1])]
    found = evaluate(plan_of(names), counts, [], at(605), last=True)
    assert (found.verdict, found.reason) == ("insufficient_data", "coverage")
    assert "node-00" in found.explanation


def test_every_look_is_recomputed_from_its_own_evidence() -> None:
    rng = random.Random(5)
    counts = scrapes(0, 60, series=lambda i: (7000, 7000, rng.randint(2000, 4600)), critical=TEN[:2])
    for found in looks(counts, 900):
        stored = Evaluation.model_validate_json(found.model_dump_json(by_alias=True))
        assert recompute(stored) == (found.verdict, found.reason)
