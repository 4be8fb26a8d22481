"""Where pipelines run: clusters, a deployment host by host, what failed on a host. Lists of hosts are in `tables`."""
