"""A real Prometheus beside a real collector."""
