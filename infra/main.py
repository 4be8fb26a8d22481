"""The CDK app: reads region, account and address, and makes both stacks. What the stacks hold is not decided here.

`cdk deploy --all -c public_url=https://…`; cdk.json starts it with the work tree's own Python.
"""

from __future__ import annotations

import os
import sys

from aws_cdk import App, Environment

from chalicelib.domain.errors import InvalidInput
from infra.inputs import public_url_of, region_of
from infra.source import requirements_of_the_app
from infra.stacks.control_plane import ControlPlaneStack
from infra.stacks.data import DataStack

TABLE_PREFIX = "phoenix-"


def build(app: App, *, region: str, account: str | None, public_url: str, requirements: str) -> None:
    """Both stacks. requirements: text of the requirements file of the functions; Chalice downloads what it names."""
    env = Environment(account=account, region=region)
    data = DataStack(app, "phoenix-data", table_prefix=TABLE_PREFIX, env=env)
    ControlPlaneStack(app, "phoenix", data=data, public_url=public_url, requirements=requirements, env=env)


def main() -> int:
    """Synthesise for the CDK command."""
    app = App(analytics_reporting=False)
    try:
        region, public_url = region_of(os.environ), public_url_of(app.node.try_get_context("public_url"))
    except InvalidInput as error:
        print(f"{error.detail}; {error.hint}", file=sys.stderr)
        return 2
    # Chalice asks botocore for the partition of the default region while it packages.
    os.environ.setdefault("AWS_DEFAULT_REGION", region)
    account = os.environ.get("CDK_DEFAULT_ACCOUNT")
    build(app, region=region, account=account, public_url=public_url, requirements=requirements_of_the_app())
    app.synth()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
