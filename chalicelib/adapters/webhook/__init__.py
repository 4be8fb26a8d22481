"""Posting webhooks over HTTP."""
