"""The fleet's decisions, message by message."""
