"""Looks that go on from what was sealed: the answer of everything at once, few items read, safe against a crash."""

from __future__ import annotations

import contextlib
import random

import pytest

from chalicelib.domain.errors import Conflict
from chalicelib.domain.evaluation.evaluation import Evaluation, evaluate, gather, seal_gathered
from chalicelib.domain.evaluation.plan import EvaluationPlan
from chalicelib.domain.measurement import CollectorSample, Count, ExporterCounters, Variant
from chalicelib.ports.items import Item, ItemStore, Page, Table, Write
from chalicelib.repositories.histories import MANY, Histories
from chalicelib.repositories.history_format import history_json, history_of, line_json, line_of
from chalicelib.repositories.packed import pack, unpack
from chalicelib.repositories.records import Records, StoredEvaluation
from chalicelib.services.experiments.looking import Looking
from tests.fakes.dying_store import Died, DyingStore
from tests.fakes.items import MemoryItemStore
from tests.unit.evaluation.simulated import OPENED, TEN, WORKER, S, at, plan_of, sample, scrape, scrapes

HOSTS = ("a", "b")
START = OPENED / S


class Clocked:
    """The present, in seconds since the window opened."""

    def __init__(self) -> None:
        self.second = 0.0

    @property
    def now(self) -> float:
        return START + self.second


class Counting:
    """An item store that counts the items it hands out."""

    def __init__(self, inner: ItemStore) -> None:
        self._inner, self.read = inner, 0

    def query(self, *args: object, **options: object) -> Page:
        page = self._inner.query(*args, **options)  # type: ignore[arg-type]
        self.read += len(page.items)
        return page

    def get(self, table: Table, pk: str, sk: str) -> Item | None:
        found = self._inner.get(table, pk, sk)
        self.read += found is not None
        return found

    def put(self, item: Item, expected: int = -1) -> None:
        self._inner.put(item, expected)

    def transact(self, writes: list[Write], token: str) -> None:
        self._inner.transact(writes, token)


def measured(host: str, i: int, candidate: int = 3000) -> tuple[list[Count], list[CollectorSample]]:
    """Scrape number i, with the collector's own counters."""
    counters = {"otlp_http/candidate": ExporterCounters(sent_points=i, failed_points=None)}
    lost = [WORKER] if i % 17 == 5 else []
    counts = scrape(i * 15 + 3, host=host, series=(7000, 7000, candidate), critical=TEN[-3:], lost=lost)
    return counts, [sample(i * 15 + 4, i * 0.3 + 60, host=host, exporters=counters)]


def plan() -> EvaluationPlan:
    return plan_of(HOSTS, collector_cpu=0.05)


def look(store: ItemStore, clock: Clocked, *, last: bool = False, shown: bool = True) -> Evaluation:
    found = Looking(Records(store)).look("t", plan(), clock.now, last=last, problems={}, shown=lambda evaluation: shown)
    with contextlib.suppress(Conflict):  # another look was faster
        if found.writes:
            store.transact(list(found.writes), f"look-{clock.now}-{found.evaluation.digest}-{found.writes[0]}"[:1000])
    return found.evaluation


def everything(store: ItemStore, clock: Clocked, *, last: bool = False) -> Evaluation:
    """The evaluation from scratch, from all that is stored."""
    counts: list[Count] = []
    samples: list[CollectorSample] = []
    for host in HOSTS:
        found = Records(store).measurements.read("t", "exp-1", host)
        counts += found[0]
        samples += found[1]
    return evaluate(plan(), counts, samples, int(clock.now * 1e9), last=last)


def test_every_look_says_what_everything_at_once_says_whatever_is_late_twice_or_disordered() -> None:
    for seed in range(4):
        rng = random.Random(seed)
        clock = Clocked()
        store = MemoryItemStore(lambda c=clock: c.now)  # type: ignore[misc]
        deliveries: list[tuple[float, str, list[Count], list[CollectorSample]]] = []
        for host in HOSTS:
            for i in range(-3, 55):
                counts, samples = measured(host, i, 3000 + rng.randint(-200, 200))
                if rng.random() < 0.05:
                    counts.pop()
                for part in (counts[:1], counts[1:]):
                    for _ in range(rng.choice([1, 1, 2])):
                        delay = rng.choice([0, 0, 0, 5, 100, 140, 240])
                        deliveries.append(
                            (max(0.0, i * 15 + 8) + delay, host, part, samples if rng.random() < 0.5 else [])
                        )
        deliveries.sort(key=lambda one: (one[0], rng.random()))
        looks = sorted(rng.sample(range(60, 1050), 6))
        for second, host, counts, samples in deliveries:
            while looks and looks[0] < second:
                clock.second = looks.pop(0)
                assert look(store, clock, last=not looks) == everything(store, clock, last=not looks)
            clock.second = second
            Records(store).measurements.add("t", "exp-1", host, counts, samples, clock.now)


def lived(store: ItemStore, clock: Clocked, first: int, end: int) -> None:
    for i in range(first, end):
        clock.second = i * 15 + 8.0
        for host in HOSTS:
            Records(store).measurements.add("t", "exp-1", host, *measured(host, i), clock.now)


def test_a_look_reads_only_what_is_new_and_the_last_minutes() -> None:
    clock = Clocked()
    store = Counting(MemoryItemStore(lambda: clock.now))
    reads = []
    for minute in range(36):
        lived(store, clock, minute * 4, minute * 4 + 4)
        store.read = 0
        look(store, clock)
        reads.append(store.read)
    assert max(reads) <= max(reads[:10]) + MANY + 2, "the reads of a look grow with the experiment"
    assert reads[-1] < 36 * 4 * len(HOSTS) / 3
    assert look(store, clock) == everything(store, clock)


