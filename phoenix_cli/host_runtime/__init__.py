"""What runs on a VM host without root: the stock OpAMP supervisor with its collector, the load agent, status reports.

Not here: deciding what the host should run (the control plane), finding the binaries (phoenix_cli.binaries), commands.
"""
