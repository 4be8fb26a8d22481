"""Benchmarks: each prints one table and writes JSON into bench/results. No product code here.

One that is a single file stands here, a larger one has a room of its name. `registry` lists them, `report` and
`markdown` are what comes out, `instruments` what they share.
"""
