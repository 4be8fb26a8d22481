"""The operators' commands that run once."""
