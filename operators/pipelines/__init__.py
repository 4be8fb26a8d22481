"""PhoenixProcessPipeline to ConfigMap and DaemonSet, and back to its status."""
