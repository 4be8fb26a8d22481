"""The CRDs' schemas: they take every spec that the models take, explain every field, and know each rule."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from chalicelib.domain.experiment.spec import ExperimentSpec
from chalicelib.domain.kubernetes.crd.definitions import definitions
from chalicelib.domain.kubernetes.crd.forms import COMPUTED, FIELDS, MAP_LISTS
from chalicelib.domain.kubernetes.crd.rules import RULES
from chalicelib.domain.kubernetes.load_job import LoadSimulationJobSpec
from chalicelib.domain.kubernetes.process_pipeline import PhoenixProcessPipelineSpec
from chalicelib.domain.kubernetes.writing import spec_body
from tests.unit.kubernetes_crd.checker import mistakes
from tests.unit.kubernetes_crd.resources import EXPERIMENT, LOAD, PIPELINE, REFUSED, RIGHT

MODELS: dict[str, type[BaseModel]] = {
    PIPELINE: PhoenixProcessPipelineSpec,
    LOAD: LoadSimulationJobSpec,
    EXPERIMENT: ExperimentSpec,
}
WHOLE = {
    crd["spec"]["names"]["kind"]: crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    for crd in definitions().values()
}
SPECS = {kind: schema["properties"]["spec"] for kind, schema in WHOLE.items()}


def schemas(schema: dict[str, Any], at: str) -> Iterator[tuple[str, dict[str, Any]]]:
    yield at, schema
    for name, inner in schema.get("properties", {}).items():
        yield from schemas(inner, f"{at}.{name}")
    for word in ("items", "additionalProperties"):
        if word in schema:
            yield from schemas(schema[word], f"{at}[]")


ALL = [found for kind, schema in WHOLE.items() for found in schemas(schema, kind)]


@pytest.mark.parametrize("what", RIGHT)
def test_what_is_right_is_taken_as_it_is_written_and_as_a_client_sends_it(what: str) -> None:
    kind, spec = RIGHT[what]
    read = MODELS[kind].model_validate(spec)
    sent = spec_body(read)
    assert mistakes(spec, SPECS[kind]) == []
    assert mistakes(sent, SPECS[kind]) == []
    assert MODELS[kind].model_validate(sent) == read


@pytest.mark.parametrize("what", REFUSED)
def test_what_the_api_server_refuses_the_model_refuses_too(what: str) -> None:
    kind, spec, _ = REFUSED[what]
    with pytest.raises(ValidationError):
        MODELS[kind].model_validate(spec)


def test_every_rule_has_an_example_that_it_refuses() -> None:
    said = " ".join(message for _, _, message in REFUSED.values())
    changes = {"only stopped may change", "an experiment never changes"}
    for title, rules in RULES.items():
        for rule in rules:
            shown = any(message in rule.message for _, _, message in REFUSED.values())
            assert shown or any(text in rule.message for text in changes), f"{title}: {rule.message}"
    assert "a key does not match" in said


def seconds(least: float, most: float) -> st.SearchStrategy[float]:
    """To the microsecond: what is finer is not kept."""
    return st.floats(least, most).map(lambda drawn: round(drawn, 6))


SECONDS = seconds(1, 3600) | st.integers(1, 3600) | st.sampled_from(["1500ms", "1.5s", "2m", "1m30s"])
SHARES = st.floats(0.01, 0.99) | st.sampled_from(["50%", "12.5%"])
NAMES = st.from_regex(r"^[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?$", fullmatch=True)
VALUES = (
    st.booleans() | st.integers(-1000, 1000) | st.floats(-10, 10) | st.text(max_size=8) | st.lists(st.text(max_size=4))
)
PIPELINES = st.fixed_dictionaries(
    {"variants": st.tuples(st.fixed_dictionaries({"pipeline": NAMES, "parameters": st.dictionaries(NAMES, VALUES)}))},
    optional={
        "interval": SECONDS,
        "hostAccess": st.sampled_from(["limited", "full"]),
        "nodeNames": st.lists(NAMES, max_size=5),
        "nodeSelector": st.dictionaries(
            st.sampled_from(["a", "kubernetes.io/os"]), st.sampled_from(["", "Linux", "1"])
        ),
        "revision": st.integers(0, 2**53),
        "rollout": st.fixed_dictionaries(
            {},
            optional={"maxSurge": st.sampled_from([1, 5000, "1%", "100%"]), "progressDeadline": seconds(30, 86_400)},
        ),
    },
)
LOADS = st.fixed_dictionaries(
    {
        "load": st.fixed_dictionaries(
            {"profile": st.sampled_from(["realistic", "chaos"]), "durationS": seconds(1, 86_400)}
        )
    }
)
EXPERIMENTS = st.fixed_dictionaries(
    {
        "baseline": st.just({"pipeline": "a"}),
        "candidate": st.just({"pipeline": "b"}),
        "critical": st.just([{"name": "a"}]),
        "targets": st.fixed_dictionaries({"hosts": st.lists(NAMES, min_size=1, max_size=9, unique=True)}),
    },
    optional={
        "success": st.fixed_dictionaries({"costReduction": st.fixed_dictionaries({"atLeast": SHARES})}),
        "schedule": st.fixed_dictionaries({"warmUp": SECONDS}),
        "dryRun": st.booleans(),
    },
)


@given(
    st.tuples(st.just(PIPELINE), PIPELINES)
    | st.tuples(st.just(LOAD), LOADS)
    | st.tuples(st.just(EXPERIMENT), EXPERIMENTS)
)
def test_every_valid_spec_is_taken_and_comes_back_as_it_was(drawn: tuple[str, dict[str, Any]]) -> None:
    kind, spec = drawn
    read = MODELS[kind].model_validate(spec)
    sent = spec_body(read)
    assert mistakes(sent, SPECS[kind]) == []
    back = MODELS[kind].model_validate(sent)
    assert spec_body(back) == sent


def test_every_field_is_explained_in_words_of_our_own() -> None:
    fields = [(at, schema) for at, schema in ALL if "." in at and not at.endswith((".metadata", "[]"))]
    silent = [at for at, schema in fields if len(schema.get("description", "")) < 4]
    assert len(fields) > 300
    assert not silent


def test_schemas_are_structural() -> None:
    for at, schema in ALL:
        untyped = {"x-kubernetes-int-or-string", "x-kubernetes-preserve-unknown-fields"} & schema.keys()
        assert "type" in schema or untyped, at
        assert not schema.keys() & {"$ref", "title", "anyOf", "oneOf", "patternProperties", "const"}, at


def test_defaults_are_of_their_schema_and_none_is_of_a_field_that_follows_from_others() -> None:
    for at, schema in ALL:
        if "default" in schema:
            assert mistakes(schema["default"], schema, at) == []
    load = SPECS[LOAD]["properties"]["load"]["properties"]
    assert {name for name, field in load.items() if "default" in field} == {"profile"}
    assert "default" not in SPECS[EXPERIMENT]["properties"]["claim"]
    assert SPECS[PIPELINE]["properties"]["interval"]["default"] == 15
    assert not [at for at, schema in ALL if ".status" in at and "default" in schema]


def test_the_tables_name_fields_that_exist() -> None:
    found = {(model.__name__, name) for model in every_model() for name in aliases(model)}
    models = {title for title, _ in found}
    assert FIELDS.keys() <= found
    assert MAP_LISTS.keys() <= found
    assert RULES.keys() <= models
    for name in COMPUTED:
        title, _, field = name.partition(".")
        assert title in models if field == "*" else (title, field) in found


def every_model() -> set[type[BaseModel]]:
    found: set[type[BaseModel]] = set()
    waiting: list[type[BaseModel]] = [BaseModel]
    while waiting:
        children = waiting.pop().__subclasses__()
        waiting += children
        found |= set(children)
    return {model for model in found if model.__module__.startswith("chalicelib.domain")}


def aliases(model: type[BaseModel]) -> set[str]:
    return {field.alias or name for name, field in model.model_fields.items()}


def test_columns_read_fields_that_exist() -> None:
    for crd in definitions().values():
        kind = crd["spec"]["names"]["kind"]
        known = {at.removeprefix(kind) for at, _ in ALL if at.startswith(kind)}
        for column in crd["spec"]["versions"][0]["additionalPrinterColumns"]:
            path = column["jsonPath"].split("[?")[0]
            assert path in known | {".metadata.creationTimestamp"}
