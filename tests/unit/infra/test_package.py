"""The package that the stack uploads, unpacked and run as Lambda's runtime would: import, look up by name, invoke."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from tests.unit.infra.conftest import ROOT, Synthesised

_SCHEDULED = {
    "version": "0",
    "account": "1",
    "region": "eu-west-1",
    "detail": {},
    "detail-type": "Scheduled Event",
    "source": "aws.events",
    "time": "2026-11-22T00:00:00Z",
    "id": "1",
    "resources": [],
}
_HEALTH = {
    "resource": "/healthz",
    "path": "/healthz",
    "requestContext": {
        "httpMethod": "GET",
        "resourcePath": "/healthz",
        "path": "/healthz",
        "identity": {"sourceIp": "::1"},
    },
    "headers": {},
    "multiValueHeaders": {},
    "pathParameters": None,
    "multiValueQueryStringParameters": None,
    "stageVariables": None,
    "body": None,
    "isBase64Encoded": False,
}
_WORK = {"Records": [{"messageId": "m1", "receiptHandle": "r1", "body": "[]"}]}


@pytest.fixture(scope="module")
def ran(synthesised: Synthesised, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("lambda")
    with ZipFile(synthesised.package) as package:
        package.extractall(folder / "task")
    events = {"app.app": _HEALTH, "app.tick": _SCHEDULED, "app.sweep": _SCHEDULED, "app.work": _WORK}
    declared = {f["Properties"]["Handler"] for f in synthesised.of("AWS::Serverless::Function").values()}
    assert declared == set(events)
    env = {
        "PATH": os.environ["PATH"],
        "LAMBDA_TASK_ROOT": str(folder / "task"),
        "PHOENIX_STORE": "sqlite",
        "PHOENIX_DATA_DIR": str(folder),
    }
    runtime = Path(__file__).with_name("lambda_runtime.py")
    done = subprocess.run(
        [sys.executable, str(runtime)],
        cwd=folder,
        env=env,
        input=json.dumps(events),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_every_handler_resolves_by_name_and_answers(ran: dict[str, Any]) -> None:
    answers = ran["answers"]
    assert answers["app.app"]["statusCode"] == 200
    assert answers["app.tick"] == 0
    assert answers["app.sweep"] == 0
    assert answers["app.work"] == {"batchItemFailures": []}
    assert ran["from_the_package"]


def test_the_whole_catalog_is_where_settings_look_for_it(ran: dict[str, Any]) -> None:
    assert ran["pipelines"] == sorted(path.parent.name for path in (ROOT / "catalog").glob("*/metadata.yaml"))
    assert ran["pipelines"]


def test_nothing_of_the_work_tree_is_in_it_but_what_lambda_needs(synthesised: Synthesised) -> None:
    with ZipFile(synthesised.package) as package:
        names = package.namelist()
    assert len(names) == len(set(names))
    assert {name.split("/")[0] for name in names} == {"app.py", "chalice", "chalicelib", "catalog"}
    assert not [name for name in names if "__pycache__" in name]
