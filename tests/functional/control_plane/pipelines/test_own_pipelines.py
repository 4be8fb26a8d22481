"""A tenant's own pipelines through HTTP: versions that never change, names that never mean two things, and uses that
keep what they began with."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.domain.access import Role
from tests.functional.control_plane.pipelines.own import COLLECTOR, document
from tests.functional.control_plane.world import OPERATOR, VIEWER, World, deployment, manifest

PATH = "/api/v1/pipelines"


def create(world: World, text: str | None = None, **body: Any) -> Any:
    return world.post(PATH, {"text": text or document(), **body})


def update(world: World, text: str, name: str = "lean", **body: Any) -> Any:
    return world.post(f"{PATH}/{name}/versions", {"text": text, **body})


def refused(world: World, method: str, target: str, body: Any = None, token: str = OPERATOR) -> Any:
    answer = world.send(method, target, body, token=token)
    assert answer.status >= 400, answer.body
    return {**answer.json, "status": answer.status}


def listed(world: World) -> dict[tuple[str, str], Any]:
    return {(one["source"], one["name"]): one for one in world.get(PATH)["items"]}


def hash_of_conditions(world: World, version: str | None = None) -> Any:
    body = {"version": version} if version else {}
    return world.post(f"{PATH}/lean/fragment", body, token=VIEWER)


def test_a_document_becomes_a_pipeline_beside_the_catalog(world: World) -> None:
    made = create(world, note="first try")
    assert (made["name"], made["version"]["number"], made["new"]) == ("lean", 1, True)
    assert made["report"]["collector"] == "accepted"
    shown = world.get(PATH + "/lean")
    assert (shown["source"], shown["version"], shown["title"]) == ("own", "1", "Lean")
    assert shown["changelog"] == [{"version": "1", "text": "first try"}]
    assert ("own", "lean") in listed(world)
    assert ("catalog", "process-topk-v1") in listed(world)
    config = world.post(f"{PATH}/lean/render", {"parameters": {"most": 7}}, token=VIEWER)["config"]
    assert "> 7" in config["processors"]["filter/high"]["metric_conditions"][0]


def test_a_collector_configuration_gives_its_processors_and_says_what_is_left_out(world: World) -> None:
    made = create(world, COLLECTOR, name="mine", title="Small ones")
    assert world.get(PATH + "/mine")["title"] == "Small ones"
    fragment = world.post(f"{PATH}/mine/fragment", {}, token=VIEWER)
    assert (fragment["order"], fragment["version"]) == (["filter/small"], "1")
    assert [one["what"] for one in made["leftOut"]] == [
        "memory_limiter",
        "batch",
        "the interval of hostmetrics",
        "exporter debug",
    ]
    assert all(one["why"] for one in made["leftOut"])


def test_an_update_adds_a_version_and_leaves_the_old_one_as_it_was(world: World) -> None:
    create(world, document(limit=5))
    made = update(world, document(limit=6), note="one more")
    assert (made["version"]["number"], made["new"]) == (2, True)
    assert hash_of_conditions(world)["parameters"] == {"most": 6}
    assert hash_of_conditions(world, "1")["parameters"] == {"most": 5}
    versions = world.get(PATH + "/lean/versions")["items"]
    assert [(one["number"], one["by"], one["note"]) for one in versions] == [
        (1, OPERATOR, ""),
        (2, OPERATOR, "one more"),
    ]
    assert len({one["contentHash"] for one in versions}) == 2
    assert world.get(PATH + "/lean?version=1")["version"] == "1"
    for version in ("3", "1.0.0"):
        assert "has no version" in refused(world, "GET", f"{PATH}/lean?version={version}")["detail"]


def test_the_same_content_makes_no_version(world: World) -> None:
    first = create(world)["version"]
    assert (update(world, document())["version"], update(world, document())["new"]) == (first, False)
    again = create(world)
    assert (again["version"], again["new"]) == (first, False)
    assert len(world.get(PATH + "/lean/versions")["items"]) == 1


def test_an_older_content_can_come_back_as_a_new_version(world: World) -> None:
    create(world, document(limit=5))
    update(world, document(limit=6))
    assert update(world, document(limit=5))["version"]["number"] == 3


def test_a_dry_run_validates_and_stores_nothing(world: World) -> None:
    made = create(world, dryRun=True)
    assert (made["version"], made["new"]) == (None, False)
    assert made["report"]["collector"] == "accepted"
    assert ("own", "lean") not in listed(world)
    assert world.chain("pipeline:lean") == []


@pytest.mark.parametrize("name", ["process-topk-v1", "process-priority-based-v1"])
def test_a_name_or_alias_of_the_catalog_cannot_be_taken(world: World, name: str) -> None:
    problem = refused(world, "POST", PATH, {"text": document(), "name": name})
    assert (problem["status"], problem["errors"][0]["pointer"]) == (400, "/name")
    assert "catalog" in problem["detail"]
    for method, target, body in (("POST", "/versions", {"text": document()}), ("DELETE", "", None)):
        assert refused(world, method, f"{PATH}/{name}{target}", body)["status"] == 409


def test_a_taken_name_is_refused_with_the_way_to_a_new_version(world: World) -> None:
    create(world)
    problem = refused(world, "POST", PATH, {"text": document(limit=6)})
    assert (problem["status"], "phoenix pipeline update lean" in problem["hint"]) == (409, True)
    assert refused(world, "POST", PATH + "/fat/versions", {"text": document()})["status"] == 404


def test_what_the_collector_refuses_is_not_stored(world: World) -> None:
    world.validator.refusals["filter/high"] = "processors::filter/high: no such field"
    problem = refused(world, "POST", PATH, {"text": document()})
    assert (problem["status"], problem["errors"][0]["pointer"]) == (422, "/spec/processors/filter~1high")
    assert "no such field" in problem["errors"][0]["rule"]
    assert ("own", "lean") not in listed(world)


def test_without_a_collector_nothing_is_taken_on_trust(world: World) -> None:
    world.validator.missing = True
    assert refused(world, "POST", PATH, {"text": document()})["status"] == 503
    assert ("own", "lean") not in listed(world)


def test_strict_refuses_for_a_warning_that_is_kept_with_the_version_otherwise(world: World) -> None:
    problem = refused(world, "POST", PATH, {"text": document(), "strict": True})
    assert (problem["status"], "warning" in problem["errors"][0]["rule"]) == (422, True)
    warnings = create(world)["version"]["checked"]["warnings"]
    assert [one["rule"] for one in warnings] == ["PHX-V131"]


def test_viewers_look_and_operators_change(world: World) -> None:
    assert refused(world, "POST", PATH, {"text": document()}, VIEWER)["status"] == 403
    create(world)
    assert refused(world, "POST", PATH + "/lean/versions", {"text": document()}, VIEWER)["status"] == 403
    assert refused(world, "DELETE", PATH + "/lean", token=VIEWER)["status"] == 403
    assert world.get(PATH + "/lean/versions")["items"]


def test_tenants_do_not_see_each_other(world: World) -> None:
    create(world)
    other = world.control_plane.services.tokens.issue("other", Role.OPERATOR, "them", "test")[1]
    for target in ("", "/versions", "/document"):
        assert refused(world, "GET", f"{PATH}/lean{target}", token=other)["status"] == 404
    body = {"text": document(limit=9)}
    assert world.send("POST", PATH, body, token=other).json["version"]["number"] == 1
    assert hash_of_conditions(world)["parameters"] == {"most": 5}


def test_every_change_is_in_the_audit_trail(world: World) -> None:
    create(world)
    update(world, document(limit=6))
    world.send("DELETE", PATH + "/lean")
    assert [(one.action, one.actor) for one in world.chain("pipeline:lean")] == [
        (action, OPERATOR) for action in ("create", "update", "delete")
    ]


def test_an_experiment_keeps_the_version_it_began_with_through_its_promotion(world: World) -> None:
    host = world.host("h1")
    world.deployed(host)
    create(world)
    world.post(
        "/api/v1/experiments?start=true", manifest(["h1"], candidate={"pipeline": "lean"}, promotion="automatic")
    )
    update(world, document(limit=6))
    arm = world.experiment()["spec"]["candidate"]
    assert (arm["pipeline"], arm["version"]) == ("lean", "1")
    held = refused(world, "DELETE", PATH + "/lean")
    assert (held["status"], "experiment 'web'" in held["detail"]) == (409, True)
    world.until_state("completed")
    found = world.get("/api/v1/deployments/base")
    current = next(one for one in found["versions"] if one["number"] == found["current"])
    assert current["plan"]["pipeline"] == {"pipeline": "lean", "parameters": {}, "version": "1"}
    assert found["pipeline"] == "lean version 1"


def test_a_deleted_pipeline_is_gone_for_new_uses_and_there_for_old_ones(world: World) -> None:
    world.host("h1")
    create(world)
    world.post("/api/v1/experiments", manifest(["h1"], candidate={"pipeline": "lean"}))
    assert refused(world, "DELETE", PATH + "/lean")["status"] == 409
    world.post("/api/v1/experiments/web/stop")
    assert world.send("DELETE", PATH + "/lean").status == 204
    assert ("own", "lean") not in listed(world)
    assert refused(world, "GET", PATH + "/lean")["status"] == 404
    assert refused(world, "DELETE", PATH + "/lean")["status"] == 404
    for version in (None, "1"):
        candidate = {"pipeline": "lean", "version": version}
        problem = refused(world, "POST", "/api/v1/experiments", manifest(["h1"], "again", candidate=candidate))
        assert (problem["status"], problem["errors"][0]["pointer"]) == (400, "/spec/candidate/pipeline")
    assert "filter/high" in str(world.get("/api/v1/experiments/web/configs")["candidate"])
    assert len(world.get(PATH + "/lean/versions")["items"]) == 1


def test_a_name_that_is_used_again_goes_on_counting(world: World) -> None:
    create(world, document(limit=5))
    world.send("DELETE", PATH + "/lean")
    assert create(world, document(limit=5))["version"]["number"] == 2
    assert hash_of_conditions(world, "1")["parameters"] == {"most": 5}


def test_a_deployment_goes_back_to_the_version_it_had(world: World) -> None:
    world.host("h1")
    create(world)
    world.post("/api/v1/deployments", deployment("web", ["h1"], "lean"))
    update(world, document(limit=6))
    world.post("/api/v1/deployments", deployment("web", [], "lean"))
    found = world.get("/api/v1/deployments/web")
    assert [one["plan"]["pipeline"]["version"] for one in found["versions"]] == ["1", "2"]
    world.post("/api/v1/deployments/web/rollback", {"version": 1})
    found = world.get("/api/v1/deployments/web")
    assert found["versions"][-1]["plan"]["pipeline"]["version"] == "1"
    held = refused(world, "DELETE", PATH + "/lean")
    assert "deployment 'web'" in held["detail"]


def test_a_name_that_only_a_catalog_of_the_past_had_is_not_given_another_meaning(world: World) -> None:
    world.host("h1")
    world.post("/api/v1/deployments", deployment("web", ["h1"], "process-baseline-v1"))
    services = world.control_plane.services
    plan = services.deployments.get("default", "web").versions[0].plan
    gone = plan.model_copy(update={"pipeline": plan.pipeline.model_copy(update={"pipeline": "lean"})})  # type: ignore[union-attr]

    def renamed(old: Any) -> Any:
        return old.model_copy(update={"versions": (old.versions[0].model_copy(update={"plan": gone}),)})

    services.deployments.change("default", "web", renamed, "test", "as if its catalog was taken away")
    problem = refused(world, "POST", PATH, {"text": document()})
    assert (problem["status"], "deployment 'web'" in problem["detail"]) == (409, True)


def test_an_export_makes_the_same_pipeline_again(world: World) -> None:
    create(world)
    text = world.get(PATH + "/lean/document")["text"]
    assert update(world, text)["new"] is False
    catalog = world.get(PATH + "/process-topk-v1/document")["text"]
    made = create(world, catalog, name="top")
    assert made["new"]
    mine, theirs = (
        world.post(f"{PATH}/{name}/fragment", {"parameters": {"k": 3}}) for name in ("top", "process-topk-v1")
    )
    for part in ("processors", "order", "parameters", "scraperMetrics"):
        assert mine[part] == theirs[part]


def test_versions_of_neighbouring_names_are_kept_apart(world: World) -> None:
    for name in ("lean", "lean-2", "lea"):
        create(world, document(None), name=name)
    assert [one["pipeline"] for one in world.get(PATH + "/lean/versions")["items"]] == ["lean"]


@pytest.mark.parametrize(
    ("body", "pointer", "words"),
    [
        ({"text": "a: ["}, "", "line 1"),
        ({"text": "a: 1\na: 2"}, "", "given twice"),
        ({"text": "just text"}, "", "neither a pipeline document"),
        ({"text": document(None)}, "/metadata/name", "missing"),
        ({"text": document("No Name")}, "/metadata/name", "pattern"),
        ({"text": document(), "name": "../x"}, "/name", "pattern"),
        ({"text": document(colour="red")}, "/spec/colour", "unknown field"),
        ({"text": document(order=[])}, "/spec/processors/filter~1high", "not in the order"),
        ({"text": document(), "pipeline": "metrics"}, "", "no collector configuration"),
        ({"text": document(), "note": "n" * 201}, "/note", "200"),
        ({"text": "x" * (256 * 1024 + 1)}, "/text", "262144"),
        ({"text": document(), "critical": [{"name": "["}]}, "/critical/0", "not a regular expression"),
        (
            {"text": COLLECTOR.replace("filter/small, ", "filter/smal, "), "name": "x"},
            "/service/pipelines/metrics/processors/1",
            "not configured",
        ),
        (
            {"text": COLLECTOR.replace("300000", "${env:LIMIT}"), "name": "x"},
            "/processors/filter~1small/metric_conditions/0",
            "reads the environment",
        ),
    ],
)
def test_a_bad_file_is_refused_at_its_place_and_nothing_is_stored(
    world: World, body: Any, pointer: str, words: str
) -> None:
    before = listed(world)
    problem = refused(world, "POST", PATH, body)
    assert problem["status"] == 400
    found = {one["pointer"]: one["rule"] for one in problem["errors"]}
    assert words in found.get(pointer, ""), problem
    assert listed(world) == before
