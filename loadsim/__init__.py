"""Simulated process load: populations as values, the generator that runs them as real processes, the host's agent.

Linux only. Sees nothing of the control plane but `chalicelib.domain`; imports nothing when imported, because the
spawner (a small interpreter that hundreds of processes are forked from) passes through this file.
"""
