"""What is remembered of a configuration is what would be made of it anew, and no other's."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.errors import InvalidInput
from operators.pipelines.distinct import REMEMBERED, Distinct, finished, identity

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=12,
)


@given(st.lists(st.dictionaries(st.sampled_from(["receivers", "exporters", "x"]), VALUES), max_size=5))
def test_the_memory_gives_what_would_be_made_anew(configs: list[dict[str, object]]) -> None:
    distinct = Distinct()
    for config in [*configs, *configs]:
        again = json.loads(json.dumps(config))
        assert distinct(config) == distinct(again) == finished(config)


def test_the_same_content_in_another_order_is_another_text_of_one_hash() -> None:
    distinct = Distinct()
    one, other = distinct({"a": 1, "b": 2}), distinct({"b": 2, "a": 1})
    assert (one.config_hash, one.canonical) == (other.config_hash, other.canonical)
    assert one.text != other.text


def test_nothing_is_kept_of_what_is_no_configuration() -> None:
    distinct = Distinct()
    distinct({"a": None})
    for _ in range(2):
        with pytest.raises(ValueError, match="Out of range"):
            distinct({"a": float("nan")})
        with pytest.raises(InvalidInput, match="service"):
            distinct({"service": []})
    with pytest.raises(TypeError):
        identity({"a": object()})


def test_the_memory_ends_somewhere() -> None:
    distinct = Distinct()
    first = distinct({"n": 0})
    for number in range(1, REMEMBERED + 1):
        distinct({"n": number})
    assert distinct({"n": 0}) is not first
    assert distinct({"n": REMEMBERED}) is distinct({"n": REMEMBERED})
