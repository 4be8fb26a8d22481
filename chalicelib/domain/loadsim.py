"""A load simulation as the control plane keeps it: what was asked of a host and what the host says of it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from chalicelib.domain.experiment.spec import NAME
from chalicelib.domain.load import DesiredLoad, LoadPhase, LoadSpec, LoadStatus
from chalicelib.domain.model import Value


class LoadSim(Value):
    """One load on one host."""

    name: str = Field(pattern=NAME)
    host: str = Field(pattern=NAME)
    spec: LoadSpec
    desired: Literal["running", "stopped"] = "running"
    generation: int = 1
    created_at: float
    created_by: str
    experiment_uid: str = ""
    status: LoadStatus = LoadStatus(phase=LoadPhase.STARTING)
    reported_at: float | None = None

    def wanted(self) -> DesiredLoad:
        """As the host's agent reads it."""
        return DesiredLoad(name=self.name, spec=self.spec, desired=self.desired, generation=self.generation)
