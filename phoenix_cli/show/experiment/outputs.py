"""What left the collectors for a backend: each stream's own exporter, summed over the hosts. Nothing is estimated."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from chalicelib.domain.evaluation.result.result import HostOverhead
from chalicelib.domain.measurement import Variant


@dataclass(frozen=True)
class Sent:
    """One stream's exporter over the window. None: no such counter was reported."""

    variant: Variant
    points: int | None
    octets: int | None
    """OTLP bytes before compression."""
    failed: int | None


def outputs(hosts: Iterable[HostOverhead]) -> tuple[Sent, ...]:
    """Raw, baseline and candidate, those that have an exporter of their own (`<type>/<stream>`)."""
    kept = tuple(hosts)
    found = (_sent(kept, variant) for variant in (Variant.RAW, Variant.BASELINE, Variant.CANDIDATE))
    return tuple(one for one in found if one is not None)


def _sent(hosts: Iterable[HostOverhead], variant: Variant) -> Sent | None:
    found = [
        totals for host in hosts for name, totals in host.exporters.items() if name.rpartition("/")[2] == variant.value
    ]
    if not found:
        return None
    return Sent(
        variant,
        points=_total(one.sent_points for one in found),
        octets=_total(one.sent_bytes for one in found),
        failed=_total(one.failed_points for one in found),
    )


def _total(values: Iterable[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None
