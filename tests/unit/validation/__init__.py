"""Rules over configurations, without a collector."""
