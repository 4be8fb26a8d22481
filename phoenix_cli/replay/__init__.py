"""Replays: a recording through the real collector, with the pipelines as they would run on the host, and what came out.

`configuration` builds the collector's configuration from the assembly that hosts get, `clock` decides how pipelines
that read time see the recording's, `feeding` runs the collector and sends it the scrapes, `sinks` takes in what it
sends, `counting` makes figures of that. Not here: recordings themselves (`recording`), and what figures mean
(`chalicelib.domain.prediction`).
"""
