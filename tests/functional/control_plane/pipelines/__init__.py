"""Pipelines through HTTP: the catalog's, and a tenant's own."""
