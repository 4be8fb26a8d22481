"""The custom resource definitions, without an API server."""
