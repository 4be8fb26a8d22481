"""The canary's estimate: exact where nothing varies, narrower by its covariate, and the same as what is simulated."""

from __future__ import annotations

from math import exp, isclose, log

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bench.evaluation.canary import BEFORE, LOOKS, fleet, in_use
from bench.evaluation.noise import FAMILIES
from chalicelib.domain.canary.estimate import HostSums, canary_ratio, growth, jackknife, retained
from chalicelib.domain.evaluation.interval import T99, cut, multiplier
from chalicelib.domain.measurement import Variant

B, C = Variant.BASELINE, Variant.CANDIDATE
SIZES = st.lists(st.floats(10, 100_000), min_size=3, max_size=12)


def sums(arm: Variant, before: float, series: float, scrapes: int = 40) -> HostSums:
    return HostSums(arm, scrapes, series * scrapes, before)


@given(SIZES, SIZES, st.floats(0.5, 2), st.floats(0.01, 1))
def test_what_all_hosts_share_cancels_whatever_their_sizes(
    baseline: list[float], candidate: list[float], grown: float, kept: float
) -> None:
    hosts = [sums(B, x, x * grown) for x in baseline] + [sums(C, x, x * grown * kept) for x in candidate]
    theta = retained(hosts)
    assert theta is not None
    assert isclose(theta, kept, rel_tol=1e-9)
    batches = cut([1.0] * 40, [kept] * 40)
    ratio = canary_ratio(hosts, batches, 10)
    assert ratio is not None
    assert ratio.host_width < 1e-6, "hosts that behave alike do not widen the interval"


def test_the_covariate_takes_out_what_hosts_differ_in_anyway() -> None:
    rng = np.random.default_rng(3)
    sizes = np.exp(rng.standard_normal(12)) * 1000
    post = sizes * np.exp(0.05 * rng.standard_normal(12))
    arms = [B, C] * 6
    known = [sums(arm, x, y) for arm, x, y in zip(arms, sizes, post, strict=True)]
    blind = [sums(arm, 1000, y) for arm, y in zip(arms, post, strict=True)]
    batches = cut([1.0] * 40, [1.0] * 40)
    with_it, without = canary_ratio(known, batches, 10), canary_ratio(blind, batches, 10)
    assert with_it is not None
    assert without is not None
    assert with_it.host_width < without.host_width / 5


def test_the_host_term_is_the_jackknife_with_welchs_degrees_of_freedom() -> None:
    hosts = [sums(B, 100, y) for y in (100, 110, 90)] + [sums(C, 100, y) for y in (50, 50.1, 49.9)]
    batches = cut([1.0] * 40, [0.5] * 40)
    ratio = canary_ratio(hosts, batches, 10)
    assert ratio is not None
    logs = [log(200 / 200), log(190 / 200), log(210 / 200)]
    mean = sum(logs) / 3
    own = 2 / 3 * sum((x - mean) ** 2 for x in logs)
    assert isclose(jackknife([one for one in hosts if one.arm is B]), own)
    whole = own + jackknife([one for one in hosts if one.arm is C])
    assert isclose(ratio.width, T99[2] * whole**0.5), "one arm varies alone: two degrees of freedom, not four"
    assert isclose(ratio.high, ratio.value * exp(ratio.width))


def test_the_time_term_is_that_of_the_paired_layout() -> None:
    hosts = [sums(arm, 100, 100) for arm in (B, C) for _ in range(3)]
    wild = cut([1.0] * 40, [1.0 if i % 20 < 10 else 1.4 for i in range(40)])
    ratio = canary_ratio(hosts, wild, 10)
    assert ratio is not None
    assert isclose(ratio.width, multiplier(10) * ratio.error)


def test_no_interval_without_three_hosts_of_each_arm_that_were_measured_before_and_now() -> None:
    batches = cut([1.0] * 40, [1.0] * 40)
    three = [sums(B, 100, 100)] * 3
    assert canary_ratio([*three, *[sums(C, 100, 100)] * 2, sums(C, 0, 100)], batches, 10) is None
    assert canary_ratio([*three, *[sums(C, 100, 100)] * 2, HostSums(C, 0, 0, 100)], batches, 10) is None
    assert canary_ratio([*three, *[sums(C, 100, 100)] * 3], (), 10) is None
    assert canary_ratio([*three, *[sums(C, 100, 100)] * 3], batches, 10) is not None
    assert growth([], B) is None
    assert retained(three) is None


def test_what_is_simulated_is_what_is_used() -> None:
    made = fleet(np.random.default_rng(11), FAMILIES[1], 8, hosts=9, share=0.4)
    bounds = in_use(made, LOOKS[:3])
    for run in range(8):
        arms = [C if chosen else B for chosen in made.candidate[run]]
        before = made.series[run, :, :BEFORE].mean(1)
        window = made.series[run, :, BEFORE:]
        scale = before[made.candidate[run]].sum() / before[~made.candidate[run]].sum()
        for look, n in enumerate(LOOKS[:3]):
            hosts = [
                HostSums(arm, n, float(window[h, :n].sum()), float(before[h])) for h, arm in enumerate(arms)
            ]  # fmt: skip
            a = window[~made.candidate[run], :n].sum(0) * scale
            b = window[made.candidate[run], :n].sum(0)
            ratio = canary_ratio(hosts, cut([float(x) for x in a], [float(x) for x in b]), n / 4)
            assert ratio is not None
            assert isclose(ratio.value, bounds.value[run, look], rel_tol=1e-9)
            assert isclose(ratio.width, log(bounds.high[run, look] / bounds.value[run, look]), rel_tol=1e-6)
