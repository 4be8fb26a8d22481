"""Finding or building the two Go binaries a host needs: the collector and the OpAMP supervisor.

Not here: running them (phoenix_cli.host_runtime, phoenix_cli.local) and what configurations they get.
"""
