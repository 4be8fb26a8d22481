"""Who holds a host: at most one experiment, at most one deployment. Claimed one by one, all or nothing in effect."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from chalicelib.domain.errors import Conflict, Problem
from chalicelib.repositories.documents import Documents, Stored
from chalicelib.repositories.records import Claim

ORPHAN_AFTER = 60.0
"""Seconds after which a claim whose holder was never stored may be taken: its creation died half-way."""


class Claims:
    """alive: whether the holder of a claim still exists and still needs it."""

    def __init__(self, claims: Documents[Claim], noun: str, alive: Callable[[str, Claim], bool]) -> None:
        self._claims, self._noun, self._alive = claims, noun, alive

    def take(self, tenant: str, hosts: Sequence[str], holder: str, uid: str, now: float, pointer: str = "") -> None:
        """Claim every host, or none: on a conflict what was claimed just now is released. Raises Conflict naming all
        busy hosts and who holds them; pointer: the field of the request that named the hosts."""
        taken: list[str] = []
        busy: list[str] = []
        for host in hosts:
            try:
                if self._take_one(tenant, Claim(host=host, holder=holder, uid=uid, since=now), now):
                    taken.append(host)
            except Conflict as conflict:
                busy.append(conflict.detail)
        if busy:
            self.release(tenant, taken, holder, uid)
            hint = f"wait for it to end, stop it, or choose other hosts: phoenix {self._noun} list"
            problems = tuple(Problem(pointer, detail, hint) for detail in busy) if pointer else ()
            raise Conflict("; ".join(busy), problems=problems, hint=hint)

    def holder(self, tenant: str, host: str) -> Claim | None:
        """The living claim on a host, or None."""
        found = self._claims.find(tenant, host)
        return found.value if found and self._alive(tenant, found.value) else None

    def release(self, tenant: str, hosts: Sequence[str], holder: str, uid: str) -> None:
        """Give back what this holder holds; another's claims are left alone."""
        for host in hosts:
            found = self._claims.find(tenant, host)
            if found and (found.value.holder, found.value.uid) == (holder, uid):
                self._claims.remove(tenant, host)

    def _take_one(self, tenant: str, claim: Claim, now: float) -> bool:
        """Whether it is new; False when this holder had it before."""
        found = self._claims.find(tenant, claim.host)
        if found is None:
            self._claims.create(tenant, claim)
        elif (found.value.holder, found.value.uid) == (claim.holder, claim.uid):
            return False
        elif self._stale(tenant, found, now):
            self._claims.save(tenant, claim, found.version)
        else:
            raise Conflict(f"host {claim.host!r} is busy in {self._noun} {found.value.holder!r}")
        return True

    def _stale(self, tenant: str, found: Stored[Claim], now: float) -> bool:
        return not self._alive(tenant, found.value) and now - found.value.since > ORPHAN_AFTER
