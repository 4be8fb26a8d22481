"""Simulated process load, as values: what is asked of a host and what the host says of it.

Shared by the experiment spec, the API, the CLI and the host's load agent. `spec` has the request, `part` and `group`
what it consists of, `profiles` its defaults, `scenarios` its stages in time, `status` the answer. How a population is
made from a spec is the business of the `loadsim` room; nothing here starts a process or reads a clock.
"""

from chalicelib.domain.load.bounds import MAX_COUNT, MAX_DURATION_S
from chalicelib.domain.load.group import LoadGroup
from chalicelib.domain.load.part import StageSpec
from chalicelib.domain.load.profiles import DEFAULTS, PLAIN, SCENARIOS, LoadDefaults, ProfileName
from chalicelib.domain.load.scenarios import moment, stages_of
from chalicelib.domain.load.spec import DesiredLoad, LoadSpec
from chalicelib.domain.load.status import DURATION_REACHED, MAX_NAMES, LoadPhase, LoadRates, LoadStage, LoadStatus

__all__ = [
    "DEFAULTS",
    "DURATION_REACHED",
    "MAX_COUNT",
    "MAX_DURATION_S",
    "MAX_NAMES",
    "PLAIN",
    "SCENARIOS",
    "DesiredLoad",
    "LoadDefaults",
    "LoadGroup",
    "LoadPhase",
    "LoadRates",
    "LoadSpec",
    "LoadStage",
    "LoadStatus",
    "ProfileName",
    "StageSpec",
    "moment",
    "stages_of",
]
