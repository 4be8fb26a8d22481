"""Who holds a host: at most one experiment, at most one deployment. Claimed together, all or none in effect."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import TypeVar

from chalicelib.domain.errors import Conflict, Problem
from chalicelib.ports.clock import Entropy
from chalicelib.ports.items import ABSENT, MAX_TRANSACT_WRITES, Write
from chalicelib.repositories.documents import Documents, Stored
from chalicelib.repositories.records import Claim, Records
from chalicelib.services.context import ATTEMPTS

ORPHAN_AFTER = 60.0
"""Seconds after which a claim whose holder was never stored may be taken: its creation died half-way."""
W = TypeVar("W")


class Claims:
    """claims: of one noun, in these records. needed: the hosts that a holder (tenant, name, uid) still needs; none when
    it does not exist."""

    def __init__(
        self,
        records: Records,
        claims: Documents[Claim],
        noun: str,
        needed: Callable[[str, str, str], Collection[str]],
        entropy: Entropy,
    ) -> None:
        self._records, self._claims, self._noun = records, claims, noun
        self._needed, self._entropy = needed, entropy

    def take(self, tenant: str, hosts: Sequence[str], holder: str, uid: str, now: float, pointer: str = "") -> None:
        """Claim every host, or none: on a conflict what was claimed just now is released. Raises Conflict naming all
        busy hosts and who holds them; pointer: the field of the request that named the hosts."""
        mine: list[str] = []
        for _ in range(ATTEMPTS):
            wanted = self._wanted(tenant, hosts, Claim(host="", holder=holder, uid=uid, since=now), mine, pointer)
            try:
                for part in _parts(wanted):
                    self._write([self._claims.write(tenant, claim, version) for claim, version in part])
                    mine += [claim.host for claim, _ in part]
                return
            except Conflict:
                continue  # another was faster with some of them: who has them now?
        self.release(tenant, mine, holder, uid)
        raise Conflict("these hosts are claimed and released all the time", hint="try again")

    def holder(self, tenant: str, host: str) -> Claim | None:
        """The living claim on a host, or None."""
        return self.holders(tenant, [host]).get(host)

    def holders(self, tenant: str, hosts: Sequence[str]) -> dict[str, Claim]:
        """The living claims on these hosts, by host."""
        found = self._claims.several(tenant, hosts)
        alive = self._living(tenant, found)
        return {host: found[host].value for host in hosts if host in alive}

    def release(self, tenant: str, hosts: Sequence[str], holder: str, uid: str) -> None:
        """Give back what this holder holds; another's claims are left alone."""
        found = self._claims.several(tenant, hosts)
        held = [(host, one.version) for host, one in found.items() if _whose(one.value) == (holder, uid)]
        for part in _parts(held):
            try:
                self._write([self._claims.removal(tenant, host, version) for host, version in part])
            except Conflict:  # some are another's meanwhile
                self._release_each(tenant, part)

    def _release_each(self, tenant: str, held: Sequence[tuple[str, int]]) -> None:
        for host, version in held:
            try:
                self._write([self._claims.removal(tenant, host, version)])
            except Conflict:
                continue

    def _wanted(
        self, tenant: str, hosts: Sequence[str], like: Claim, mine: Sequence[str], pointer: str
    ) -> list[tuple[Claim, int]]:
        """The claims to write, with the version that each replaces. Raises Conflict for busy hosts, after releasing
        mine."""
        found = self._claims.several(tenant, hosts)
        alive = self._living(tenant, found)
        wanted: list[tuple[Claim, int]] = []
        busy: list[str] = []
        for host in dict.fromkeys(hosts):
            here = found.get(host)
            if here is None:
                wanted.append((like.model_copy(update={"host": host}), ABSENT))
            elif _whose(here.value) == _whose(like):
                continue
            elif host not in alive and like.since - here.value.since > ORPHAN_AFTER:
                wanted.append((like.model_copy(update={"host": host}), here.version))
            else:
                busy.append(f"host {host!r} is busy in {self._noun} {here.value.holder!r}")
        if busy:
            self.release(tenant, mine, like.holder, like.uid)
            hint = f"wait for it to end, stop it, or choose other hosts: phoenix {self._noun} list"
            problems = tuple(Problem(pointer, detail, hint) for detail in busy) if pointer else ()
            raise Conflict("; ".join(busy), problems=problems, hint=hint)
        return wanted

    def _living(self, tenant: str, found: Mapping[str, Stored[Claim]]) -> set[str]:
        """The hosts whose holder needs them; each holder is asked once."""
        whose = {host: _whose(stored.value) for host, stored in found.items()}
        needed = {one: frozenset(self._needed(tenant, *one)) for one in set(whose.values())}
        return {host for host, one in whose.items() if host in needed[one]}

    def _write(self, writes: Sequence[Write]) -> None:
        self._records.store.transact(writes, token=f"claims-{self._entropy.uid()}")


def _whose(claim: Claim) -> tuple[str, str]:
    return claim.holder, claim.uid


def _parts(rows: Sequence[W]) -> Iterator[Sequence[W]]:
    for start in range(0, len(rows), MAX_TRANSACT_WRITES):
        yield rows[start : start + MAX_TRANSACT_WRITES]
