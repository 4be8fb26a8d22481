"""The stacks against what the code needs: tables, schedules, queue, rights. No account, no network, no Docker."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from moto import mock_aws

from chalicelib.adapters.items.dynamodb import DynamoItemStore
from tests.unit.infra.conftest import Synthesised


def _comparable(table: dict[str, Any]) -> dict[str, Any]:
    """The shape of a table as a template or DescribeTable gives it, without order and without what AWS adds."""
    indexes = [
        {name: index[name] for name in ("IndexName", "KeySchema", "Projection")}
        for index in table.get("GlobalSecondaryIndexes") or []
    ]
    attributes = sorted(table["AttributeDefinitions"], key=lambda attribute: attribute["AttributeName"])
    return {"keys": table["KeySchema"], "attributes": attributes, "indexes": indexes}


@pytest.fixture
def tables(synthesised: Synthesised) -> dict[str, dict[str, Any]]:
    return {table["Properties"]["TableName"]: table for table in synthesised.of("AWS::DynamoDB::Table").values()}


@pytest.fixture
def functions(synthesised: Synthesised) -> dict[str, dict[str, Any]]:
    return synthesised.of("AWS::Serverless::Function")


def test_tables_are_those_that_the_store_itself_would_make(tables: dict[str, dict[str, Any]]) -> None:
    with mock_aws():
        DynamoItemStore(lambda: 0.0, region="eu-west-1", access_key="a", secret_key="b").create_tables()
        client = boto3.client("dynamodb", region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b")
        made = {name: client.describe_table(TableName=name)["Table"] for name in client.list_tables()["TableNames"]}
        expiry = {name: client.describe_time_to_live(TableName=name)["TimeToLiveDescription"] for name in made}
    assert {name: _comparable(table["Properties"]) for name, table in tables.items()} == {
        name: _comparable(table) for name, table in made.items()
    }
    assert {
        name: table["Properties"]["TimeToLiveSpecification"]["AttributeName"] for name, table in tables.items()
    } == {name: told["AttributeName"] for name, told in expiry.items()}


def test_tables_are_on_demand_recoverable_and_the_ones_that_matter_stay(tables: dict[str, dict[str, Any]]) -> None:
    for table in tables.values():
        assert table["Properties"]["BillingMode"] == "PAY_PER_REQUEST"
        assert table["Properties"]["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
        assert table["Properties"]["TimeToLiveSpecification"] == {"AttributeName": "expires", "Enabled": True}
    assert {name: (table["DeletionPolicy"], table["UpdateReplacePolicy"]) for name, table in tables.items()} == {
        "phoenix-state": ("Retain", "Retain"),
        "phoenix-audit": ("Retain", "Retain"),
        "phoenix-measurements": ("Delete", "Delete"),
    }


def test_schedules_are_every_minute_and_every_hour(functions: dict[str, dict[str, Any]]) -> None:
    schedules = {
        function["Properties"]["Handler"]: event["Properties"]["Schedule"]
        for function in functions.values()
        for event in function["Properties"].get("Events", {}).values()
        if event["Type"] == "Schedule"
    }
    assert schedules == {"app.tick": "rate(1 minute)", "app.sweep": "rate(1 hour)"}


def test_work_is_fed_by_the_stacks_own_queue_and_answers_item_by_item(
    synthesised: Synthesised, functions: dict[str, dict[str, Any]]
) -> None:
    (event,) = functions["Work"]["Properties"]["Events"].values()
    (queue,) = (n for n, q in synthesised.of("AWS::SQS::Queue").items() if q["Properties"].get("QueueName"))
    assert event["Type"] == "SQS"
    assert event["Properties"]["Queue"] == {"Fn::GetAtt": [queue, "Arn"]}
    assert event["Properties"]["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert functions["Work"]["Properties"]["Handler"] == "app.work"


def test_a_message_that_keeps_failing_ends_among_the_dead_letters(
    synthesised: Synthesised, functions: dict[str, dict[str, Any]]
) -> None:
    queues = synthesised.of("AWS::SQS::Queue")
    (work,) = (q["Properties"] for q in queues.values() if q["Properties"].get("QueueName") == "phoenix-work")
    (dead,) = (name for name, q in queues.items() if "RedrivePolicy" not in q["Properties"])
    assert work["RedrivePolicy"]["deadLetterTargetArn"] == {"Fn::GetAtt": [dead, "Arn"]}
    tries = work["RedrivePolicy"]["maxReceiveCount"]
    assert work["VisibilityTimeout"] >= functions["Work"]["Properties"]["Timeout"]
    assert work["MessageRetentionPeriod"] > tries * work["VisibilityTimeout"], "it would be gone before its last try"


def test_every_function_is_told_its_store_queue_and_address(functions: dict[str, dict[str, Any]]) -> None:
    for function in functions.values():
        told = dict(function["Properties"]["Environment"]["Variables"])
        assert set(told.pop("PHOENIX_QUEUE_URL")) == {"Ref"}
        assert told == {
            "PHOENIX_STORE": "dynamodb",
            "PHOENIX_DYNAMODB_REGION": "eu-west-1",
            "PHOENIX_TABLE_PREFIX": "phoenix-",
            "PHOENIX_PUBLIC_URL": "https://phoenix.example",
        }


_KEEP = {f"secretsmanager:{name}" for name in ("CreateSecret", "PutSecretValue", "GetSecretValue", "DeleteSecret")}
_OF_CLUSTERS = _KEEP | {"eks:DescribeCluster"}
"""On things that are named while it runs: the secrets after the tables' prefix."""


