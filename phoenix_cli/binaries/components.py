"""What a collector must be able to do, and what a given collector can.

Not here: where collectors come from (resolve.py). The needed list is that of the pipelines in `catalog/` and of the
A/B assembly around them; `collector/otelcol/manifest.yaml` has more, and a unit test keeps this a part of it.
"""

from __future__ import annotations

from pathlib import Path

import yaml

from phoenix_cli.binaries.commands import CommandFailed, run_command

NEEDED: dict[str, tuple[str, ...]] = {
    "receivers": ("hostmetrics", "otlp"),
    "processors": (
        "memory_limiter",
        "batch",
        "transform",
        "filter",
        "groupbyattrs",
        "resource",
        "cumulativetodelta",
        "deltatocumulative",
    ),
    "exporters": ("otlp_http", "debug", "nop"),
    "connectors": ("forward", "count"),
    "extensions": ("opamp",),
}
LIST_SECONDS = 20.0


def missing_components(listing: str) -> tuple[str, ...]:
    """The needed components that the output of `otelcol components` does not name, as `receivers/hostmetrics`.

    A newer collector that writes a name with underscores (`host_metrics`) keeps the old spelling as an alias, so it
    serves. The reverse does not hold: a collector that prints `otlphttp` is too old to know `otlp_http`.
    Raises ValueError when the text is not such a listing.
    """
    try:
        document = yaml.safe_load(listing)
    except yaml.YAMLError as e:
        raise ValueError("its `components` output is not YAML") from e
    if not isinstance(document, dict) or "receivers" not in document:
        raise ValueError("its `components` output lists no receivers")
    return tuple(
        f"{kind}/{name}" for kind, names in NEEDED.items() for name in names if not _known(name, document.get(kind))
    )


def _known(name: str, entries: object) -> bool:
    printed = {str(e.get("name")) for e in entries if isinstance(e, dict)} if isinstance(entries, list) else set()
    return name in printed or name in {p.replace("_", "") for p in printed}


def why_unfit(collector: Path) -> str:
    """Why this collector cannot serve, in words; "" when it can. Runs it once, for at most LIST_SECONDS seconds."""
    try:
        missing = missing_components(run_command([str(collector), "components"], seconds=LIST_SECONDS))
    except (CommandFailed, ValueError) as e:
        return str(e)
    return f"it lacks {', '.join(missing)}" if missing else ""


def why_no_supervisor(supervisor: Path) -> str:
    """Why this is not an OpAMP supervisor, in words; "" when it is. The supervisor can tell no version."""
    try:
        text = run_command([str(supervisor), "--help"], seconds=LIST_SECONDS)
    except CommandFailed as e:
        return str(e)
    return "" if "supervisor" in text.lower() and "-config" in text else "its --help is not that of an OpAMP supervisor"
