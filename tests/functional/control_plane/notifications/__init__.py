"""Webhooks, what is told to them, and what they are asked."""