def test_what_comes_after_its_time_is_dropped_counted_once_and_named() -> None:
    clock = Clocked()
    store = MemoryItemStore(lambda: clock.now)
    lived(store, clock, 0, 60)
    look(store, clock)
    late = [count.model_copy(update={"series": 1}) for count in scrape(50, host="a")]
    Records(store).measurements.add("t", "exp-1", "a", late, [], clock.now)
    for i in range(60, 80):
        lived(store, clock, i, i + 1)
        found = look(store, clock)
        dropped = [(one.host, one.reason, one.count) for one in found.evidence.dropped if one.reason == "late"]
        assert dropped == [("a", "late", 3)]


@pytest.mark.parametrize("after", [False, True])
def test_a_process_that_dies_in_a_look_has_changed_nothing(after: bool) -> None:
    for at_write in range(1, 4):
        clock = Clocked()
        store = MemoryItemStore(lambda c=clock: c.now)  # type: ignore[misc]
        lived(store, clock, 0, 40)
        look(store, clock)
        lived(store, clock, 40, 60)
        dying = DyingStore(store, at_write, after=after)
        with contextlib.suppress(Died):
            look(dying, clock)
        lived(store, clock, 60, 64)
        assert look(store, clock) == everything(store, clock)


def test_of_two_looks_at_once_one_keeps_what_it_sealed_and_both_say_the_same() -> None:
    clock = Clocked()
    store = MemoryItemStore(lambda: clock.now)
    lived(store, clock, 0, 60)

    class Between(Counting):
        def transact(self, writes: list[Write], token: str) -> None:
            look(store, clock)
            super().transact(writes, token)

    assert look(Between(store), clock) == everything(store, clock)
    lived(store, clock, 60, 90)
    assert look(store, clock) == everything(store, clock)


def test_a_segment_that_is_gone_is_made_again_from_the_measurements() -> None:
    clock = Clocked()
    store = MemoryItemStore(lambda: clock.now)
    segments: list[str] = []
    for i in range(0, 600, 60):
        lived(store, clock, i, i + 60)
        look(store, clock)
        segments = [one.key for one in Histories(store).load("t", "exp-1").segments if one.key]
        if segments:
            break
    store.delete(Table.MEASUREMENTS, "T#t#M#exp-1#~history", segments[0])
    assert look(store, clock) == everything(store, clock)
    assert [one.key for one in Histories(store).load("t", "exp-1").segments if one.key]


def test_the_history_of_few_hosts_is_read_with_one_request() -> None:
    clock = Clocked()
    store = MemoryItemStore(lambda: clock.now)
    for i in range(0, 60, 4):
        lived(store, clock, i, i + 4)
        look(store, clock)
    known = Histories(store).load("t", "exp-1")
    assert known.items == 1
    assert known.histories["a"].clusters


def test_many_small_segments_become_few_and_say_the_same() -> None:
    clock = Clocked()
    store = MemoryItemStore(lambda: clock.now)
    for i in range(60):
        lived(store, clock, i, i + 1)
        look(store, clock)
    assert len(Histories(store).load("t", "exp-1").segments) < 30
    assert look(store, clock) == everything(store, clock)


def test_a_look_that_is_not_shown_leaves_what_people_see() -> None:
    clock = Clocked()
    store = MemoryItemStore(lambda: clock.now)
    lived(store, clock, 0, 40)
    before = look(store, clock)
    lived(store, clock, 40, 60)
    look(store, clock, shown=False)
    kept = Records(store).evaluations.find("t", "exp-1")
    assert kept is not None
    assert kept.value.evaluation == before


LOST, ABSENT = {7: [WORKER]}, {9: [Variant.RAW]}


def test_a_history_is_the_same_after_its_trip_through_json() -> None:
    counts = [c for i in range(60) for c in scrape(i * 15 + 3, lost=LOST.get(i, []), absent=ABSENT.get(i, []))]
    samples = [x for i in range(60) for x in measured("node-01", i)[1]]
    here = [one.model_copy(update={"host": "node-01"}) for one in samples]
    sealed = seal_gathered(plan_of(), gather(plan_of(), counts, here, {}), at(905))["node-01"]
    assert len(sealed.clusters) == len(sealed.samples) == 39
    host, again = history_of(unpack(pack(history_json("node-01", sealed))), "exp-1", {})
    assert (host, again.clusters, again.samples) == ("node-01", sealed.clusters, sealed.samples)
    assert line_of(unpack(pack(line_json(sealed)))) == (sealed.sealed_ns, dict(sealed.refused))


def test_an_evaluation_of_a_thousand_hosts_fits_an_item() -> None:
    clock = Clocked()
    store = MemoryItemStore(lambda: clock.now)
    hosts = tuple(f"host-{i:04d}" for i in range(1000))
    counts = [c for host in hosts for c in scrapes(0, 3, host=host, critical=TEN)]
    found = evaluate(plan_of(hosts, collector_cpu=0.05), counts, [], at(605), last=False)
    assert len(found.model_dump_json()) > 1_000_000
    records = Records(store)
    stored = StoredEvaluation(uid="exp-1", at=1.0, evaluation=found)
    (write,) = records.evaluations.writes("t", stored, -1)
    records.store.put(write.item)
    kept = records.evaluations.find("t", "exp-1")
    assert kept is not None
    assert kept.value.evaluation == found
