"""What a supervisor says in one poll, and what it is answered, in domain words. No protobuf, no YAML, no decisions.

Text from hosts is hostile: it is cut to a length here, stripped of control characters, and never interpreted.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from chalicelib.domain.model import Value

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
MAX_ATTRIBUTES = 32
"""Attributes of each kind kept of an agent description; the rest is dropped."""


def tidy(text: str, length: int) -> str:
    """`text` without control and direction characters, cut to `length` characters (ending in '…' when cut)."""
    clean = _CONTROL.sub("", text[: 2 * length])
    return clean if len(clean) <= length else clean[: length - 1] + "…"


def cut(length: int) -> BeforeValidator:
    """Validator that tidies text to `length` characters."""

    def validate(value: Any) -> Any:
        return tidy(value, length) if isinstance(value, str) else value

    return BeforeValidator(validate)


Line = Annotated[str, cut(256)]
Message = Annotated[str, cut(2000)]
Marker = Annotated[str, cut(64)]


class Capability(StrEnum):
    """What a supervisor must be able to do to be steered, by the name of its setting in supervisor.yaml."""

    ACCEPTS_CONFIG = "accepts_remote_config"
    REPORTS_EFFECTIVE = "reports_effective_config"
    REPORTS_HEALTH = "reports_health"
    REPORTS_CONFIG_STATUS = "reports_remote_config"


CAPABILITY_BITS = {
    Capability.ACCEPTS_CONFIG: 0x2,
    Capability.REPORTS_EFFECTIVE: 0x4,
    Capability.REPORTS_HEALTH: 0x800,
    Capability.REPORTS_CONFIG_STATUS: 0x1000,
}
"""Bits of AgentCapabilities (OpAMP specification)."""


def lacking(capabilities: int) -> tuple[Capability, ...]:
    """Capabilities that steering needs and `capabilities` (a bit set) does not have."""
    return tuple(name for name, bit in CAPABILITY_BITS.items() if not capabilities & bit)


class Description(Value):
    """Who the agent says it is. Never used to identify the host: that is the token's word."""

    identifying: dict[Line, Line] = Field(default_factory=dict)
    non_identifying: dict[Line, Line] = Field(default_factory=dict)

    @property
    def version(self) -> str:
        """Version of the collector, "" when not said."""
        return self.identifying.get("service.version", "")


class Health(Value):
    """The collector's health as the supervisor sees it."""

    healthy: bool
    last_error: Message = ""
    status: Line = ""
    start_ns: int = Field(default=0, ge=0)
    """When the running collector started (Unix ns, host's clock); 0 while none runs."""


class Effective(Value):
    """The resolved configuration of the running collector, secrets already masked by the decoder."""

    config: dict[str, Any] | None = None
    """None: empty, or not readable."""
    marker: Marker = ""
    """`phoenix.config` found in it, "" when none."""
    unreadable: Line = ""
    """Why it could not be read, "" when it could."""


class ConfigStatus(StrEnum):
    """What the supervisor says of the last configuration offered to it."""

    UNSET = "unset"
    APPLYING = "applying"
    APPLIED = "applied"
    FAILED = "failed"


class RemoteStatus(Value):
    """Status of the last offer. `marker` is the hash that came back: we use the marker as hash."""

    status: ConfigStatus
    marker: Marker = ""
    error: Message = ""


class AgentReport(Value):
    """One message of a supervisor. What did not change since its last message is None."""

    instance_uid: str = Field(pattern=r"^[0-9a-f]{32}$")
    """16 bytes in hexadecimal."""
    sequence: int = Field(ge=0)
    capabilities: int = Field(default=0, ge=0)
    description: Description | None = None
    health: Health | None = None
    effective: Effective | None = None
    remote: RemoteStatus | None = None
    disconnect: bool = False
    digest: str = Field(max_length=64)
    """SHA-256 of the bytes received, hexadecimal: tells a repeated message from a new one with the same number."""

    @property
    def complete(self) -> bool:
        """Whether it tells everything that its sender is able to tell (a full state, not only changes)."""
        able = self.capabilities
        parts = (
            (True, self.description),
            (able & CAPABILITY_BITS[Capability.REPORTS_HEALTH], self.health),
            (able & CAPABILITY_BITS[Capability.REPORTS_EFFECTIVE], self.effective),
            (able & CAPABILITY_BITS[Capability.REPORTS_CONFIG_STATUS], self.remote),
        )
        return all(part is not None for needed, part in parts if needed)


class Offer(Value):
    """The configuration to offer: the body is stored by content hash and stamped with the marker by the service."""

    content_hash: str
    revision: int
    marker: Marker
    scope: str = ""
    """Whose measurements it reports: stamped too."""


class AgentReply(Value):
    """Answer to one message."""

    instance_uid: str
    report_full_state: bool = False
    heartbeat_seconds: int = Field(ge=1)
    offer: Offer | None = None
