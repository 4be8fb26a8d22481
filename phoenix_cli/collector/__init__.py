"""A stock collector of our own for a short while: one process, and a loopback server for what it sends.

Recording and replay use it. Not here: what is recorded or counted, and the long-running collector of a host
(`host_runtime`).
"""
