"""Prometheus, and whatever else answers its HTTP API: reading what arms sent there, writing results as metrics."""
