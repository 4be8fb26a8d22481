"""Experiment as a custom resource: the very file that `phoenix experiment create -f` takes, mirrored into the control
plane and back. Its spec is `ExperimentSpec`; here are only what the cluster adds to it and its status."""

from __future__ import annotations

from pydantic import Field

from chalicelib.domain.experiment.state import State
from chalicelib.domain.kubernetes.resource import Condition
from chalicelib.domain.model import Value

KIND = "Experiment"
PLURAL = "experiments"
SHORT_NAMES = ("phxexp",)
FINALIZER = "phoenix.io/experiment"
"""An experiment lives outside the cluster: its deletion must stop it there first."""


class ExperimentStatus(Value):
    """The experiment in the control plane, as it was last read. Conditions: Synced (the control plane was reached and
    follows this resource), Ready (it goes on by itself), Complete."""

    observed_generation: int = Field(default=0, ge=0)
    """metadata.generation that this status is about."""
    conditions: tuple[Condition, ...] = Field(default=(), max_length=16)
    """Synced, Ready, Complete."""
    uid: str = Field(default="", max_length=64)
    """Of the experiment in the control plane."""
    state: State | None = None
    verdict: str = Field(default="", max_length=64)
    """"" while there is none."""
    reduction: str = Field(default="", max_length=64)
    """Of series, with its interval: "92.3 % [83.2, 96.5]"; "" while it was not measured."""
    retention: str = Field(default="", max_length=64)
    """Of critical processes: "108/108"; "" while it was not measured."""
    hosts: int = Field(default=0, ge=0)
    """Hosts under test."""
    message: str = Field(default="", max_length=1024)
    """Why it is as it is, in one sentence."""
