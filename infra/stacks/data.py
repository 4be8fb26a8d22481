"""The tables of the item store, by lifetime. Their shape is the store's own (a test compares them); no code here.

Names are fixed: the store finds its tables by prefix. State and audit stay when the stack goes; to make the stack
again, import them (`cdk import`) or choose another prefix.
"""

from __future__ import annotations

from typing import Any

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

ACTIVE_INDEX = "active"


class DataStack(Stack):
    """Three tables, on demand, with point-in-time recovery and expiry."""

    def __init__(self, scope: Construct, name: str, *, table_prefix: str, **kwargs: Any) -> None:
        super().__init__(scope, name, **kwargs)
        self.table_prefix = table_prefix
        self.state = self._table("state", RemovalPolicy.RETAIN)
        self.measurements = self._table("measurements", RemovalPolicy.DESTROY)
        self.audit = self._table("audit", RemovalPolicy.RETAIN)
        # Sparse: only what is being stepped has `active`. The keys and `expires` are all that the tick reads.
        self.state.add_global_secondary_index(
            index_name=ACTIVE_INDEX,
            partition_key=_text("active"),
            sort_key=_text("pk"),
            projection_type=dynamodb.ProjectionType.INCLUDE,
            non_key_attributes=["expires"],
        )

    @property
    def active_index_arn(self) -> str:
        """ARN of the index that the tick reads."""
        return f"{self.state.table_arn}/index/{ACTIVE_INDEX}"

    def _table(self, lifetime: str, removal: RemovalPolicy) -> dynamodb.Table:
        return dynamodb.Table(
            self,
            lifetime.title(),
            table_name=f"{self.table_prefix}{lifetime}",
            partition_key=_text("pk"),
            sort_key=_text("sk"),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            time_to_live_attribute="expires",
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            removal_policy=removal,
        )


def _text(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)
