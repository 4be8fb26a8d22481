"""How a simulated process uses CPU and memory over time, as functions of its age. Pure; standard library only, as the
spawner imports this in a bare interpreter.
"""

from __future__ import annotations

import math

TYPE_CHECKING = False  # as in typing, see kernel.py
if TYPE_CHECKING:
    from collections.abc import Callable

    Curve = Callable[[float], float]

SPIKE = 0.2
"""A spiky process does all its work in this part of its period."""
REST = 0.1
"""Memory never falls below this part of its highest."""
STEPS = 10
"""A random process changes its level so many times a period."""


def cpu_share(kind: str, share: float, period: float, seed: int) -> Curve:
    """Share of a core at t seconds; its mean over a period is `share` for every kind (random: in expectation)."""
    if kind == "spiky":
        return lambda t: share / SPIKE if t % period < SPIKE * period else 0.0
    if kind == "sine":
        return lambda t: share * (1.0 + math.sin(2.0 * math.pi * t / period))
    if kind == "growing":
        return lambda t: 2.0 * share * (t % period) / period
    if kind == "random":
        return lambda t: 2.0 * share * uniform(seed, int(STEPS * t / period))
    return lambda t: share


def memory_level(kind: str, period: float, seed: int) -> Curve:
    """Part of its highest that is resident at t seconds, from REST to 1."""
    rise = 1.0 - REST
    if kind == "spiky":
        return lambda t: 1.0 if t % period < SPIKE * period else REST
    if kind == "sine":
        return lambda t: REST + rise * 0.5 * (1.0 + math.sin(2.0 * math.pi * t / period))
    if kind == "growing":
        return lambda t: REST + rise * (t % period) / period
    if kind == "random":
        return lambda t: REST + rise * uniform(seed, int(STEPS * t / period))
    return lambda t: 1.0


def uniform(seed: int, step: int) -> float:
    """A number from 0 to 1 (exclusive), the same for the same arguments: SplitMix64's finaliser (Steele, Lea and Flood,
    OOPSLA 2014), for the `random` module would cost every simulated process its memory."""
    mask = 2**64 - 1
    z = (seed * 0xD1342543DE82EF95 + (step + 1) * 0x9E3779B97F4A7C15) & mask
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
    return ((z ^ (z >> 31)) >> 11) / 2.0**53
