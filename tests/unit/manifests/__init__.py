"""Plain manifests for a cluster."""
