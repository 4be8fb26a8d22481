"""The load request: defaults by profile, camelCase from outside, bounds, and no unknown fields."""

import pytest
from pydantic import ValidationError

from chalicelib.domain.load import DEFAULTS, LoadPhase, LoadSpec, LoadStatus


@pytest.mark.parametrize("profile", sorted(name for name, default in DEFAULTS.items() if default.count))
def test_defaults_come_from_the_profile(profile: str) -> None:
    spec, default = LoadSpec.model_validate({"profile": profile}), DEFAULTS[profile]
    assert (spec.count, spec.busy, spec.critical) == (default.count, default.busy, default.critical)
    assert spec.restarts_per_minute == default.restarts_per_minute
    assert spec.starts_per_second == default.starts_per_second


def test_the_declared_defaults_are_those_of_the_first_profile() -> None:
    assert LoadSpec() == LoadSpec.model_construct() == LoadSpec.model_validate({"profile": "high-cardinality"})


@pytest.mark.parametrize("count", [1, 2, 3, 10, 24, 299])
def test_defaults_shrink_to_a_small_count(count: int) -> None:
    spec = LoadSpec(count=count)
    assert spec.count == count
    assert spec.busy + spec.critical <= count
    assert spec.critical <= count / 4
    assert spec.busy <= count / 2


def test_what_is_given_is_kept() -> None:
    spec = LoadSpec.model_validate({"count": 10, "busy": 0, "critical": 10, "restartsPerMinute": 0, "durationS": "30m"})
    assert (spec.busy, spec.critical, spec.duration_s) == (0, 10, 1800)
    assert LoadSpec.model_validate(spec.model_dump(by_alias=True)) == LoadSpec.model_validate(spec.model_dump()) == spec


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"count": 0}, "count"),
        ({"count": "many"}, "count"),
        ({"busy": -1}, "busy"),
        ({"restartsPerMinute": 601}, "restartsPerMinute"),
        ({"durationS": 0}, "durationS"),
        ({"durationS": 86_401}, "durationS"),
        ({"seed": -1}, "seed"),
        ({"profile": "heavy"}, "profile"),
        ({"profile": "process-churn", "startsPerSecond": 51}, "startsPerSecond"),
        ({"processes": 5}, "processes"),
    ],
)
def test_what_is_wrong_is_named(given: dict[str, object], field: str) -> None:
    with pytest.raises(ValidationError) as caught:
        LoadSpec.model_validate(given)
    assert field in {str(item["loc"][0]) for item in caught.value.errors()}


def test_restarts_need_a_process_that_may_restart() -> None:
    with pytest.raises(ValidationError, match="none is left"):
        LoadSpec(count=4, busy=2, critical=2, restarts_per_minute=1)


def test_a_status_survives_json() -> None:
    status = LoadStatus(phase=LoadPhase.RUNNING, running=3, spawned=4, restarts=1, started_at=1.5, names=("phx-a",))
    assert LoadStatus.model_validate_json(status.model_dump_json(by_alias=True)) == status
    assert [phase for phase in LoadPhase if phase.ended] == [LoadPhase.STOPPED, LoadPhase.FAILED]
