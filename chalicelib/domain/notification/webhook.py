"""A webhook as its user writes it, and what is kept of it. Its signing secret is never here."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Annotated, Literal

from pydantic import Field, field_validator

from chalicelib.domain.address import checked_address
from chalicelib.domain.experiment.spec import NAME
from chalicelib.domain.model import Value
from chalicelib.domain.notification.event import EventType
from chalicelib.domain.units import Seconds

Pattern = Annotated[str, Field(max_length=64)]


class Gate(Value):
    """Asked before a promotion. What happens when no answer came in time is `otherwise`."""

    deadline: Seconds = Field(default=600, ge=5, le=7 * 86400)
    otherwise: Literal["hold", "deny"] = "hold"
    """hold: an operator decides; deny: the experiment is stopped and what ran before restored."""


class WebhookSpec(Value):
    """Where events go."""

    name: str = Field(pattern=NAME)
    url: str = Field(max_length=2000)
    """http or https; credentials do not belong in it."""
    events: tuple[Pattern, ...] = Field(default=("*",), min_length=1, max_length=32)
    """Event types, with * for any part: experiment.*, budget.breach."""
    format: Literal["standard", "slack"] = "standard"
    """standard: Standard Webhooks; slack: what Slack's incoming webhooks take."""
    gate: Gate | None = None
    """Ask this webhook before a promotion."""

    @field_validator("url")
    @classmethod
    def _address(cls, value: str) -> str:
        return checked_address(
            value,
            form="http://host/path or https://host/path",
            instead="receivers check the signature instead",
            query=True,
        )

    @field_validator("events")
    @classmethod
    def _known(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for pattern in value:
            if not any(fnmatchcase(kind.value, pattern) for kind in EventType):
                known = ", ".join(kind.value for kind in EventType)
                raise ValueError(f"{pattern!r} matches no event; there are {known}")
        return value


class Webhook(Value):
    """A webhook. disabled: why nothing is sent any more, "" while it is."""

    spec: WebhookSpec
    uid: str
    created_at: float
    created_by: str
    disabled: str = ""
    checked_at: float = 0.0
    """When hosts were last looked at for it."""

    @property
    def watches_hosts(self) -> bool:
        """Whether somebody must look at hosts for it."""
        return self.wants(EventType.HOST_AWAY) or self.wants(EventType.HOST_BACK)

    def wants(self, kind: EventType) -> bool:
        """Whether it hears of such an event. A gate's question goes to the gate alone, a test to the one tested."""
        if kind in (EventType.GATE_ASKED, EventType.WEBHOOK_TEST):
            return False
        return not self.disabled and any(fnmatchcase(kind.value, pattern) for pattern in self.spec.events)
