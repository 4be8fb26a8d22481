"""The Chalice app on Lambda: API, schedules and the work queue, with one role a function. No table is made here.

Chalice knows the routes, schedules and queue of app.py and writes their resources; this stack owns the queue, the
roles (Chalice's own would hold wildcards) and what Chalice's decorators cannot say.
"""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path
from typing import Any

from aws_cdk import ArnFormat, Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs
from chalice.cdk import Chalice
from constructs import Construct

from infra.source import lay_out, stage_settings
from infra.stacks.data import DataStack

QUEUE = "phoenix-work"
"""The name that app.py listens to."""
_LOGICAL = {"api_handler": "APIHandler", "tick": "Tick", "work": "Work", "sweep": "Sweep"}
"""Chalice's name of each function, and its name in the template."""
_EVENT = "WorkSqsEventSource"
"""Chalice's name of what feeds `work` from the queue."""
_TRIES = 3
"""Deliveries of a message before it goes to the dead letters."""


class ControlPlaneStack(Stack):
    """public_url: where hosts reach the API. requirements: of the functions, downloaded while packaging."""

    def __init__(
        self, scope: Construct, name: str, *, data: DataStack, public_url: str, requirements: str, **kwargs: Any
    ) -> None:
        super().__init__(scope, name, **kwargs)
        settings = stage_settings()
        self.queue = self._work_queue(Duration.seconds(settings["lambda_timeout"]))
        self.roles = {function: self._role(function) for function in _LOGICAL}
        settings |= {
            "manage_iam_role": False,
            "environment_variables": {
                "PHOENIX_STORE": "dynamodb",
                "PHOENIX_DYNAMODB_REGION": self.region,
                "PHOENIX_TABLE_PREFIX": data.table_prefix,
                "PHOENIX_QUEUE_URL": self.queue.queue_url,
                "PHOENIX_PUBLIC_URL": public_url,
            },
            "lambda_functions": {name: {"iam_role_arn": role.role_arn} for name, role in self.roles.items()},
            # Chalice wants one for the whole stage too; each function has its own.
            "iam_role_arn": self.roles["api_handler"].role_arn,
        }
        self.chalice = self._package(settings, requirements)
        self._own_the_queue()
        self._grant(data)

    def _work_queue(self, timeout: Duration) -> sqs.Queue:
        dead = sqs.Queue(self, "DeadWork", enforce_ssl=True, retention_period=Duration.days(14))
        return sqs.Queue(
            self,
            "WorkQueue",
            queue_name=QUEUE,
            enforce_ssl=True,
            # AWS's advice for a queue in front of a function: six times the function's own time.
            visibility_timeout=Duration.seconds(6 * timeout.to_seconds()),
            # Every tick asks again for what is active: work older than all its tries is worth nothing.
            retention_period=Duration.hours(1),
            dead_letter_queue=sqs.DeadLetterQueue(queue=dead, max_receive_count=_TRIES),
        )

    def _role(self, function: str) -> iam.Role:
        principal = iam.ServicePrincipal("lambda.amazonaws.com")
        return iam.Role(self, f"{_LOGICAL[function]}Role", assumed_by=principal)

    def _package(self, settings: dict[str, Any], requirements: str) -> Chalice:
        """The construct. It packages at once, so that the folder may go afterwards; only the asset stays."""
        with tempfile.TemporaryDirectory(prefix="phoenix-lambda-") as folder:
            # The construct takes its scope's name for the stage, and leaves its output in the current folder.
            lay_out(Path(folder), stage=self.to_string(), settings=settings, requirements=requirements)
            with contextlib.chdir(folder):
                return Chalice(self, "Chalice", source_dir=folder)

    def _own_the_queue(self) -> None:
        work = self.chalice.get_resource("Work")
        source = f"Properties.Events.{_EVENT}.Properties"
        # Chalice names the queue; a reference makes the stack create it first.
        work.add_override(f"{source}.Queue", self.queue.queue_arn)
        # Chalice's decorator has no word for it; without it one failed message would bring back all ten.
        work.add_override(f"{source}.FunctionResponseTypes", ["ReportBatchItemFailures"])

    def _grant(self, data: DataStack) -> None:
        """What each function's code calls, on the things it calls it on. Audit is appended to, but for the sweep."""
        documents = ("GetItem", "Query", "PutItem", "DeleteItem", "ConditionCheckItem")
        for function in ("api_handler", "work"):
            self._allow(function, "dynamodb", documents, data.state.table_arn)
            self._allow(function, "dynamodb", ("Query", "PutItem"), data.audit.table_arn)
        self._allow("api_handler", "dynamodb", ("Query", "PutItem"), data.measurements.table_arn)
        self._allow("work", "dynamodb", ("Query",), data.measurements.table_arn)
        receive = ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")
        self._allow("work", "sqs", receive, self.queue.queue_arn)
        self._allow("tick", "dynamodb", ("Query",), data.active_index_arn)
        self._allow("tick", "sqs", ("SendMessage",), self.queue.queue_arn)
        self._grant_clusters(data)
        tables = (data.state, data.measurements, data.audit)
        self._allow("sweep", "dynamodb", ("Scan", "DeleteItem"), *(table.table_arn for table in tables))
        for function, logical in _LOGICAL.items():
            resource = self.chalice.get_resource(logical)
            # Before the function: AWS refuses to feed a function from a queue that its role may not read yet.
            resource.node.add_dependency(self.roles[function])
            self._log(function, logical, resource.ref)

    def _grant_clusters(self, data: DataStack) -> None:
        """Clusters are registered by the API and looked at by the work. Their secrets are named while it runs, after
        the tables' prefix; which EKS cluster is one's own nobody knows before it is registered."""
        secrets = self.format_arn(
            service="secretsmanager",
            resource="secret",
            resource_name=f"{data.table_prefix}*",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        eks = self.format_arn(service="eks", region="*", resource="cluster", resource_name="*")
        keep = ("CreateSecret", "PutSecretValue", "GetSecretValue", "DeleteSecret")
        self._allow("api_handler", "secretsmanager", keep, secrets)
        self._allow("work", "secretsmanager", ("GetSecretValue", "DeleteSecret"), secrets)
        for function in ("api_handler", "work"):
            self._allow(function, "eks", ("DescribeCluster",), eks)

    def _allow(self, function: str, service: str, actions: tuple[str, ...], *resources: str) -> None:
        self.roles[function].add_to_policy(_statement(service, actions, *resources))

    def _log(self, function: str, logical: str, name: str) -> None:
        """A log group with an end, and the right to write to it: a policy of its own, for it needs the function's name.

        Not by Chalice's log_retention_in_days: its template then names an API function that does not exist there.
        """
        group = logs.LogGroup(
            self,
            f"{logical}Logs",
            log_group_name=f"/aws/lambda/{name}",
            retention=logs.RetentionDays.ONE_MONTH,
            removal_policy=RemovalPolicy.DESTROY,
        )
        write = _statement("logs", ("CreateLogStream", "PutLogEvents"), group.log_group_arn)
        iam.Policy(self, f"{logical}LogsPolicy", statements=[write]).attach_to_role(self.roles[function])


def _statement(service: str, actions: tuple[str, ...], *resources: str) -> iam.PolicyStatement:
    return iam.PolicyStatement(actions=[f"{service}:{action}" for action in actions], resources=list(resources))
