"""Turning bytes from hosts into values and answers into bytes, as services ask for it. No format is named here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from chalicelib.domain.fleet.report import AgentReply, AgentReport
from chalicelib.domain.measurement import CollectorSample, Count

Offered = Callable[[str], Mapping[str, Any] | None]
"""The stamped configuration that was offered under a marker, or None when it is not known (any more)."""


class AgentCodec(Protocol):
    """Messages of supervisors."""

    def decode(self, body: bytes, offered: Offered) -> AgentReport:
        """One message, its effective configuration free of secrets: where the offered one is known, its references to
        the environment are shown instead of what they became. Raises InvalidInput for what is no message, TooLarge."""

    def encode(self, reply: AgentReply, config: Mapping[str, Any] | None) -> bytes:
        """The answer. config: the stamped body for reply.offer, None without an offer; ValueError when they differ."""


@dataclass(frozen=True)
class Telemetry:
    """What one request of a collector says. Whether its host may say so is the service's to check."""

    counts: tuple[Count, ...] = ()
    samples: tuple[CollectorSample, ...] = ()
    refused_points: int = 0
    """Data points that were ours by name and not usable."""
    reasons: tuple[str, ...] = ()
    """Why, each once, a few at most."""


class MetricsCodec(Protocol):
    """Requests of collectors."""

    def decode(self, body: bytes, content_type: str) -> Telemetry:
        """The measurements in one request; metrics of other names are passed over. Raises InvalidInput for what is no
        request, TooLarge for one that is too long, also after decompression."""

    def encode_success(self, telemetry: Telemetry, content_type: str) -> bytes:
        """The answer, in the format of the request; it tells the sender what was refused and why."""
