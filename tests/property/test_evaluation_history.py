"""An evaluation that goes on from what was sealed before is the evaluation of everything at once."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain.evaluation.evaluation import Evaluation, evaluate, evaluate_gathered, gather, seal_gathered
from chalicelib.domain.evaluation.plan import EvaluationPlan
from chalicelib.domain.evaluation.scrapes.history import GRACE_NS, HostHistory
from chalicelib.domain.measurement import CollectorSample, Count, Variant
from tests.unit.evaluation.simulated import TEN, S, at, plan_of, sample, scrape

PERIOD = 15
HOSTS = ("a", "b")
LONGEST = GRACE_NS // S - 2 * PERIOD
"""Seconds by which a delivery may be late: the grace, less what newest and oldest part of a scrape may be apart."""


@dataclass(frozen=True)
class Delivered:
    """One measurement and the second of the control plane's clock at which it came."""

    second: float
    what: Count | CollectorSample


@st.composite
def lives(draw: st.DrawFn) -> tuple[list[Delivered], list[int]]:
    """Deliveries of two hosts, some late, twice, incomplete, after restarts or with wrong clocks; and the looks."""
    found: list[Delivered] = []
    n = draw(st.integers(30, 70))
    delays = st.sampled_from([0, 0, 0, 1, 20, 100, LONGEST])
    for host in HOSTS:
        shift = draw(st.sampled_from([0, 0, -90, 90]))
        restart = draw(st.sampled_from([None, None, 20, 41]))
        faulty = draw(st.sampled_from([0, 10, 40]))
        for i in range(-3, n):
            second = i * PERIOD + 3
            fault = (
                draw(st.sampled_from(["gap", "absent", "lost", "marker", "split"]))
                if draw(st.integers(1, 100)) <= faulty
                else ""
            )
            if fault == "gap":
                continue
            parts = scrape(
                second + shift,
                host=host,
                series=(7000, 7000, 3000 + draw(st.integers(-300, 300))),
                critical=TEN[:3],
                absent=[draw(st.sampled_from(list(Variant)[:3]))] if fault == "absent" else [],
                lost=[TEN[0]] if fault == "lost" else [],
                marker="another" if fault == "marker" else "marker-1",
            )
            if fault == "split":
                parts += scrape(second + shift + draw(st.sampled_from([2, 7, 8])), host=host, series=(5, 5, 5))
            started = -60.0 if restart is None or i < restart else restart * PERIOD + 1.0
            taken = sample(second + shift + 1, i * 0.5 + 30, host=host, started=started + shift)
            for what in (*parts, taken):
                for _ in range(draw(st.sampled_from([1, 1, 1, 2]))):
                    found.append(Delivered(max(second + 8, 0) + draw(delays), what))
    looks = sorted(draw(st.lists(st.integers(20, n * PERIOD + LONGEST + 60), min_size=1, max_size=6)))
    return found, looks


def plan() -> EvaluationPlan:
    return plan_of(HOSTS, collector_cpu=0.1)


def split(found: list[CollectorSample | Count]) -> tuple[list[Count], list[CollectorSample]]:
    return [x for x in found if isinstance(x, Count)], [x for x in found if isinstance(x, CollectorSample)]


def time_of(what: Count | CollectorSample) -> int:
    return what.end_ns if isinstance(what, Count) else what.time_ns


@given(lives())
@settings(max_examples=25, deadline=None)
def test_going_on_from_a_history_is_the_same_as_starting_anew(life: tuple[list[Delivered], list[int]]) -> None:
    deliveries, looks = life
    histories: dict[str, HostHistory] = {}
    for second in looks:
        here = [one.what for one in deliveries if one.second <= second]
        unsealed = [x for x in here if time_of(x) > histories.get(x.host, HostHistory()).sealed_ns]
        gathered = gather(plan(), *split(unsealed), histories)
        found = evaluate_gathered(plan(), gathered, at(second), last=second == looks[-1])
        assert found == whole(here, second, last=second == looks[-1])
        for host, more in seal_gathered(plan(), gathered, at(second)).items():
            histories[host] = gathered.histories[host].plus(more)


def whole(here: list[Count | CollectorSample], second: int, *, last: bool) -> Evaluation:
    return evaluate(plan(), *split(here), at(second), last=last)


def test_what_is_old_is_sealed_and_what_comes_after_that_is_dropped_and_counted() -> None:
    counts = [c for i in range(60) for c in scrape(i * PERIOD + 3)]
    samples = [sample(i * PERIOD + 4, i * 0.3) for i in range(60)]
    first = gather(plan_of(), counts, samples, {})
    more = seal_gathered(plan_of(), first, at(905))["node-01"]
    history = first.histories["node-01"].plus(more)
    assert at(560) < history.sealed_ns < at(600)
    assert (len(history.clusters), len(history.samples)) == (39, 39)
    late = [count.model_copy(update={"series": 1}) for count in scrape(100 * 1.0)]
    gathered = gather(
        plan_of(), [*late, *(c for c in counts if c.end_ns > history.sealed_ns)], [], {"node-01": history}
    )
    found = evaluate_gathered(plan_of(), gathered, at(905), last=False)
    assert [(d.reason, d.count, d.host) for d in found.evidence.dropped if d.reason == "late"] == [
        ("late", 3, "node-01")
    ]
    assert found.evidence.scrapes == 60
    kept = seal_gathered(plan_of(), gathered, at(905))["node-01"].refused
    assert kept["late"].count == 3
