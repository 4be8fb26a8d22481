"""Where an experiment's figures are read from, as its user writes it: the counts of the edge, or a Prometheus.

No request is made here, and no credential stands here: only the name of one that the control plane was given.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from chalicelib.domain.address import checked_address
from chalicelib.domain.model import Value
from chalicelib.domain.units import Seconds

LABEL = r"^[a-zA-Z_][a-zA-Z0-9_]{0,127}$"
"""Label names of Prometheus."""
CREDENTIAL = r"^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$"
REGION = r"^[a-z]{2}(-[a-z]+){1,3}-\d{1,2}$"
_AMAZON = re.compile(r"^aps-workspaces(-fips)?\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(\.cn)?$")
_NAME = r"^[a-zA-Z_:][a-zA-Z0-9_:]{0,199}$"

Label = Annotated[str, Field(pattern=LABEL)]
LabelValue = Annotated[str, Field(max_length=200, pattern=r"^[ -~]*$")]


class SigV4(Value):
    """Requests signed with the control plane's own AWS credentials, as Amazon Managed Prometheus wants them."""

    region: str = Field(pattern=REGION)


class Prometheus(Value):
    """A server that answers PromQL and holds what the arms sent: with the labels that the resource attributes
    `phoenix.variant` and `host.name` become."""

    url: str = Field(max_length=1000)
    """Base URL, without /api/v1: http://prometheus:9090, or that of a workspace. Credentials do not belong in it."""
    credential: str | None = Field(default=None, pattern=CREDENTIAL)
    """Name of a credential that the control plane was given (PHOENIX_PROMETHEUS_CREDENTIALS), bound to an address."""
    sigv4: SigV4 | None = None
    variant_label: Label = "phoenix_variant"
    host_label: Label = "host_name"
    match: dict[Label, LabelValue] = Field(default_factory=dict, max_length=16)
    """Other labels that the arms' series carry there, such as cluster."""
    memory_metric: str = Field(default="process_memory_usage_bytes", pattern=_NAME)
    """What `process.memory.usage` is called there: a critical process is reported when it has a sample of it."""
    delay: Seconds = Field(default=30, ge=0, le=600)
    """How long samples may take to become visible. Scrapes younger than this are not judged yet."""

    @field_validator("url")
    @classmethod
    def _address(cls, value: str) -> str:
        return base_address(value)

    @model_validator(mode="after")
    def _one_way_in(self) -> Prometheus:
        if self.sigv4 is None:
            return self
        if self.credential is not None:
            raise ValueError("sigv4 and credential are two ways to sign in; keep one")
        parts = urlsplit(self.url)
        found = _AMAZON.fullmatch(parts.hostname or "")
        if parts.scheme != "https" or found is None or found["region"] != self.sigv4.region:
            raise ValueError(
                "signed requests go to Amazon Managed Prometheus alone: write url as "
                f"https://aps-workspaces.{self.sigv4.region}.amazonaws.com/workspaces/ws-…"
            )
        return self

    @model_validator(mode="after")
    def _distinct(self) -> Prometheus:
        if self.variant_label == self.host_label:
            raise ValueError("variantLabel and hostLabel are the same label")
        if taken := {self.variant_label, self.host_label, "__name__"} & set(self.match):
            raise ValueError(f"match must leave {', '.join(sorted(taken))} alone: Phoenix asks for it itself")
        return self


class Source(Value):
    """`measurements`, or a Prometheus. With one, series and critical retention of both arms are those of the samples
    that arrived there; the raw stream, which no backend gets, and the collector's own usage stay as counted at the
    edge."""

    prometheus: Prometheus | None = None
    use: Literal["verdict", "check"] = "verdict"
    """verdict: the arms' figures come from there. check: the edge's counts decide, and the agreement is shown."""

    @model_validator(mode="before")
    @classmethod
    def _word(cls, value: Any) -> Any:
        if value == "measurements":
            return {}
        if isinstance(value, str):
            raise ValueError("write measurements, or a mapping with prometheus: {url: …}")
        return value

    @property
    def words(self) -> str:
        """For sentences."""
        return f"Prometheus at {self.prometheus.url}" if self.prometheus else "measurements"

    @property
    def decides(self) -> Prometheus | None:
        """The Prometheus that the verdict rests on, or None: the counts of the edge."""
        return self.prometheus if self.use == "verdict" else None


def base_address(value: str) -> str:
    """An http or https base URL, without a slash at its end. Raises ValueError saying what is right."""
    checked_address(
        value,
        form="http://host:port or https://host/path",
        instead="name one that the control plane was given, in credential",
        query=False,
    )
    path = urlsplit(value).path
    if "/../" in f"{path}/" or "/./" in f"{path}/" or "%" in path:
        raise ValueError("write the path plainly, without dots and escapes")
    return value.rstrip("/")
