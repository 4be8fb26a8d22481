"""Dedicated mode: two collectors a host that scrape at different moments, each arm held to its own raw stream."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Any

import pytest

from chalicelib.domain.evaluation.evaluation import Evaluation, evaluate, evaluate_gathered, gather, seal_gathered
from chalicelib.domain.evaluation.plan import ConfigProof, EvaluationPlan
from chalicelib.domain.evaluation.result.result import Reason, Verdict
from chalicelib.domain.evaluation.scrapes.clusters import Cluster, Reading
from chalicelib.domain.evaluation.scrapes.collectors import Collector
from chalicelib.domain.evaluation.scrapes.numbering import Clock, paired, slots_of
from chalicelib.domain.evaluation.verdict.verification import differences
from chalicelib.domain.measurement import CollectorSample, Count, CriticalProcess, ExporterCounters, Variant
from tests.unit.evaluation.simulated import DEPLOYED, TEN, WORKER, S, at, plan_of

MARKS = {Variant.BASELINE: "marker-b", Variant.CANDIDATE: "marker-c"}
OWN = {Variant.BASELINE: (Variant.RAW, Variant.BASELINE), Variant.CANDIDATE: (Variant.CANDIDATE_RAW, Variant.CANDIDATE)}
PHASE = {Variant.BASELINE: 3.0, Variant.CANDIDATE: 11.5}
FLEETING = CriticalProcess(pattern="nginx", name="nginx", pid=999)


def dedicated(hosts: tuple[str, ...] = ("node-01",), **changes: Any) -> EvaluationPlan:
    proofs = tuple(
        ConfigProof(host=host, config_hash="c0ffee", marker=mark, read_back_ns=DEPLOYED, arm=arm)
        for host in hosts
        for arm, mark in MARKS.items()
    )
    return plan_of(hosts, mode="dedicated", configs=proofs, **changes)


def one(
    arm: Variant,
    second: float,
    series: tuple[int, int],
    critical: Iterable[CriticalProcess] = TEN,
    lost: Iterable[CriticalProcess] = (),
    marker: str = "",
) -> list[Count]:
    """One scrape of one arm's collector: its raw stream and its output."""
    alive = tuple(critical)
    kept = (alive, tuple(process for process in alive if process not in lost))
    return [
        Count(
            scope="exp-1",
            host="node-01",
            variant=variant,
            start_ns=at(second - 0.2),
            end_ns=at(second - 0.02 * i),
            series=amount,
            critical=processes,
            marker=marker or MARKS[arm],
        )
        for i, (variant, amount, processes) in enumerate(zip(OWN[arm], series, kept, strict=True))
    ]


def side(arm: Variant, scrapes: Iterable[int], output: int, **details: Any) -> list[Count]:
    return [
        count for i in scrapes for count in one(arm, 15 * i + PHASE[arm], (7000, output), **_own(details, i))
    ]  # fmt: skip


def _own(details: dict[str, Any], i: int) -> dict[str, Any]:
    return {key: value(i) if callable(value) else value for key, value in details.items()}


def both(count: int, candidate: int = 700, **details: Any) -> list[Count]:
    return side(Variant.BASELINE, range(count), 7000) + side(Variant.CANDIDATE, range(count), candidate, **details)


def own_counters(
    arm: Variant, share: float, rss: float, count: int = 40, *, seed: int = 1, started: float = -60
) -> list[CollectorSample]:
    """Counters every 15 s, at the arm's own moments, with a little noise."""
    rng, cpu, out = random.Random(seed), 0.5, []
    for i in range(count):
        cpu += share * 15 * rng.uniform(0.97, 1.03)
        out.append(
            CollectorSample(
                scope="exp-1",
                host="node-01",
                time_ns=at(15 * i + PHASE[arm] + 1),
                start_ns=at(started),
                cpu_seconds=cpu,
                rss_bytes=round(rss * rng.uniform(0.99, 1.01) * 1024**2),
                exporters={"otlp_http/control": ExporterCounters(sent_points=i * 10, sent_bytes=i * 1000)},
                marker=MARKS[arm],
            )
        )
    return out


def look(
    counts: Iterable[Count], samples: Iterable[CollectorSample] = (), second: float = 602, **changes: Any
) -> Evaluation:
    found = evaluate(dedicated(**changes), counts, samples, at(second), last=changes.pop("last", False))
    assert differences(found) == ()
    return found


