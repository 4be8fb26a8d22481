"""The catalog through HTTP: found by name, alias and version, filled in for tools that run it elsewhere."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.domain.pipeline.rendering import Fragment
from tests.functional.control_plane.world import VIEWER, World

PATH = "/api/v1/pipelines"


def fragment(world: World, name: str, **body: Any) -> Any:
    return world.post(f"{PATH}/{name}/fragment", body, token=VIEWER)


def test_the_catalog_is_listed_with_its_source(world: World) -> None:
    items = {one["name"]: one for one in world.get(PATH)["items"]}
    assert items["process-topk-v1"]["source"] == "catalog"
    assert world.get(PATH + "/process-topk-v1")["version"] == items["process-topk-v1"]["version"]


def test_a_fragment_is_filled_in_under_the_pipelines_own_name_and_version(world: World) -> None:
    found = Fragment.model_validate(fragment(world, "process-topk-v1", parameters={"k": 7}))
    assert (found.pipeline, found.parameters["k"]) == ("process-topk-v1", 7)
    assert found.version == world.get(PATH + "/process-topk-v1")["version"]
    assert found.scraper_metrics == ("process.cpu.utilization",)
    assert set(found.at(15)) == set(found.order)


def test_an_alias_gives_the_name_that_it_stands_for(world: World) -> None:
    assert fragment(world, "process-priority-based-v1")["pipeline"] == "process-priority-filter-v1"


@pytest.mark.parametrize(
    ("name", "body", "status", "words"),
    [
        ("process-topk-v2", {}, 404, "did you mean process-topk-v1"),
        ("process-topk-v1", {"parameters": {"k": 0}}, 400, "below the minimum"),
        ("process-topk-v1", {"version": "9.9.9"}, 400, "has no version 9.9.9"),
        ("process-topk-v1", {"version": "3"}, 404, "there is no pipeline"),
        ("process-topk-v1", {"version": "latest"}, 400, "/version"),
        ("process-topk-v1", {"k": 3}, 400, "unknown field 'k'"),
    ],
)
def test_a_wrong_request_is_refused_with_its_reason(
    world: World, name: str, body: Any, status: int, words: str
) -> None:
    answer = world.send("POST", f"{PATH}/{name}/fragment", body, token=VIEWER)
    assert (answer.status, words in str(answer.json)) == (status, True), answer.json
