"""`phoenix demo`: a real A/B on this machine, from an empty folder to a promoted pipeline, then all removed.

It uses what users use: `phoenix up`, `phoenix host run`, the API. Nothing here computes a figure or a verdict.
"""