def test_secrets_of_clusters_are_those_of_the_prefix(synthesised: Synthesised) -> None:
    found = [str(resources) for _, actions, resources in _statements(synthesised) if set(actions) <= _KEEP]
    assert len(found) == 2
    assert all(":secret:phoenix-*" in text for text in found)


def _statements(synthesised: Synthesised) -> list[tuple[str, list[str], list[Any]]]:
    """(role, actions, resources) of every statement that allows something."""
    found = []
    for policy in synthesised.of("AWS::IAM::Policy").values():
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
            assert statement["Effect"] == "Allow"
            actions, resources = statement["Action"], statement["Resource"]
            for role in policy["Properties"]["Roles"]:
                found.append(
                    (
                        role["Ref"],
                        actions if isinstance(actions, list) else [actions],
                        resources if isinstance(resources, list) else [resources],
                    )
                )
    return found


def test_no_right_is_on_everything(synthesised: Synthesised) -> None:
    statements = _statements(synthesised)
    assert len(statements) > 10
    for _, actions, resources in statements:
        assert not [action for action in actions if "*" in action]
        assert not [resource for resource in resources if isinstance(resource, str)], "a reference, never a pattern"
        if not set(actions) <= _OF_CLUSTERS:
            assert "*" not in str(resources)
    for role in synthesised.of("AWS::IAM::Role").values():
        assert not role["Properties"].keys() & {"Policies", "ManagedPolicyArns"}


def test_each_function_has_its_own_role_with_its_own_rights(
    synthesised: Synthesised, functions: dict[str, dict[str, Any]]
) -> None:
    roles = {
        function["Properties"]["Handler"]: function["Properties"]["Role"]["Fn::GetAtt"][0]
        for function in functions.values()
    }
    assert len(set(roles.values())) == 4
    granted = {
        handler: {a for r, actions, _ in _statements(synthesised) if r == role for a in actions}
        for handler, role in roles.items()
    }
    logs = {"logs:CreateLogStream", "logs:PutLogEvents"}
    documents = {f"dynamodb:{name}" for name in ("GetItem", "Query", "PutItem", "DeleteItem", "ConditionCheckItem")}
    assert granted == {
        "app.app": documents | logs | _OF_CLUSTERS,
        "app.work": documents
        | logs
        | {"secretsmanager:GetSecretValue", "secretsmanager:DeleteSecret", "eks:DescribeCluster"}
        | {f"sqs:{name}" for name in ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")},
        "app.tick": {"dynamodb:Query", "sqs:SendMessage"} | logs,
        "app.sweep": {"dynamodb:Scan", "dynamodb:DeleteItem"} | logs,
    }


def test_only_the_sweep_may_delete_audit_records(
    synthesised: Synthesised, functions: dict[str, dict[str, Any]]
) -> None:
    may = {
        role
        for role, actions, resources in _statements(synthesised)
        if "dynamodb:DeleteItem" in actions and "Audit" in str(resources)
    }
    assert may == {functions["Sweep"]["Properties"]["Role"]["Fn::GetAtt"][0]}


def test_rights_exist_before_the_function_that_needs_them(
    synthesised: Synthesised, functions: dict[str, dict[str, Any]]
) -> None:
    for function in functions.values():
        role = function["Properties"]["Role"]["Fn::GetAtt"][0]
        policies = [name for name in function["DependsOn"] if name in synthesised.of("AWS::IAM::Policy")]
        assert role in function["DependsOn"]
        assert policies


def test_every_declared_route_is_in_the_api(synthesised: Synthesised) -> None:
    (api,) = synthesised.of("AWS::Serverless::Api").values()
    body = api["Properties"]["DefinitionBody"]
    assert {"/healthz", "/api/v1/experiments/{experiment}", "/v1/opamp", "/v1/metrics"} <= set(body["paths"])
    assert "application/x-protobuf" in body["x-amazon-apigateway-binary-media-types"]
