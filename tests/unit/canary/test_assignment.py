"""Which host runs which arm: drawn alike everywhere, balanced, and within hosts of similar size."""

from __future__ import annotations

import hashlib
import random
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.canary.assignment import Assignment, HostSize, assign
from chalicelib.domain.canary.spec import MIN_PER_ARM, arm_sizes, fewest, too_few
from chalicelib.domain.measurement import Variant

FLEETS = st.lists(
    st.builds(
        HostSize,
        host=st.from_regex(r"[a-z][a-z0-9-]{0,10}", fullmatch=True),
        cpu_count=st.integers(0, 128),
        memory_bytes=st.integers(0, 2**40),
    ),
    min_size=6,
    max_size=60,
    unique_by=lambda one: one.host,
)
SHARES = st.floats(0.05, 0.95)
SEEDS = st.integers(0, 2**32 - 1)


@given(FLEETS, SHARES, SEEDS)
def test_every_host_has_one_arm_and_the_arms_have_the_sizes_that_the_share_asks_for(
    hosts: list[HostSize], share: float, seed: int
) -> None:
    drawn = assign(hosts, share, seed)
    assert [one.host for one in drawn.hosts] == [one.host for one in hosts]
    sizes = len(drawn.of(Variant.BASELINE)), len(drawn.of(Variant.CANDIDATE))
    if not too_few(len(hosts), share):
        assert sizes == arm_sizes(len(hosts), share)
        assert min(sizes) >= MIN_PER_ARM


@given(FLEETS, SHARES, SEEDS)
def test_the_lot_is_the_same_in_any_order_and_after_a_trip_through_json(
    hosts: list[HostSize], share: float, seed: int
) -> None:
    drawn = assign(hosts, share, seed)
    mixed = random.Random(seed).sample(hosts, len(hosts))
    assert assign(mixed, share, seed).arms == drawn.arms
    again = Assignment.model_validate_json(drawn.model_dump_json())
    assert assign(again.sizes(), again.share, again.seed) == drawn


@given(FLEETS, SHARES, SEEDS)
def test_each_block_of_similar_hosts_gives_one_to_the_smaller_arm(
    hosts: list[HostSize], share: float, seed: int
) -> None:
    drawn = assign(hosts, share, seed)
    baseline, candidate = arm_sizes(len(hosts), share)
    smaller = Variant.CANDIDATE if candidate <= baseline else Variant.BASELINE
    blocks: dict[int, list[tuple[tuple[int, int], Variant]]] = {}
    for one in drawn.hosts:
        blocks.setdefault(one.stratum, []).append(((one.cpu_count, one.memory_bytes), one.arm))
    assert all([arm for _, arm in block].count(smaller) == 1 for block in blocks.values())
    edges = [(min(size for size, _ in block), max(size for size, _ in block)) for _, block in sorted(blocks.items())]
    assert all(before[1] <= after[0] for before, after in pairwise(edges))


def test_anybody_can_draw_it_again_with_sha256() -> None:
    pair = [HostSize(host="a", cpu_count=4), HostSize(host="b", cpu_count=4)]
    expected = min(("a", "b"), key=lambda host: hashlib.sha256(f"7/arm/{host}".encode()).hexdigest())
    assert assign(pair, 0.5, 7).of(Variant.CANDIDATE) == (expected,)


def test_every_host_is_drawn_about_half_of_the_time() -> None:
    hosts = [HostSize(host=f"h{number}", cpu_count=number) for number in range(10)]
    often = dict.fromkeys((one.host for one in hosts), 0)
    for seed in range(400):
        for host in assign(hosts, 0.5, seed).of(Variant.CANDIDATE):
            often[host] += 1
    assert all(140 <= count <= 260 for count in often.values()), often


def test_the_fewest_hosts_of_a_share_are_the_fewest() -> None:
    for share in (0.05, 0.1, 0.3, 0.5, 0.66, 0.9):
        least = fewest(share)
        assert not too_few(least, share)
        assert too_few(least - 1, share)
    assert fewest(0.5) == 6
