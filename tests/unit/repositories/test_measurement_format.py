"""Measurements read without checks are exactly what was written, types included."""

from __future__ import annotations

from chalicelib.domain.measurement import CollectorSample, Count, CriticalProcess, ExporterCounters, Variant
from chalicelib.domain.model import Value
from chalicelib.repositories.measurement_format import StoredSets, count_of, sample_of

CRITICAL = tuple(CriticalProcess(pattern="nginx", name="nginx", pid=pid) for pid in (3, 1, 2))


def types(value: object) -> object:
    """The types of a value all the way down."""
    if isinstance(value, Value):
        return type(value), {name: types(getattr(value, name)) for name in type(value).model_fields}
    if isinstance(value, dict):
        return {name: types(one) for name, one in value.items()}
    return (tuple, [types(one) for one in value]) if isinstance(value, tuple) else type(value)


def test_a_count_is_what_was_written() -> None:
    for variant in Variant:
        for critical in (CRITICAL, ()):
            count = Count(
                scope="s",
                host="h",
                variant=variant,
                start_ns=1,
                end_ns=2**62,
                series=7,
                critical=critical,
                marker="m",
            )
            found = count_of(count.model_dump(mode="json"), StoredSets())
            assert (found, types(found)) == (count, types(count))


def test_a_sample_is_what_was_written() -> None:
    counters = {"a": ExporterCounters(sent_points=1, sent_bytes=None, failed_points=0), "b": ExporterCounters()}
    for exporters in (counters, {}):
        sample = CollectorSample(scope="s", host="h", time_ns=2, start_ns=1, cpu_seconds=0.1, exporters=exporters)
        found = sample_of(sample.model_dump(mode="json"))
        assert (found, types(found)) == (sample, types(sample))


def test_equal_sets_are_one_object() -> None:
    sets = StoredSets()
    dumped = [one.model_dump(mode="json") for one in CRITICAL]
    assert sets.of(dumped) is sets.of([*dumped])
    assert sets.of(dumped) == CRITICAL
