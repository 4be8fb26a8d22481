"""Recordings: the raw process stream of one host in one file. Format, capture, redaction, reading, summary.

Not here: what a pipeline makes of a recording (`replay`). A recording may come from a stranger: whatever is read from
one is bounded and checked here, before anything else sees it.
"""
