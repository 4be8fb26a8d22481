"""The bad input that the product promises to survive: each names the field, the rule and the way out, and creates
nothing at all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.functional.control_plane.asgi import Answer
from tests.functional.control_plane.world import World, deployment, manifest

EXPERIMENTS = "/api/v1/experiments"
WORDS = "'exporters' otlp_http: endpoint must be specified"


@pytest.fixture
def world(world: World) -> World:
    for name in ("h1", "h2"):
        world.host(name)
    return world


def with_spec(**spec: Any) -> dict[str, Any]:
    return manifest(["h1"], **spec)


def candidate(name: str = "process-topk-v1", **parameters: Any) -> dict[str, Any]:
    return with_spec(candidate={"pipeline": name, "parameters": parameters})


def refused(world: World, body: Any, status: int = 400, code: str = "PHX-INVALID") -> Mapping[str, Any]:
    """The problem document; nothing was created and no host is held."""
    answer = world.send("POST", EXPERIMENTS + "?start=true", body)
    document = problem(answer, status, code)
    assert world.get(EXPERIMENTS)["items"] == []
    assert [world.claimed(host) for host in ("h1", "h2")] == ["", ""]
    assert world.control_plane.tick() == 0
    return document


def problem(answer: Answer, status: int, code: str) -> Mapping[str, Any]:
    assert answer.headers["content-type"] == "application/problem+json"
    document: Mapping[str, Any] = answer.json
    assert (answer.status, document["status"], document["code"]) == (status, status, code), document
    assert document["title"]
    assert document["detail"]
    assert document["type"].endswith(code.lower())
    return document


@pytest.mark.parametrize(
    ("body", "pointer", "rule", "fix"),
    [
        (candidate("process-topk-v2"), "/spec/candidate/pipeline", "no pipeline 'process-topk-v2'", "process-topk-v1"),
        (candidate(kk=3), "/spec/candidate/parameters/kk", "kk", "k"),
        (candidate(k=0), "/spec/candidate/parameters/k", "0", "1"),
        (candidate(k=501), "/spec/candidate/parameters/k", "501", "500"),
        (candidate(k="many"), "/spec/candidate/parameters/k", "many", "number"),
        (candidate(k=True), "/spec/candidate/parameters/k", "", ""),
        (with_spec(targets={"hosts": ["h9"]}), "/spec/targets/hosts/0", "no host named 'h9'", "phoenix host list"),
        (
            with_spec(targets={"selector": {"matchLabels": {"role": "nowhere"}}}),
            "/spec/targets/selector",
            "no host has the labels",
            "phoenix host list",
        ),
        (with_spec(targets={"hosts": []}), "/spec/targets", "at least one host", ""),
        (with_spec(targets={}), "/spec/targets", "at least one host", ""),
        (with_spec(targets={"hosts": ["h1", "h1"]}), "/spec/targets", "named twice", ""),
        (with_spec(targets={"hosts": ["No Name"]}), "/spec/targets/hosts/0", "pattern", ""),
        (with_spec(critical=[]), "/spec/critical", "at least 1", ""),
        (with_spec(critical=[{"name": "["}]), "/spec/critical/0", "not a regular expression", ""),
        (with_spec(critical=[{"name": "(?=x)"}]), "/spec/critical/0", "not RE2", ""),
        (with_spec(critical=[{"commandLine": "(a)\\1"}]), "/spec/critical/0", "not RE2", ""),
        (with_spec(critical=[{"name": "a++"}]), "/spec/critical/0", "not RE2", ""),
        (with_spec(critical=[{"name": ""}]), "/spec/critical/0", "empty pattern", ""),
        (with_spec(critical=[{"name": "a", "owner": "b"}]), "/spec/critical/0", "exactly one", ""),
        (with_spec(gaurdrails={}), "/spec/gaurdrails", "unknown field 'gaurdrails'", "spelling"),
        (
            with_spec(schedule={"maxDuration": "20s", "minDuration": "21s"}),
            "/spec/schedule",
            "maxDuration is shorter",
            "",
        ),
        (with_spec(interval="soon"), "/spec/interval", "not a duration", ""),
        (with_spec(interval=-1), "/spec/interval", "greater than or equal to 1", ""),
        (with_spec(guardrails={"criticalRetention": "99%"}), "/spec/guardrails/criticalRetention", "invariant", ""),
        (with_spec(priceBook="mine"), "/spec/priceBook", "unknown price book", "example-2026"),
        (with_spec(mode="both"), "/spec/mode", "dedicated", ""),
        ({**with_spec(), "kind": "Trial"}, "/kind", "Experiment", ""),
        ({**with_spec(), "metadata": {"name": "Über"}}, "/metadata/name", "pattern", ""),
        ({"spec": {}}, "/apiVersion", "required", "add it"),
        (
            with_spec(
                baseline={"pipeline": "process-baseline-v1", "backend": {"otlp": "http://x", "headers": {"a": "s3"}}}
            ),
            "/spec/baseline/backend/headers/a",
            "pattern",
            "",
        ),
    ],
)
def test_a_wrong_field_is_named_with_its_rule(world: World, body: Any, pointer: str, rule: str, fix: str) -> None:
    errors = {error["pointer"]: error for error in refused(world, body)["errors"]}
    assert pointer in errors
    assert rule in errors[pointer]["rule"]
    assert fix in errors[pointer]["fix"] + errors[pointer]["rule"]


def test_every_wrong_field_is_named_at_once(world: World) -> None:
    body = with_spec(interval="soon", promotion="maybe", critical=[])
    pointers = {error["pointer"] for error in refused(world, body)["errors"]}
    assert pointers == {"/spec/interval", "/spec/promotion", "/spec/critical"}


def test_the_collectors_own_words_are_shown_when_it_rejects_the_configuration(world: World) -> None:
    world.validator.refusals["metrics/candidate"] = WORDS
    document = refused(world, with_spec(), 422, "PHX-REJECTED")
    assert WORDS in document["detail"]
    assert document["errors"] == [
        {"pointer": "/spec", "rule": WORDS, "fix": "change the configuration as the collector says"}
    ]


def test_without_a_collector_nothing_is_taken_on_trust(world: World) -> None:
    world.validator.missing = True
    refused(world, with_spec(), 503, "PHX-UNAVAILABLE")


def test_a_busy_host_is_named_with_its_holder_and_the_second_experiment_leaves_nothing(world: World) -> None:
    world.post(EXPERIMENTS, manifest(["h1"]))
    answer = world.send("POST", EXPERIMENTS, manifest(["h2", "h1"], "second"))
    document = problem(answer, 409, "PHX-CONFLICT")
    assert "'h1' is busy in experiment 'web'" in document["detail"]
    assert "phoenix experiment list" in document["hint"]
    assert document["errors"][0]["pointer"] == "/spec/targets"
    assert [world.claimed(host) for host in ("h1", "h2")] == ["web", ""]
    assert world.send("GET", EXPERIMENTS + "/second").status == 404
    assert world.post(EXPERIMENTS, manifest(["h2"], "second"))["experiment"]["state"] == "draft"


def test_a_name_is_used_once(world: World) -> None:
    world.post(EXPERIMENTS, manifest(["h1"]))
    document = problem(world.send("POST", EXPERIMENTS, manifest(["h2"])), 409, "PHX-CONFLICT")
    assert document["errors"][0]["pointer"] == "/metadata/name"
    assert "phoenix experiment delete web" in document["hint"]
    assert world.claimed("h2") == ""


def test_what_is_legal_but_hardly_meant_is_a_warning(world: World) -> None:
    body = with_spec(critical=[{"name": "^a-name-beyond-fifteen$"}])
    (warning,) = world.post(EXPERIMENTS, body)["warnings"]
    assert "15 characters" in warning


@pytest.mark.parametrize(
    ("change", "pointer", "rule"),
    [
        ({"hosts": []}, "/hosts", "empty"),
        ({"name": "Web"}, "/name", "pattern"),
        ({"plan": {}}, "/plan", "either pipeline or config"),
        ({"plan": {"pipeline": {"pipeline": "nope"}}}, "/plan/pipeline/pipeline", "no pipeline"),
        (
            {"plan": {"pipeline": {"pipeline": "process-topk-v1", "parameters": {"k": 0}}}},
            "/plan/pipeline/parameters/k",
            "0",
        ),
        ({"plan": {"config": {}, "critical": [{"name": "x"}]}}, "/plan", "belong to catalog pipelines"),
        ({"hots": ["h1"]}, "/hots", "unknown field"),
        ({"hosts": ["h9"]}, "/hosts/0", "no host named 'h9'"),
    ],
)
def test_a_wrong_deployment_is_named_and_leaves_nothing(
    world: World, change: dict[str, Any], pointer: str, rule: str
) -> None:
    body = {**deployment("base", ["h1"], "process-baseline-v1"), **change}
    document = problem(world.send("POST", "/api/v1/deployments", body), 400, "PHX-INVALID")
    errors = {error["pointer"]: error["rule"] for error in document["errors"]}
    assert rule in errors[pointer]
    assert world.get("/api/v1/deployments")["items"] == []
    assert world.get("/api/v1/hosts/h1")["deployment"] == ""


def test_a_configuration_of_ones_own_is_rejected_in_the_collectors_words(world: World) -> None:
    world.validator.refusals["frob"] = WORDS
    config = {
        "receivers": {"frob": {}},
        "exporters": {"nop": {}},
        "service": {"pipelines": {"metrics": {"receivers": ["frob"], "exporters": ["nop"]}}},
    }
    answer = world.send("POST", "/api/v1/deployments", {"name": "own", "hosts": ["h1"], "plan": {"config": config}})
    assert WORDS in problem(answer, 422, "PHX-REJECTED")["errors"][0]["rule"]
    report = world.send("POST", "/api/v1/validations", {"config": config}).json
    assert (report["accepted"], report["collector"]) == (False, "refused")
    assert WORDS in [finding["message"] for finding in report["findings"]]
    assert world.get("/api/v1/deployments")["items"] == []


def test_a_host_of_another_deployment_is_refused(world: World) -> None:
    world.post("/api/v1/deployments", deployment("base", ["h1"], "process-baseline-v1"))
    answer = world.send("POST", "/api/v1/deployments", deployment("other", ["h2", "h1"], "process-baseline-v1"))
    assert "'h1' is busy in pipeline 'base'" in problem(answer, 409, "PHX-CONFLICT")["detail"]
    assert world.get("/api/v1/hosts/h2")["deployment"] == ""
    assert [one["name"] for one in world.get("/api/v1/deployments")["items"]] == ["base"]


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("/api/v1/hosts?limit=0", 400),
        ("/api/v1/hosts?limit=501", 400),
        ("/api/v1/hosts?limit=ten", 400),
        ("/api/v1/hosts?limti=3", 400),
        ("/api/v1/hosts?cursor=garbage", 400),
        ("/api/v1/whoami?x=1", 400),
        ("/api/v1/experiments/nobody", 404),
        ("/api/v1/experiments/nobody/evaluation", 404),
        ("/api/v1/experiments/nobody/audit", 404),
        ("/api/v1/deployments/nobody", 404),
        ("/api/v1/hosts/nobody", 404),
        ("/api/v1/pipelines/nobody", 404),
    ],
)
def test_reading_what_is_not_there_or_wrongly_asked(world: World, target: str, status: int) -> None:
    problem(world.send("GET", target), status, "PHX-NOT-FOUND" if status == 404 else "PHX-INVALID")
