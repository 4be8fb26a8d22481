"""The agents of a host: its own, and the second one that an experiment in dedicated mode runs beside it. Names only.

A second agent has a record of its own: what is wanted, proven, refused. Its name is no host name, so that nothing that
is asked of hosts ever finds it.
"""

from __future__ import annotations

_SECOND = "+second"
"""No host name has a plus."""


def second_of(host: str) -> str:
    """Name of the second agent of a host."""
    return host + _SECOND


def is_second(agent: str) -> bool:
    """Whether it is a second agent."""
    return agent.endswith(_SECOND)


def host_of(agent: str) -> str:
    """The host that an agent runs on."""
    return agent.removesuffix(_SECOND)


def title(agent: str) -> str:
    """For sentences: "node-a", or "node-a (second collector)"."""
    return f"{host_of(agent)} (second collector)" if is_second(agent) else agent
