"""The local stack: the whole control plane on one machine. The only room of the CLI that may import `app`."""
