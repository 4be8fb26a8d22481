"""Which host runs which arm: by lot within hosts of similar size. Nothing is measured and nothing is rendered here.

Stratified randomisation in blocks: hosts are sorted by size and cut into as many blocks as the smaller arm has hosts;
of each block one host is drawn for that arm. Both arms so get their share of small, middling and large hosts, whatever
the lot (with a share of 50 %: pairs of hosts of about the same size).

Size is what the host's agent says of its machine: cores, then memory. It is known before anything is measured, so that
the assignment stands, and can be seen, before the experiment begins, and no measurement can have influenced it. How
many series a host really reports is the covariate of the evaluation, which takes it into account exactly. Hosts whose
size is not known count as the smallest.

The lot is SHA-256 of seed and name: anybody can draw it again with any tool, on any machine.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from itertools import pairwise

from pydantic import Field

from chalicelib.domain.canary.spec import arm_sizes
from chalicelib.domain.measurement import Variant
from chalicelib.domain.model import Value


class HostSize(Value):
    """A host and its size as its agent reported it; 0: not known."""

    host: str
    cpu_count: int = Field(default=0, ge=0)
    memory_bytes: int = Field(default=0, ge=0)


class AssignedHost(HostSize):
    """A host with its arm. stratum: number of its block, 1 holds the smallest hosts."""

    arm: Variant
    stratum: int = Field(ge=1)


class Assignment(Value):
    """All hosts with their arms, in the order of the targets, and what the lot was drawn from."""

    seed: int
    share: float
    hosts: tuple[AssignedHost, ...]

    def of(self, arm: Variant) -> tuple[str, ...]:
        """Names of the hosts that run this arm."""
        return tuple(one.host for one in self.hosts if one.arm is arm)

    @property
    def arms(self) -> dict[str, Variant]:
        """Host to its arm."""
        return {one.host: one.arm for one in self.hosts}

    def sizes(self) -> tuple[HostSize, ...]:
        """What it was made from, beside seed and share."""
        return tuple(
            HostSize(host=one.host, cpu_count=one.cpu_count, memory_bytes=one.memory_bytes) for one in self.hosts
        )


def assign(hosts: Sequence[HostSize], share: float, seed: int) -> Assignment:
    """Draw the arms. The order of `hosts` plays no part in it, only in the order of the answer."""
    baseline, candidate = arm_sizes(len(hosts), share)
    drawn_arm, other = (
        (Variant.CANDIDATE, Variant.BASELINE) if candidate <= baseline else (Variant.BASELINE, Variant.CANDIDATE)
    )
    blocks = max(1, min(baseline, candidate))
    ordered = sorted(hosts, key=lambda one: (one.cpu_count, one.memory_bytes, _lot(seed, "order", one.host)))
    edges = [round(i * len(ordered) / blocks) for i in range(blocks + 1)]
    found: dict[str, tuple[Variant, int]] = {}
    for number, (start, end) in enumerate(pairwise(edges), start=1):
        block = ordered[start:end]
        drawn = min(block, key=lambda one: _lot(seed, "arm", one.host)).host
        found.update({one.host: (drawn_arm if one.host == drawn else other, number) for one in block})
    assigned = (
        AssignedHost(**one.model_dump(), arm=found[one.host][0], stratum=found[one.host][1]) for one in hosts
    )  # fmt: skip
    return Assignment(seed=seed, share=share, hosts=tuple(assigned))


def _lot(seed: int, purpose: str, host: str) -> str:
    return hashlib.sha256(f"{seed}/{purpose}/{host}".encode()).hexdigest()
