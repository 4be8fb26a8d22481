"""Populations: the same for the same seed, names that the kernel keeps apart, bounds that are named."""

import re

import pytest

from chalicelib.domain.critical import CriticalPattern
from chalicelib.domain.errors import InvalidInput
from chalicelib.domain.load import LoadSpec
from loadsim.population.process_spec import COMM_LENGTH, MAX_COMMAND_LINE
from loadsim.population.profiles import (
    CPU_BUDGET,
    MEMORY_BUDGET,
    critical_patterns,
    population,
    population_of,
)
from loadsim.processes.spawner import PADDING

PROFILES = ["high-cardinality", "process-churn", "realistic"]


@pytest.mark.parametrize("profile", PROFILES)
def test_the_same_seed_gives_the_same_population_and_another_seed_another(profile: str) -> None:
    once, again = (population(profile, count=60, busy=6, critical=2, seed=7) for _ in range(2))
    assert once == again
    assert once != population(profile, count=60, busy=6, critical=2, seed=8)


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(("count", "busy", "critical"), [(3, 0, 0), (3, 2, 0), (3, 0, 2), (300, 20, 5), (5000, 90, 12)])
def test_every_process_can_be_what_it_is_called(profile: str, count: int, busy: int, critical: int) -> None:
    specs = population(profile, count=count, busy=busy, critical=critical, seed=3)
    assert [spec.slot for spec in specs] == list(range(count))
    assert [spec.role for spec in specs] == ["critical"] * critical + ["busy"] * busy + ["idle"] * (
        count - busy - critical
    )
    for spec in specs:
        assert re.fullmatch(r"phx-[a-z0-9-]+", spec.name)
        assert len(spec.name) <= COMM_LENGTH
        assert spec.argv[0].rpartition("/")[2] == spec.name
        assert len("\0".join(spec.argv)) + 1 <= MAX_COMMAND_LINE <= len(PADDING)
        assert " ".join(spec.argv).isascii()


def test_high_cardinality_shares_no_name_and_no_command_line() -> None:
    assert population("realistic", count=1, busy=1, critical=0, seed=1)[0].role == "busy"
    specs = population("high-cardinality", count=5000, busy=100, critical=100, seed=0)
    assert len({spec.name for spec in specs}) == len({spec.argv for spec in specs}) == 5000


def test_realistic_repeats_names_as_a_web_host_does_and_never_command_lines() -> None:
    specs = population("realistic", count=120, busy=12, critical=3, seed=1)
    assert 10 <= len({spec.name for spec in specs}) < 30
    assert len({spec.argv for spec in specs}) == 120


@pytest.mark.parametrize("profile", PROFILES)
def test_critical_ones_are_last_in_every_ranking_and_matched_by_their_pattern_alone(profile: str) -> None:
    specs = population(profile, count=200, busy=20, critical=5, seed=2)
    critical, others = specs[:5], specs[5:]
    assert max(spec.memory_bytes for spec in critical) < min(spec.memory_bytes for spec in others)
    assert all(spec.cpu.share == 0 and not spec.restarts for spec in critical)
    patterns = critical_patterns(profile, 5)
    assert patterns[0] == "^phx-crit-01$"
    for pattern, spec in zip(patterns, critical, strict=True):
        assert [other.name for other in specs if re.search(pattern, other.name)] == [spec.name]
        assert CriticalPattern(name=pattern).warnings() == ()


@pytest.mark.parametrize("busy", [1, 2, 20, 500])
def test_busy_ones_have_a_strict_ranking_within_the_cpu_budget(busy: int) -> None:
    shares = [spec.cpu.share for spec in population("high-cardinality", count=600, busy=busy, critical=0, seed=1)][
        :busy
    ]
    assert shares == sorted(set(shares), reverse=True)
    assert 0 < shares[-1] <= shares[0] <= 0.024
    assert sum(shares) <= CPU_BUDGET * 1.000001


def test_memory_stays_within_its_budget() -> None:
    for profile in PROFILES:
        assert (
            sum(spec.memory_bytes for spec in population(profile, count=5000, busy=50, critical=0, seed=1))
            <= MEMORY_BUDGET
        )


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"count": 0}, "count: .*greater than or equal to 1"),
        ({"count": 5001}, "count: .*less than or equal to 5000"),
        ({"busy": 11}, "busy: 11 is more than count 10"),
        ({"busy": 0, "critical": 11}, "critical: 11 is more than count 10"),
        ({"busy": 6, "critical": 5}, "busy 6 \\+ critical 5 is more than count 10"),
        ({"seed": -1}, "seed: "),
    ],
)
def test_what_is_out_of_bounds_is_named(arguments: dict[str, int], named: str) -> None:
    with pytest.raises(InvalidInput, match=named):
        population("realistic", **{"count": 10, "busy": 2, "critical": 1, "seed": 0, **arguments})


def test_an_unknown_profile_is_named_with_those_that_exist() -> None:
    with pytest.raises(InvalidInput, match=r"profile: .*'high-cardinality', 'realistic', 'process-churn'"):
        population("heavy", count=1, busy=0, critical=0, seed=0)


def test_a_request_without_numbers_gives_the_profile_s_defaults() -> None:
    specs = population_of(LoadSpec.model_validate({"profile": "high-cardinality"}))
    roles = [spec.role for spec in specs]
    assert (len(roles), roles.count("busy"), roles.count("critical")) == (1000, 20, 5)
