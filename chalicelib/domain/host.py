"""A host as the control plane knows it: its enrolment and what it says of itself. Collector state: `fleet`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from chalicelib.domain.experiment.spec import NAME
from chalicelib.domain.model import Value

LabelText = Annotated[str, Field(max_length=128)]


class CollectorError(Value):
    """The collector's own words about why it did not start, as the host's agent found them in its log."""

    text: str = Field(max_length=4000)
    at: float
    marker: str | None = Field(default=None, max_length=128)
    """`phoenix.config` marker of the configuration that failed, when it is known."""
    second: bool = False
    """Whether it is the second collector, which dedicated mode runs."""


class HostFacts(Value):
    """What the host's agent reports. Strings from a host: data, never trusted."""

    agent_version: str = Field(default="", max_length=64)
    collector_version: str = Field(default="", max_length=64)
    collector_error: CollectorError | None = None
    cpu_count: int = Field(default=0, ge=0)
    memory_bytes: int = Field(default=0, ge=0)
    boot_id: str = Field(default="", max_length=64)
    collectors: int = Field(default=1, ge=1, le=2)
    """How many collectors its agent can run: two are needed for an experiment in dedicated mode."""


class Host(Value):
    """An enrolled host."""

    name: str = Field(pattern=NAME)
    labels: dict[LabelText, LabelText] = Field(default_factory=dict, max_length=32)
    enrolled_at: float
    enrolled_by: str
    token_id: str
    """"" for a node: its cluster's token speaks for it."""
    cluster: str = Field(default="", max_length=40)
    """The cluster that it is a node of; "" for a host that enrolled itself."""
    node: str = Field(default="", max_length=253)
    """Its name there."""
    facts: HostFacts = HostFacts()
    facts_at: float | None = None


class Enrolment(Value):
    """A one-time token that lets one host in. The secret is not here, only its digest."""

    digest: str
    host: str = ""
    """The only name that may use it; empty: any free name."""
    created_by: str
    created_at: float
    expires_at: float
