"""Recordings: the file, its bounds, redaction."""
