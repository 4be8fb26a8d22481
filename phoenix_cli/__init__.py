"""The command line and what it starts on a machine: commands, binaries, the host runtime, the local stack.

Not here: decisions (chalicelib.domain) and the control plane, which is reached over HTTP and started by `local` alone.
"""