def test_pairs_of_two_collectors_make_the_verdict() -> None:
    found = look(both(40))
    assert (found.verdict, found.reason) == (Verdict.PROMOTE, Reason.TARGET_REACHED)
    assert found.evidence.mode == "dedicated"
    assert found.evidence.scrapes == found.coverage[0].received == found.coverage[0].due
    assert found.reduction.value == pytest.approx(0.9)
    (host,) = found.evidence.hosts
    assert host.raw == host.candidate_raw == 7000 * host.scrapes
    assert Evaluation.model_validate_json(found.model_dump_json(by_alias=True)) == found


def test_a_process_between_two_scrapes_is_no_miss_and_one_that_its_own_raw_had_is() -> None:
    def also(i: int) -> tuple[CriticalProcess, ...]:
        return (*TEN, FLEETING) if i % 2 else TEN

    counts = side(Variant.BASELINE, range(40), 7000, critical=also) + side(Variant.CANDIDATE, range(40), 700)
    found = look(counts)
    assert found.verdict is Verdict.PROMOTE
    assert found.critical.breaches == found.critical.unconfirmed == ()
    row = next(row for row in found.critical.processes if row.pid == FLEETING.pid)
    assert row.raw > 0
    assert (row.candidate_raw, row.candidate_retention) == (0, None)

    harm = look(both(40, lost=lambda i: (WORKER,) if i in (20, 21) else ()))
    assert harm.reason is Reason.CRITICAL_MISSING
    assert [miss.name for miss in harm.critical.breaches] == [WORKER.name]
    assert harm.critical.patterns[1].candidate_due > harm.critical.patterns[1].candidate


def test_counts_of_the_other_arms_configuration_are_no_evidence() -> None:
    counts = both(40) + [c for i in range(40) for c in one(Variant.CANDIDATE, 15 * i + 5, (1, 1), marker="marker-b")]
    found = look(counts)
    assert [(drop.reason, drop.count) for drop in found.evidence.dropped if drop.reason == "unexpected_config"] == [
        ("unexpected_config", 80)
    ]
    assert found.reduction.value == pytest.approx(0.9)


def test_a_second_collector_that_falls_silent_is_an_error_and_never_a_saving() -> None:
    counts = side(Variant.BASELINE, range(40), 7000) + side(Variant.CANDIDATE, range(34), 700)
    found = look(counts)
    assert found.reason is Reason.CANNOT_MEASURE
    assert {gap.variant for gap in found.evidence.cannot_measure} == {Variant.CANDIDATE, Variant.CANDIDATE_RAW}


def test_the_newest_interval_waits_for_the_other_collector() -> None:
    """At 602 s the baseline's scrape of 588 + 15 s is not there; at 596 s the candidate's of 581.5 + 15 s is not."""
    early = look(both(40), second=15 * 39 + 5)
    assert early.coverage[0].missing == 0
    assert early.evidence.scrapes == 38
    assert "newest" in {drop.reason for drop in early.evidence.dropped}


def test_a_restart_moves_a_collectors_rhythm_and_nothing_else() -> None:
    before = side(Variant.CANDIDATE, range(20), 700)
    after = [c for i in range(20, 40) for c in one(Variant.CANDIDATE, 15 * i + 6.2, (7000, 700))]
    restarted = [
        sample.model_copy(update={"start_ns": at(302)}) for sample in own_counters(Variant.CANDIDATE, 0.02, 80)
    ]
    samples = [s for s in own_counters(Variant.CANDIDATE, 0.02, 80) if s.time_ns < at(302)]
    samples += [s for s in restarted if s.time_ns > at(302)]
    found = look(side(Variant.BASELINE, range(40), 7000) + before + after, samples)
    assert found.coverage[0].missing <= 1
    assert found.verdict is Verdict.PROMOTE


