"""One answer is bounded: what matters first, and what was left out is said."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.domain.experiment.state import State
from chalicelib.domain.results.experiments import PREFIX, Told, families
from chalicelib.domain.results.family import Family
from chalicelib.ports.items import ABSENT
from chalicelib.repositories.records import Records
from chalicelib.services.context import Context
from chalicelib.services.experiments.results import MOST, Results
from tests.fakes.clock import CountedEntropy, SettableClock
from tests.fakes.items import MemoryItemStore
from tests.unit.experiment.made import experiment


class Kept:
    """An exposition that keeps what it is given."""

    def __init__(self) -> None:
        self.families: Sequence[Family] = ()

    def write(self, families: Sequence[Family], accept: str) -> tuple[str, str]:
        self.families = families
        return "", accept


def test_the_active_and_the_newest_come_first_and_what_is_left_out_is_counted() -> None:
    clock = SettableClock()
    records = Records(MemoryItemStore(clock.now))
    for number in range(MOST + 2):
        ended = {} if number == 7 else {"ended_at": 5000.0 + number}
        state = State.PAUSED if number == 7 else State.STOPPED
        made = experiment(state, **{"name": f"e{number}", "uid": f"{number:026d}", **ended})  # type: ignore[arg-type]
        records.experiments.save("t", made, ABSENT)
    kept = Kept()
    Results(Context(records, clock, CountedEntropy()), kept).metrics("t", "")
    by_name = {family.name: family for family in kept.families}
    assert [sample.value for sample in by_name["phoenix_experiments_left_out"].samples] == [2]
    names = [sample.labels["experiment"] for sample in by_name[PREFIX + "state"].samples]
    assert len(names) == MOST
    assert names[:2] == ["e7", f"e{MOST + 1}"]
    assert {"e0", "e1"}.isdisjoint(names)


def test_every_sample_has_the_labels_of_its_family_and_no_family_is_empty() -> None:
    for family in families([Told(experiment(State.DRAFT), None)], 0):
        assert family.samples
        assert all(tuple(sample.labels) == family.labels for sample in family.samples)


def test_another_tenants_experiments_are_not_told() -> None:
    clock = SettableClock()
    records = Records(MemoryItemStore(clock.now))
    records.experiments.save("theirs", experiment(State.PAUSED), ABSENT)
    kept = Kept()
    Results(Context(records, clock, CountedEntropy()), kept).metrics("t", "")
    assert [family.name for family in kept.families] == ["phoenix_experiments_left_out"]
