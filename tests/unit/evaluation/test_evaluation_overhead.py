"""The collector's own cost: counters, restarts, limits with a margin."""

from __future__ import annotations

import random

import pytest

from chalicelib.domain.evaluation.evaluation import Evaluation, evaluate
from chalicelib.domain.measurement import CollectorSample, ExporterCounters
from tests.unit.evaluation.simulated import at, plan_of, sample, scrapes

MIB = 1024**2


def steady(
    share: float, *, noise: float = 0.05, until: int = 41, seed: int = 1, rss: int = 80 * MIB
) -> list[CollectorSample]:
    """A sample every 15 s of a collector that uses `share` of a core."""
    rng, total, found = random.Random(seed), 5.0, []
    for i in range(-1, until):
        total += 15 * share * rng.uniform(1 - noise, 1 + noise)
        found.append(sample(i * 15 + 4, total, rss=rss))
    return found


def look(samples: list[CollectorSample], *, last: bool = False, **limits: object) -> Evaluation:
    return evaluate(plan_of(**limits), scrapes(0, 40), samples, at(605), last=last)


def test_cpu_is_the_growth_of_the_counter_over_time() -> None:
    host = look(steady(0.02, noise=0)).overhead.hosts[0]
    assert host.cpu_share == pytest.approx(0.02)
    assert host.seconds == 41 * 15
    assert (host.rss_mean_bytes, host.rss_max_bytes, host.restarts) == (80 * MIB, 80 * MIB, 0)
    assert "both arms together" in look([]).overhead.covers


def test_what_no_sample_told_is_not_zero() -> None:
    host = look([]).overhead.hosts[0]
    assert (host.samples, host.cpu_share, host.rss_max_bytes, host.refused_points) == (0, None, None, None)


def test_after_a_restart_the_counter_counts_from_zero() -> None:
    before = [sample(i * 15, 10 + i * 0.3) for i in range(20)]
    after = [sample(i * 15, (i * 15 - 290) * 0.02, started=290) for i in range(20, 40)]
    host = look(before + after).overhead.hosts[0]
    assert host.restarts == 1
    assert host.cpu_share == pytest.approx(0.02)
    assert host.seconds == pytest.approx(285 + 295)


def test_a_restart_shows_though_the_new_counter_is_higher() -> None:
    host = look(
        [sample(0, 0.1), sample(15, 0.4), sample(45, 2.0, started=25), sample(60, 2.3, started=25)]
    ).overhead.hosts[0]
    assert host.restarts == 1
    assert host.cpu_seconds == pytest.approx(0.3 + 2.0 + 0.3)
    assert host.seconds == 15 + 20 + 15


def test_a_start_time_that_moves_a_little_is_no_restart() -> None:
    wobbly = [s.model_copy(update={"start_ns": s.start_ns - i % 3}) for i, s in enumerate(steady(0.02, noise=0))]
    host = look(wobbly).overhead.hosts[0]
    assert (host.restarts, host.seconds) == (0, 41 * 15)


def test_a_counter_that_falls_without_a_restart_adds_nothing() -> None:
    host = look([sample(0, 5.0), sample(15, 5.3), sample(30, 1.0), sample(45, 1.3)]).overhead.hosts[0]
    assert host.cpu_seconds == pytest.approx(0.6)
    assert host.seconds == 30


def test_output_and_failures_are_counted_per_exporter() -> None:
    def counters(i: int) -> dict[str, ExporterCounters]:
        failed = None if i < 5 else (i - 4) * 10
        return {"otlp_http/a": ExporterCounters(sent_points=1000 * i, sent_bytes=9000 * i, failed_points=failed)}

    found = look([sample(i * 15 - 10, i * 0.3, exporters=counters(i)) for i in range(20)])
    totals = found.overhead.hosts[0].exporters["otlp_http/a"]
    assert (totals.sent_points, totals.sent_bytes, totals.failed_points) == (19000, 171000, 150)
    assert "failed to deliver 150 points" in found.explanation


def test_failures_that_were_never_reported_stay_unreported() -> None:
    quiet = {"otlp_http/a": ExporterCounters(sent_points=1)}
    found = look([sample(i * 15 - 10, i * 0.3, exporters=quiet) for i in range(20)])
    assert found.overhead.hosts[0].exporters["otlp_http/a"].failed_points is None


def test_cpu_well_under_its_limit_is_no_obstacle() -> None:
    found = look(steady(0.02), collector_cpu=0.05)
    assert found.overhead.guardrails[0].state == "within"
    assert found.verdict == "promote"


def test_cpu_clearly_over_its_limit_rejects() -> None:
    found = look(steady(0.08), collector_cpu=0.05)
    assert (found.verdict, found.reason, found.breach) == ("reject", "collector_cpu", True)
    assert "collector CPU on node-01 8.0 % of a core" in found.explanation


@pytest.mark.parametrize("share", [0.0495, 0.0505])
def test_cpu_that_touches_its_limit_holds_and_says_so(share: float) -> None:
    found = look(steady(share), collector_cpu=0.05)
    assert (found.verdict, found.reason) == (None, "guardrail_near_limit")
    assert "limit 5.0 %" in found.waiting_for[0]
    ended = look(steady(share), collector_cpu=0.05, last=True)
    assert (ended.verdict, ended.reason) == ("inconclusive", "guardrail_near_limit")


def test_a_limit_that_could_not_be_measured_is_not_passed() -> None:
    found = look(steady(0.001)[:10], collector_cpu=0.05)
    assert (found.verdict, found.reason) == (None, "guardrail_unmeasured")
    ended = look([], collector_cpu=0.05, last=True)
    assert (ended.verdict, ended.reason) == ("insufficient_data", "guardrail_unmeasured")


@pytest.mark.parametrize(("rss", "verdict"), [(80, "promote"), (160, "reject")])
def test_memory_is_held_to_its_limit_on_average(rss: int, verdict: str) -> None:
    found = look(steady(0.02, rss=rss * MIB), collector_memory=float(150 * MIB))
    assert found.verdict == verdict
    assert found.overhead.guardrails[0].value == pytest.approx(rss * MIB)


def test_each_host_is_held_to_the_limit_on_its_own() -> None:
    calm = [s.model_copy(update={"host": "a"}) for s in steady(0.01)]
    busy = [s.model_copy(update={"host": "b"}) for s in steady(0.08)]
    counts = scrapes(0, 40, host="a") + scrapes(0, 40, host="b")
    found = evaluate(plan_of(("a", "b"), collector_cpu=0.05), counts, calm + busy, at(605), last=False)
    assert found.reason == "collector_cpu"
    assert "on b" in found.explanation
    assert "on a" not in found.explanation