def test_each_arm_has_its_own_cost_and_limits_hold_for_the_candidate() -> None:
    samples = own_counters(Variant.BASELINE, 0.02, 60) + own_counters(Variant.CANDIDATE, 0.05, 90, seed=2)
    found = look(both(40), samples, collector_cpu=0.03, collector_memory=200 * 1024**2)
    assert found.reason is Reason.COLLECTOR_CPU
    assert [(host.arm, round(host.cpu_share or 0, 2)) for host in found.overhead.hosts] == [
        (Variant.BASELINE, 0.02),
        (Variant.CANDIDATE, 0.05),
    ]
    cpu, memory = found.overhead.ratios
    assert cpu.value == pytest.approx(2.5, rel=0.03)
    assert memory.value == pytest.approx(1.5, rel=0.02)
    assert (cpu.low or 9) < 2.5 < (cpu.high or 0)
    measuring = found.overhead.measuring
    assert measuring is not None
    assert measuring.cpu_share == pytest.approx(0.05, rel=0.03)
    assert measuring.sent_bytes == 2 * 39_000
    swapped = own_counters(Variant.BASELINE, 0.05, 60) + own_counters(Variant.CANDIDATE, 0.02, 90, seed=2)
    assert look(both(40), swapped, collector_cpu=0.03).verdict is Verdict.PROMOTE


def test_a_forged_ratio_is_found() -> None:
    samples = own_counters(Variant.BASELINE, 0.02, 60) + own_counters(Variant.CANDIDATE, 0.05, 90)
    found = look(both(40), samples)
    document = found.model_dump(mode="json", by_alias=True)
    document["overhead"]["ratios"][0]["value"] = 0.5
    pointers = [one.pointer for one in differences(Evaluation.model_validate(document))]
    assert "/overhead/ratios/0/value" in pointers


def test_sealed_history_gives_the_same_evaluation() -> None:
    counts = both(200) + [c for i in range(0, 200, 7) for c in one(Variant.CANDIDATE, 15 * i + 14, (5, 5))]
    samples = own_counters(Variant.BASELINE, 0.02, 60, 200) + own_counters(Variant.CANDIDATE, 0.03, 60, 200)
    plan, now = dedicated(), at(15 * 200)
    whole = evaluate(plan, counts, samples, now, last=False)
    then = at(15 * 120)
    first = gather(plan, [c for c in counts if c.end_ns <= then], [s for s in samples if s.time_ns <= then], {})
    sealed = seal_gathered(plan, first, then)
    line = sealed["node-01"].sealed_ns
    assert len(sealed["node-01"].clusters) > 150
    rest = gather(plan, [c for c in counts if c.end_ns > line], [s for s in samples if s.time_ns > line], sealed)
    assert evaluate_gathered(plan, rest, now, last=False).digest == whole.digest


def test_the_same_pipeline_twice_is_never_promoted() -> None:
    """A/A with separate collectors: independent noise in each arm, a look at every scrape of ten minutes."""
    for seed in range(60):
        rng = random.Random(seed)
        counts = [
            count
            for arm in OWN
            for i in range(40)
            for count in one(
                arm, 15 * i + PHASE[arm] + rng.uniform(-0.5, 0.5), (8000, round(7000 * rng.uniform(0.8, 1.25)))
            )
        ]
        for second in (302, 452, 602):
            found = look([c for c in counts if c.end_ns <= at(second)], second=second, target=0.5)
            assert found.verdict is not Verdict.PROMOTE
        assert abs(found.reduction.value or 0) < 0.2


def test_numbers_follow_the_clock_however_late_single_scrapes_are() -> None:
    late = [3, 18, 39, 48, 63]
    assert slots_of([t * S for t in late], [], 0, 15 * S) == [0, 1, 2, 3, 4]
    assert slots_of([t * S for t in (3, 18, 40, 55)], [30 * S], 0, 15 * S) == [0, 1, 2, 3]


def test_two_scrapes_in_one_interval_are_one_and_the_other_is_listed() -> None:
    clusters = [
        Cluster(at * S, at * S, {stream: Reading(1, frozenset())}, True)
        for at, stream in ((3, Variant.RAW), (8, Variant.CANDIDATE_RAW), (9, Variant.RAW), (18, Variant.RAW))
    ]
    collectors = [Collector(arm, OWN[arm], frozenset()) for arm in OWN]
    streams = (*OWN[Variant.BASELINE], *OWN[Variant.CANDIDATE])
    found = paired(clusters, collectors, [[], []], Clock(0, 0, 100 * S, 15 * S, False, streams))
    assert [scrape.slot for scrape in found.scrapes] == [0, 1]
    assert found.surplus == (9 * S,)
