"""OpAMP and OTLP bytes, captured and hostile. Data: requests of collector 0.155 running an assembled A/B."""
