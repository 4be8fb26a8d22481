"""One configuration for many nodes: only the host's name is replaced, and hashes tell whose it is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from chalicelib.bootstrap import Outside, catalog_pipelines
from chalicelib.domain.access import DEFAULT_TENANT
from chalicelib.domain.cluster.sharing import NODE, share, shared_marker, stamped
from chalicelib.domain.deployment import DeploymentPlan
from chalicelib.domain.pipeline.marker import content_hash, find_marker
from chalicelib.services.pipelines.pipelines import Pipelines
from chalicelib.settings import Settings
from tests.fakes.validator import FakeValidator


@pytest.fixture(scope="module")
def pipelines() -> Pipelines:
    return catalog_pipelines(Settings(data_dir=Path()), Outside(validator=FakeValidator()))[0]


def rendered(pipelines: Pipelines, host: str, scope: str = "deployment.web.1", k: int = 20) -> dict[str, object]:
    plan = DeploymentPlan.model_validate({"pipeline": {"pipeline": "process-topk-v1", "parameters": {"k": k}}})
    return pipelines.plan_config(DEFAULT_TENANT, plan, scope, host)


def test_two_hosts_of_one_deployment_share_and_the_hash_of_each_proves_it(pipelines: Pipelines) -> None:
    first, second = rendered(pipelines, "prod-node-1"), rendered(pipelines, "prod-node-2")
    shared = share(first, "prod-node-1")
    assert share(second, "prod-node-2") == shared
    assert "prod-node-1" not in json.dumps(shared.config)
    assert json.dumps(shared.config).count(NODE) == json.dumps(first).count('"prod-node-1"')
    assert shared.is_of("prod-node-2", content_hash(second))
    assert not shared.is_of("prod-node-2", content_hash(first))
    assert not shared.is_of("prod-node-2", content_hash(rendered(pipelines, "prod-node-2", k=21)))


def test_other_texts_that_look_like_the_host_stay(pipelines: Pipelines) -> None:
    config = {"processors": {"filter": {"match": "web"}, "resource": [{"key": "host.name", "value": "web"}]}}
    assert share(config, "web").config == {
        "processors": {"filter": {"match": "web"}, "resource": [{"key": "host.name", "value": NODE}]}
    }


def test_the_stamp_names_content_and_scope(pipelines: Pipelines) -> None:
    shared = share(rendered(pipelines, "prod-node-1"), "prod-node-1")
    made = stamped(shared, "exp-1")
    assert find_marker(made) == shared_marker(shared, "exp-1") != shared_marker(shared, "exp-2")
    assert '"exp-1"' in json.dumps(made)
    assert "deployment.web.1" not in json.dumps(made)
    assert content_hash(made) == shared.hash
