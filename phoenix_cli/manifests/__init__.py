"""What a cluster needs for Phoenix, as plain manifests: rendered from the chart once (`from_chart`), filled in for a
cluster (`rendering`). Not here: talking to a cluster, nor the chart itself (charts/phoenix)."""

from phoenix_cli.manifests.rendering import ManifestValues, render

__all__ = ["ManifestValues", "render"]
