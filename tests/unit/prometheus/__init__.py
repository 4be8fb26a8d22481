"""The Prometheus adapter without a server."""
