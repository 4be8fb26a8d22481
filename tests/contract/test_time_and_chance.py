"""What every clock and every source of chance keeps to, real and fake."""

from __future__ import annotations

import re
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from chalicelib.adapters.system.clock import SystemClock, SystemEntropy
from chalicelib.ports.clock import Clock, Entropy
from tests.fakes.clock import CountedEntropy, SettableClock

CLOCKS: list[type[Clock]] = [SystemClock, SettableClock]
SOURCES: list[type[Entropy]] = [SystemEntropy, CountedEntropy]


@pytest.mark.parametrize("make", CLOCKS)
def test_a_clock_gives_unix_seconds_that_do_not_go_back(make: type[Clock]) -> None:
    clock = make()
    seen = [clock.now() for _ in range(100)]
    assert all(isinstance(second, float) for second in seen)
    assert seen == sorted(seen)
    assert 1_600_000_000 < seen[0] < 4_000_000_000


def test_the_real_clock_is_the_machines() -> None:
    before = time.time()
    assert before <= SystemClock().now() <= time.time()


def test_the_settable_clock_moves_only_when_told_and_never_back() -> None:
    clock = SettableClock()
    before = clock.now()
    clock.advance(2.5)
    assert clock.now() == before + 2.5
    with pytest.raises(ValueError, match="back"):
        clock.advance(-1)


@pytest.mark.parametrize("make", SOURCES)
def test_identifiers_and_secrets_have_their_form_and_never_come_twice(make: type[Entropy]) -> None:
    source = make()
    with ThreadPoolExecutor(4) as pool:
        uids = list(pool.map(lambda _: source.uid(), range(2000)))
        secrets = list(pool.map(lambda _: source.secret(), range(2000)))
    assert all(re.fullmatch(r"[0-9a-z]{26}", uid) for uid in uids)
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{43}", secret) for secret in secrets)
    assert len(set(uids) | set(secrets)) == 4000


@pytest.mark.parametrize("make", SOURCES)
def test_identifiers_sort_by_time(make: type[Entropy]) -> None:
    source = make()
    first = source.uid()
    time.sleep(0.002)
    assert first < source.uid()
