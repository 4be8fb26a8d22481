"""The collector's own telemetry: pushed to the control plane under the same scope and host as the counts."""

from __future__ import annotations

from typing import Any

from chalicelib.domain.pipeline import ottl
from chalicelib.domain.pipeline.request import TOKEN_VARIABLE, Kpi

SMALLEST_PUSH_S = 5.0
COLLECTORS_KEY = "phoenix.collectors"
"""Resource attribute by which a configuration asks its host for a second collector, for as long as it runs."""


def reader(kpi: Kpi, interval_s: float) -> dict[str, Any]:
    """A periodic reader; its interval is in milliseconds and never under five seconds (a push of 20 to 24 kB is
    4 kB with gzip)."""
    return {
        "periodic": {
            "interval": round(max(SMALLEST_PUSH_S, interval_s) * 1000),
            "exporter": {
                "otlp": {
                    "protocol": "http/protobuf",
                    "compression": "gzip",
                    "endpoint": ottl.plain(kpi.url),
                    "headers": [{"name": "authorization", "value": f"Bearer ${{env:{TOKEN_VARIABLE}}}"}],
                }
            },
        }
    }


def telemetry(kpi: Kpi | None, interval_s: float, collectors: int = 1) -> dict[str, Any]:
    """`service.telemetry`: level detailed, because sent bytes exist only there. Without a KPI nothing is exposed: the
    default would listen on a contested port."""
    if kpi is None:
        return {"metrics": {"level": "none", "readers": []}}
    return {
        "resource": identity(kpi) | ({COLLECTORS_KEY: str(collectors)} if collectors > 1 else {}),
        "metrics": {"level": "detailed", "readers": [reader(kpi, interval_s)]},
    }


def identity(kpi: Kpi) -> dict[str, str]:
    """Resource attributes of the collector's own telemetry.

    As the inline map, which the collector of 0.155 calls legacy in one warning at start: the supervisor adds its own
    attributes in that form, and the collector refuses a mixture with the list form.
    """
    return {"phoenix.scope": ottl.plain(kpi.scope), "phoenix.host": ottl.plain(kpi.host)}
