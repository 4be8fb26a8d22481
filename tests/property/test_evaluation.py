"""Properties of the evaluation, on measurements that hypothesis makes up."""

from __future__ import annotations

import json
from collections.abc import Iterator
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from chalicelib.domain.evaluation.evaluation import Evaluation, Verdict, evaluate, recompute
from chalicelib.domain.evaluation.interval import FLOOR, retention
from chalicelib.domain.evaluation.verdict.verification import differences
from chalicelib.domain.measurement import Count, Variant
from tests.unit.evaluation.simulated import TEN, at, plan_of, sample, scrape

PERIOD = 15


@st.composite
def runs(draw: st.DrawFn) -> tuple[list[Count], int, bool]:
    """Two hosts with gaps, absent arms, losses and wrong markers; the second of the look; whether it is the last."""
    counts: list[Count] = []
    n = draw(st.integers(1, 45))
    level = draw(st.sampled_from([300, 3000, 3500, 7000]))
    faulty = draw(st.sampled_from([0, 5, 30]))
    for host in ("a", "b"):
        shift = draw(st.sampled_from([0, 0, 0, -90, 90]))
        for i in range(-3, n):
            fault = draw(st.integers(1, 100)) <= faulty
            kind = draw(st.sampled_from(["gap", "absent", "lost", "marker"])) if fault else ""
            if kind == "gap":
                continue
            counts += scrape(
                i * PERIOD + 3 + shift,
                host=host,
                series=(7000, 7000, max(1, level + draw(st.integers(-200, 200)))),
                critical=TEN[:3],
                absent=[draw(st.sampled_from(list(Variant)[:3]))] if kind == "absent" else [],
                lost=[TEN[0]] if kind == "lost" else [],
                marker="another" if kind == "marker" else "marker-1",
            )
    return counts, n * PERIOD + draw(st.integers(0, 40)), draw(st.booleans())


def look(run: tuple[list[Count], int, bool]) -> Evaluation:
    counts, second, last = run
    samples = [sample(i * 15, i * 0.5, host=host) for host in ("a", "b") for i in range(max(1, second // 15))]
    plan = plan_of(("a", "b"), collector_cpu=0.1, collector_memory=90e6)
    return evaluate(plan, counts, samples, at(second), last=last)


@given(runs())
@settings(max_examples=80, deadline=None)
def test_the_evidence_alone_gives_the_same_verdict(run: tuple[list[Count], int, bool]) -> None:
    found = look(run)
    stored = Evaluation.model_validate_json(found.model_dump_json(by_alias=True))
    assert stored == found
    assert recompute(stored) == (found.verdict, found.reason)
    assert differences(stored) == ()


@given(runs(), st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_any_change_of_stored_evidence_is_found(run: tuple[list[Count], int, bool], rng: Random) -> None:
    document = json.loads(look(run).model_dump_json(by_alias=True))
    places = list(leaves(document))
    holder, key = rng.choice(places)
    holder[key] = other(holder[key])
    try:
        changed = Evaluation.model_validate(document)
    except ValidationError:
        return  # Refused before it is looked at.
    assert differences(changed)


def other(value: Any) -> Any:
    """A value of the same kind that is not the same."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    return (value or 0.5) * 1.01 if isinstance(value, float) else "forged"


def leaves(document: Any) -> Iterator[tuple[Any, Any]]:
    """Every value in a JSON document, as its container and key."""
    pairs = document.items() if isinstance(document, dict) else enumerate(document)
    for key, value in pairs:
        if isinstance(value, (dict, list)) and value:
            yield from leaves(value)
        else:
            yield document, key


@given(runs(), st.randoms(use_true_random=False))
@settings(max_examples=50, deadline=None)
def test_order_and_repeats_never_matter(run: tuple[list[Count], int, bool], rng: object) -> None:
    counts, second, last = run
    shaken = counts + counts[: len(counts) // 3]
    rng.shuffle(shaken)  # type: ignore[attr-defined]
    assert look((shaken, second, last)) == look(run)


@given(runs())
@settings(max_examples=80, deadline=None)
def test_no_promotion_without_enough_complete_scrapes_of_every_host(run: tuple[list[Count], int, bool]) -> None:
    found = look(run)
    if found.verdict is Verdict.PROMOTE:
        assert found.evidence.scrapes >= 16
        assert all(host.share is not None and host.share >= 0.9 for host in found.coverage)
        assert found.reduction.low is not None
        assert found.reduction.low >= 0.5
        assert not found.critical.breaches
    if found.evidence.window.last:
        assert found.verdict is not None
    assert (found.verdict is None) == bool(found.waiting_for)
    assert found.explanation


@given(runs())
@settings(max_examples=50, deadline=None)
def test_accounting_is_exact(run: tuple[list[Count], int, bool]) -> None:
    found = look(run)
    for coverage, sums in zip(found.coverage, found.evidence.hosts, strict=True):
        assert coverage.received == sums.scrapes
        assert coverage.received + coverage.missing == coverage.due
    batches = found.evidence.batches
    if batches:
        assert sum(batch.a for batch in batches) == sum(host.baseline for host in found.evidence.hosts)
        assert sum(batch.b for batch in batches) == sum(host.candidate for host in found.evidence.hosts)
        assert sum(batch.scrapes for batch in batches) == found.evidence.scrapes == len(found.evidence.rows.raw)


@given(
    st.lists(st.tuples(st.integers(1, 10**6), st.integers(1, 10**6)), min_size=16, max_size=80),
    st.floats(0.5, 600),
    st.integers(2, 9),
)
def test_the_interval_holds_its_value_and_does_not_depend_on_the_unit(
    rows: list[tuple[int, int]], minutes: float, unit: int
) -> None:
    a, b = [float(x) for x, _ in rows], [float(y) for _, y in rows]
    ratio, scaled = retention(a, b, minutes), retention([x * unit for x in a], b, minutes)
    assert ratio is not None
    assert scaled is not None
    assert ratio.low <= ratio.value - FLOOR
    assert ratio.high >= ratio.value + FLOOR
    assert abs(scaled.value * unit - ratio.value) <= 1e-9 * ratio.value
    assert abs(scaled.width - ratio.width) <= 1e-6 * max(1.0, ratio.width)
