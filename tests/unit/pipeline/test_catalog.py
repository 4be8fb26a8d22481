"""The catalog folder: what it holds, what its test data says, and how its mistakes are named."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from chalicelib.adapters.catalog.files import FileCatalog
from chalicelib.domain.errors import InvalidInput, NotFound
from chalicelib.domain.pipeline.metadata import BUILT_IN
from chalicelib.domain.pipeline.parameters import resolve_parameters
from chalicelib.domain.pipeline.rendering import built_in, render
from tests.unit.pipeline.golden import CATALOG, path_of, rendered

NAMES = [
    "process-adaptive-filter-v1",
    "process-aggregated-v1",
    "process-aggressive-v1",
    "process-baseline-v1",
    "process-basic-v1",
    "process-critical-v1",
    "process-dynamic-v1",
    "process-priority-filter-v1",
    "process-standard-v1",
    "process-topk-v1",
]


@pytest.fixture(scope="module")
def catalog() -> FileCatalog:
    return FileCatalog(CATALOG)


def cases() -> list[Any]:
    return [
        pytest.param(name, case, id=f"{name}-{case['given']}")
        for name in NAMES
        for case in yaml.safe_load((CATALOG / name / "testdata" / "cases.yaml").read_text())
    ]


def test_the_catalog_lists_its_pipelines(catalog: FileCatalog) -> None:
    assert catalog.names() == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_every_pipeline_has_a_readme_that_names_its_parameters(catalog: FileCatalog, name: str) -> None:
    text = (CATALOG / name / "README.md").read_text()
    assert text.startswith(f"# {name}\n")
    assert all(f"`{parameter.name}`" in text for parameter in catalog.get(name).metadata.parameters)


@pytest.mark.parametrize("name", NAMES)
def test_the_rendered_default_is_the_one_in_testdata(catalog: FileCatalog, name: str) -> None:
    assert path_of(name).read_text() == rendered(catalog, name), "run: python -m tests.unit.pipeline.golden"


@pytest.mark.parametrize(("name", "case"), cases())
def test_parameters_resolve_as_the_test_data_says(catalog: FileCatalog, name: str, case: dict[str, Any]) -> None:
    metadata = catalog.get(name).metadata
    if "values" in case:
        assert resolve_parameters(metadata, case["given"]) == case["values"]
        return
    with pytest.raises(InvalidInput) as caught:
        resolve_parameters(metadata, case["given"])
    assert [[problem.pointer, problem.rule] for problem in caught.value.problems] == [case["problem"]]


def test_a_problem_says_what_would_be_right(catalog: FileCatalog) -> None:
    with pytest.raises(InvalidInput) as caught:
        resolve_parameters(catalog.get("process-topk-v1").metadata, {"k": 0, "memroy_floor": 1})
    assert [(problem.pointer, problem.fix) for problem in caught.value.problems] == [
        (
            "/parameters/memroy_floor",
            "did you mean memory_floor? process-topk-v1 has k, disk, memory_floor; "
            "see: phoenix pipeline show process-topk-v1",
        ),
        (
            "/parameters/k",
            "process-topk-v1 takes k from 1 to 500 processes; see: phoenix pipeline show process-topk-v1",
        ),
    ]


def test_an_unknown_pipeline_is_told_near_names(catalog: FileCatalog) -> None:
    with pytest.raises(NotFound) as caught:
        catalog.get("process-topk")
    assert "did you mean process-topk-v1" in caught.value.hint


BROKEN = [
    ("metadata.yaml", "version: 1.1.0", "version: one", r"metadata\.yaml:2: version"),
    ("metadata.yaml", "minimum: 1\n", "minimum: 600\n", r"metadata\.yaml:\d+: parameters\.0: .*above maximum"),
    ("metadata.yaml", "default: 10\n", "default: 0\n", "a default is not legal: 0 is below the minimum 1"),
    ("metadata.yaml", "name: k\n", "name: kk\n", r"collector\.yaml:\d+: @\{k\} is not declared"),
    (
        "metadata.yaml",
        "name: process-topk-v1",
        "name: process-topk-v2",
        r"metadata\.yaml:1: name .* is not the folder's",
    ),
    ("metadata.yaml", "keeps: [", "keeps: {", r"metadata\.yaml:\d+: not YAML"),
    ("collector.yaml", "  - filter/rank\n", "", r"order and processors must name the same ids.*filter/rank"),
    ("collector.yaml", "@{memory_floor}", "4096", "parameter memory_floor is used nowhere"),
    ("collector.yaml", "scraperMetrics:", "scrapers:", r"collector\.yaml:\d+: unknown key 'scrapers'"),
    ("collector.yaml", '"desc"', '"${env:ORDER}"', "must not read the environment"),
]


@pytest.mark.parametrize(("file", "old", "new", "said"), BROKEN, ids=[row[3][:40] for row in BROKEN])
def test_a_mistake_in_a_folder_is_named_with_file_and_line(
    tmp_path: Path, file: str, old: str, new: str, said: str
) -> None:
    shutil.copytree(CATALOG / "process-topk-v1", tmp_path / "process-topk-v1")
    path = tmp_path / "process-topk-v1" / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(InvalidInput, match=said):
        FileCatalog(tmp_path)


def test_an_alias_gives_the_pipeline_under_its_own_name(catalog: FileCatalog) -> None:
    template = catalog.get("process-priority-based-v1")
    assert template is catalog.get("process-priority-filter-v1")
    assert render(template, {}).pipeline == "process-priority-filter-v1"
    assert "process-priority-based-v1" not in catalog.names()
    with pytest.raises(NotFound) as caught:
        catalog.get("process-priority-base-v1")
    assert "did you mean process-priority-based-v1" in caught.value.hint


@pytest.mark.parametrize("alias", ["process-topk-v1", "process-priority-based-v1", "process-priority-filter-v1"])
def test_no_pipeline_takes_a_name_or_an_alias_of_the_catalog(tmp_path: Path, alias: str) -> None:
    mine = tmp_path / "mine-v1"
    shutil.copytree(CATALOG / "process-baseline-v1", mine)
    text = (
        (mine / "metadata.yaml").read_text().replace("name: process-baseline-v1", f"name: mine-v1\naliases: [{alias}]")
    )
    (mine / "metadata.yaml").write_text(text)
    with pytest.raises(InvalidInput, match=f"the name {alias} is taken"):
        FileCatalog(CATALOG, tmp_path)


def test_an_empty_folder_is_no_catalog(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="no pipeline here"):
        FileCatalog(tmp_path)


def test_what_no_user_gives_is_filled_in_for_the_interval(catalog: FileCatalog) -> None:
    assert tuple(built_in(1)) == BUILT_IN
    assert built_in(0.5) == {"interval_ns": 500_000_000, "forget_process": "60s", "forget_group": "900s"}
    assert built_in(3600) == {"interval_ns": 3_600 * 10**9, "forget_process": "18000s", "forget_group": "18000s"}
    fragment = render(catalog.get("process-aggregated-v1"), {})
    slow, fast = (fragment.at(seconds)["cumulativetodelta/group"]["max_staleness"] for seconds in (60, 10))
    assert (slow, fast) == ("300s", "60s")


def test_a_parameter_cannot_take_a_built_in_name(tmp_path: Path) -> None:
    shutil.copytree(CATALOG / "process-topk-v1", tmp_path / "process-topk-v1")
    for file, old, new in (
        ("metadata.yaml", "name: k\n", "name: interval_ns\n"),
        ("collector.yaml", "@{k-1}", "@{interval_ns-1}"),
    ):
        path = tmp_path / "process-topk-v1" / file
        path.write_text(path.read_text().replace(old, new))
    with pytest.raises(InvalidInput, match="interval_ns is filled in by Phoenix"):
        FileCatalog(tmp_path)
