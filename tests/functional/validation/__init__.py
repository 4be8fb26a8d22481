"""Validation with the real collector."""
