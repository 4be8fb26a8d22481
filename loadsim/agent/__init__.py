"""The host's load agent: `agent` asks the `control_plane` what should run here, and starts and ends `runs`."""
