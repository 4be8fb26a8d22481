"""Replays: their configuration, their clock, what the sinks make of requests."""
