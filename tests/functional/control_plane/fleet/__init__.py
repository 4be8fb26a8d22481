"""Hosts through HTTP: what they send, what they are asked to run, and what failed on them."""
