"""Whatever stands behind the URL may say anything: an answer is what was asked for, or an error that is ours."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from chalicelib.adapters.prometheus.answers import data_of, matrix_of, said, scalar_of
from chalicelib.domain.errors import Unavailable

LABELS = frozenset({"host_name", "phoenix_variant"})
GOOD = {"metric": {"host_name": "a", "phoenix_variant": "baseline"}, "values": [[1.5, "3"], [2.0, "4"]]}

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=6,
)
shaped = st.fixed_dictionaries(
    {
        "resultType": st.sampled_from(["matrix", "vector", "scalar"]),
        "result": st.lists(
            st.fixed_dictionaries(
                {
                    "metric": st.dictionaries(st.sampled_from([*sorted(LABELS), "pod"]), anything, max_size=3),
                    "values": st.lists(st.tuples(anything, anything).map(list) | anything, max_size=3) | anything,
                    "value": anything,
                }
            )
            | anything,
            max_size=4,
        )
        | anything,
    }
)


def matrix(*series: Any) -> dict[str, Any]:
    return {"resultType": "matrix", "result": list(series)}


def read(data: Any) -> list[Any]:
    return list(matrix_of(data, LABELS, 3))


def test_a_sound_answer_is_read() -> None:
    assert read(matrix(GOOD)) == [({"host_name": "a", "phoenix_variant": "baseline"}, [(1500, 3), (2000, 4)])]
    assert scalar_of({"resultType": "vector", "result": [{"metric": {}, "value": [1, "2"]}]}) == 2


def test_a_label_that_a_series_lacks_is_empty() -> None:
    assert read(matrix({"metric": {"host_name": "a"}, "values": []}))[0][0]["phoenix_variant"] == ""


@pytest.mark.parametrize(
    "series",
    [
        {**GOOD, "metric": {**GOOD["metric"], "pod": "x"}},  # type: ignore[dict-item]
        {**GOOD, "metric": {"host_name": 3}},
        {**GOOD, "metric": {"host_name": "x" * 5000}},
        {**GOOD, "values": [[1, "NaN"]]},
        {**GOOD, "values": [[1, "+Inf"]]},
        {**GOOD, "values": [[1, "0x10"]]},
        {**GOOD, "values": [[1, "1.5"]]},
        {**GOOD, "values": [[1, "-1"]]},
        {**GOOD, "values": [[1, "9" * 30]]},
        {**GOOD, "values": [[1, 3]]},
        {**GOOD, "values": [[True, "3"]]},
        {**GOOD, "values": [["1", "3"]]},
        {**GOOD, "values": [[-1, "3"]]},
        {**GOOD, "values": [[2, "3"], [1, "3"]]},
        {**GOOD, "values": [[1, "3"], [1, "3"]]},
        {**GOOD, "values": [[1]]},
        {"metric": GOOD["metric"]},
        "series",
    ],
)
def test_a_series_that_cannot_be_right_is_refused(series: Any) -> None:
    with pytest.raises(Unavailable):
        read(matrix(series))


def test_a_series_twice_and_more_series_than_possible_are_refused() -> None:
    for series in ([GOOD, GOOD], [{"metric": {"host_name": str(n)}, "values": []} for n in range(4)]):
        with pytest.raises(Unavailable):
            read(matrix(*series))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(shaped | anything)
def test_no_answer_breaks_the_reader(data: Any) -> None:
    for reader in (read, scalar_of):
        try:
            found = reader(data)
        except Unavailable:
            continue
        if reader is read:
            assert all(isinstance(count, int) and count >= 0 for _, points in found for _, count in points)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=200) | anything.map(lambda value: json.dumps(value).encode()))
def test_no_body_breaks_the_reader_and_what_is_shown_of_it_is_bounded(body: bytes) -> None:
    with suppress(ValueError):
        document = json.loads(body)
        assume(not (isinstance(document, dict) and document.get("status") == "success"))
    with pytest.raises(Unavailable) as caught:
        data_of(body)
    assert len(caught.value.detail) < 400
    assert caught.value.detail.isprintable()
    assert said(body).isprintable()


@pytest.mark.parametrize(
    "document",
    [
        {"status": "error", "errorType": "bad_data", "error": "no\x1b[31m such thing"},
        {"status": "success", "data": matrix(GOOD), "warnings": ["store away: partial response"]},
        {"data": matrix(GOOD)},
        [],
    ],
)
def test_errors_and_answers_that_may_be_incomplete_are_refused(document: Any) -> None:
    with pytest.raises(Unavailable) as caught:
        data_of(json.dumps(document).encode())
    assert caught.value.detail.isprintable()


def test_deep_nesting_and_numbers_that_json_has_not_are_refused() -> None:
    for body in (b"[" * 100_000, b'{"status": "success", "data": NaN}'):
        with pytest.raises(Unavailable):
            data_of(body)
