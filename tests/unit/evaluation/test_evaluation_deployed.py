"""What a deployment keeps of the critical processes, scrape by scrape."""

from __future__ import annotations

import random

from chalicelib.domain.evaluation.measures.deployed import Kept, kept
from chalicelib.domain.measurement import Count, CriticalProcess, Variant

SECOND = 1_000_000_000
NGINX, CRON = (CriticalProcess(pattern="p", name=name, pid=7) for name in ("nginx", "cron"))


def scrape(number: int, deployed: tuple[CriticalProcess, ...], *, only: Variant | None = None) -> list[Count]:
    """Raw has both; 10 s after the one before. only: the other stream did not arrive."""
    end = number * 10 * SECOND
    streams = {Variant.RAW: (NGINX, CRON), Variant.DEPLOYED: deployed}
    return [
        Count(scope="s", host="h", variant=variant, start_ns=end, end_ns=end, series=9, critical=critical)
        for variant, critical in streams.items()
        if only in (None, variant)
    ]


def counts(*scrapes: list[Count]) -> list[Count]:
    """In no order and twice, as deliveries are."""
    found = [count for one in scrapes for count in one] * 2
    random.Random(4).shuffle(found)
    return found


def test_nothing_measured_is_nothing_known() -> None:
    assert kept([], 10) == Kept(0, ())


def test_one_miss_is_not_a_loss_and_two_in_a_row_are() -> None:
    whole, lost = (NGINX, CRON), (CRON,)
    assert kept(counts(scrape(1, whole), scrape(2, lost), scrape(3, whole), scrape(4, whole)), 10) == Kept(3, ())
    found = kept(counts(scrape(1, whole), scrape(2, lost), scrape(3, lost), scrape(4, whole)), 10)
    assert found == Kept(3, ("'nginx' (p)",))


def test_three_misses_altogether_are_a_loss() -> None:
    parts = [scrape(number, (CRON,) if number % 2 else (NGINX, CRON)) for number in range(1, 8)]
    assert kept(counts(*parts), 10).lost == ("'nginx' (p)",)


def test_the_newest_scrape_and_those_without_a_stream_decide_nothing() -> None:
    parts = [scrape(1, ()), scrape(2, (), only=Variant.RAW), scrape(3, ())]
    assert kept(counts(*parts), 10) == Kept(1, ())


def test_parts_of_one_scrape_are_joined() -> None:
    late = [
        Count(
            scope="s", host="h", variant=Variant.DEPLOYED, start_ns=0, end_ns=at + SECOND, series=1, critical=(NGINX,)
        )
        for at in (10 * SECOND, 20 * SECOND)
    ]
    found = kept([*scrape(1, (CRON,)), *scrape(2, (CRON,)), *late, *scrape(3, ())], 10)
    assert found == Kept(2, ())
