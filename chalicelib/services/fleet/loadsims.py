"""Load simulations: ask a host for load, take its word about it, end it."""

from __future__ import annotations

from collections.abc import Callable, Collection

from chalicelib.domain.access import Principal
from chalicelib.domain.errors import Conflict
from chalicelib.domain.load import DesiredLoad, LoadPhase, LoadSpec, LoadStatus
from chalicelib.domain.loadsim import LoadSim
from chalicelib.repositories.documents import Stored
from chalicelib.services.context import Context, retrying


class LoadSims:
    """One record per load and host. A host reads what is wanted of it and reports what is."""

    def __init__(self, context: Context, wanted: Callable[[str, Collection[str]], None]) -> None:
        """wanted: told of the hosts of which something new is wanted (tenant, hosts)."""
        self._context, self._records, self._wanted = context, context.records, wanted

    def start(self, tenant: str, host: str, name: str, spec: LoadSpec, actor: str, experiment_uid: str = "") -> LoadSim:
        """Want a load on a host. Asking again for the same experiment changes nothing. Raises NotFound, Conflict."""
        self._records.hosts.get(tenant, host)
        found = self._records.loadsims.find(tenant, f"{host}#{name}")
        if found and experiment_uid and found.value.experiment_uid == experiment_uid:
            return found.value
        if found and not (found.value.status.phase.ended or self._silent(found.value)):
            raise Conflict(
                f"load {name!r} is already on host {host!r}", hint=f"stop it first: phoenix loadsim stop {name}"
            )
        now = self._context.clock.now()
        made = LoadSim(
            name=name,
            host=host,
            spec=spec,
            # Never used twice, also when an old record of this name is long forgotten: hosts remember what they ran.
            generation=max(int(now), found.value.generation + 1 if found else 1),
            created_at=now,
            created_by=actor,
            experiment_uid=experiment_uid,
        )
        saved = self._records.loadsims.save(tenant, made, found.version if found else 0).value
        self._wanted(tenant, [host])
        return saved

    def stop(self, tenant: str, host: str, name: str) -> LoadSim:
        """Want it no more. Stopping twice is fine. Raises NotFound."""

        def attempt() -> LoadSim:
            stored = self._records.loadsims.get(tenant, f"{host}#{name}")
            if stored.value.desired == "stopped":
                return stored.value
            changed = stored.value.model_copy(update={"desired": "stopped"})
            if changed.reported_at is None:  # the host never saw it: there is nothing to wait for
                ended = LoadStatus(phase=LoadPhase.STOPPED, reason="stopped before the host took it")
                changed = changed.model_copy(update={"status": ended})
            return self._records.loadsims.save(tenant, changed, stored.version).value

        stopped = retrying(attempt)
        self._wanted(tenant, [host])
        return stopped

    def of_host(self, principal: Principal) -> list[DesiredLoad]:
        """What is wanted of the calling host; ended loads are left out."""
        return [
            sim.wanted()
            for sim in self.page(principal.tenant)
            if sim.host == principal.subject and not (sim.desired == "stopped" and sim.status.phase.ended)
        ]

    def report(self, principal: Principal, name: str, status: LoadStatus) -> None:
        """Keep what the host says of a load. Raises NotFound for one it was never asked for."""

        def attempt() -> Stored[LoadSim]:
            stored = self._records.loadsims.get(principal.tenant, f"{principal.subject}#{name}")
            if status.generation != stored.value.generation:
                return stored  # the last word about an earlier load of this name
            update = {"status": status, "reported_at": self._context.clock.now()}
            return self._records.loadsims.save(principal.tenant, stored.value.model_copy(update=update), stored.version)

        retrying(attempt)

    def find(self, tenant: str, host: str, name: str) -> LoadSim | None:
        """One load on one host, or None."""
        found = self._records.loadsims.find(tenant, f"{host}#{name}")
        return found.value if found else None

    def page(self, tenant: str) -> list[LoadSim]:
        """Every load, in order of host and name."""
        return [stored.value for stored in self._records.loadsims.all(tenant)]

    def _silent(self, sim: LoadSim) -> bool:
        """A load whose own duration is long over and of which nothing was heard since."""
        return self._context.clock.now() - sim.created_at > sim.spec.duration_s + 60
