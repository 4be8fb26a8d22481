"""Keeping credentials: a folder that its owner alone reads, or AWS Secrets Manager."""
