"""The settings of a control plane, read from the environment once."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError

from chalicelib.domain.errors import InvalidInput, Problem
from chalicelib.domain.model import Value

ROOT = Path(__file__).resolve().parent.parent


class Settings(Value):
    """Every setting is PHOENIX_ and its name in capitals."""

    store: Literal["sqlite", "dynamodb"] = "sqlite"
    """Engine of the item store."""
    data_dir: Path | None = None
    """Folder of the SQLite store; needed for it."""
    dynamodb_endpoint: str | None = None
    """DynamoDB-compatible endpoint; empty for AWS itself."""
    dynamodb_region: str = "us-east-1"
    """AWS region of tables and queue."""
    table_prefix: str = "phoenix-"
    """Tables are <prefix>state, <prefix>measurements and <prefix>audit."""
    create_tables: bool = False
    """Create the tables when they are missing (local endpoints; on AWS the infrastructure does)."""
    public_url: str = Field(default="http://127.0.0.1:8700", pattern=r"^https?://[^\s\"'${}\\?#]+$")
    """Where hosts reach this control plane: their collectors send measurements there."""
    catalog: Path = ROOT / "catalog"
    """Folder of the pipelines."""
    extra_catalogs: tuple[Path, ...] = ()
    """Folders of pipelines of your own, beside the catalog; in the environment separated like PATH."""
    otelcol: Path | None = None
    """Collector binary that validates configurations."""
    queue_url: str | None = None
    """SQS queue between tick and steps; empty: steps run where the tick runs."""
    idle_poll_seconds: int = Field(default=30, ge=1, le=3600)
    """How often a host with nothing pending polls."""
    signing_key: SecretStr | None = Field(default=None, min_length=32)
    """Key that the secrets of webhooks are derived from, 32 characters at least; empty: the store keeps one."""
    private_webhooks: bool = False
    """Whether webhooks may lead to private networks and to this machine (`phoenix up` allows it)."""
    prometheus_credentials: SecretStr | None = None
    """What signs in at the Prometheus servers that experiments name, as JSON: name to `{"url", "bearer"}` or `{"url",
    "user", "password"}`, and `"tenants"` where others than the default one may use it. It goes to that URL alone."""
    private_prometheus: bool = False
    """Whether that Prometheus may lie in a private network or on this machine (`phoenix up` allows it)."""
    version: str = "0.1.0"
    """What `/healthz` and the OpenAPI document say."""


def from_env(env: Mapping[str, str]) -> Settings:
    """Raises InvalidInput naming the variable."""
    variables = {name: env.get(f"PHOENIX_{name.upper()}") for name in Settings.model_fields}
    given: dict[str, object] = {name: value for name, value in variables.items() if value}
    if folders := variables["extra_catalogs"]:
        given["extra_catalogs"] = [Path(folder) for folder in folders.split(os.pathsep) if folder]
    try:
        return Settings.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        name = f"PHOENIX_{str(first['loc'][0]).upper()}"
        raise InvalidInput(f"{name}: {first['msg']}", problems=(Problem(name, first["msg"]),)) from error
