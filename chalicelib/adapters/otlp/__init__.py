"""OTLP metrics (opentelemetry-proto) as the measurements' wire format."""
