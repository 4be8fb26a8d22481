"""A control plane that pods reach: `phoenix up` as a process in the cluster's network, on the node's address."""

from __future__ import annotations

from pathlib import Path

from phoenix_cli.profile import load_profile
from tests.acceptance.machine import Machine
from tests.kubernetes.cluster import NODE_ADDRESS


class ControlPlane(Machine):
    """As a user starts it; leaving the context stops it. `reached` is its URL for pods, `url` for the tests."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "no-host")
        self.reached = f"http://{NODE_ADDRESS}:{self.port}"
        self.listen = ("--address", "0.0.0.0", "--public-url", self.reached)  # noqa: S104 - of the cluster's own network

    def token(self) -> str:
        """The admin's token, which `phoenix up` made."""
        return load_profile(self.phoenix.env).token
