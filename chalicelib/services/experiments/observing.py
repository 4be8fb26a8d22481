"""Looking before a step: what hosts, loads and measurements say about an experiment now."""

from __future__ import annotations

from chalicelib.domain.canary.before import PrePeriod
from chalicelib.domain.deployment import scope
from chalicelib.domain.evaluation.measures.deployed import kept
from chalicelib.domain.evaluation.plan import ConfigProof, EvaluationPlan, plan_for
from chalicelib.domain.evaluation.result.result import Evaluation
from chalicelib.domain.experiment.observed import HostView, Observed
from chalicelib.domain.experiment.rollout import Watched
from chalicelib.domain.experiment.state import Experiment, State
from chalicelib.domain.experiment.transitions import settling
from chalicelib.domain.fleet.agents import host_of, is_second
from chalicelib.domain.fleet.judge import IDLE_HASH
from chalicelib.domain.fleet.state import AgentState
from chalicelib.domain.fleet.status import away_since
from chalicelib.domain.load import LoadStatus
from chalicelib.domain.measurement import Variant
from chalicelib.ports.items import Put
from chalicelib.services.context import Context
from chalicelib.services.experiments.canaries import before, due_before
from chalicelib.services.experiments.looking import Look, Looking
from chalicelib.services.experiments.sources import Sources
from chalicelib.services.fleet.fleet import Fleet

_DECIDED = frozenset({State.AWAITING_PROMOTION, State.PROMOTING})
_LOOKING = frozenset({State.RUNNING, State.PAUSED}) | _DECIDED


class Observing:
    """Reads only."""

    def __init__(self, context: Context, fleet: Fleet, sources: Sources) -> None:
        self._context, self._records, self._fleet = context, context.records, fleet
        self._looking = Looking(context.records, sources.seen)

    def look(self, tenant: str, experiment: Experiment) -> tuple[Observed, tuple[Put, ...]]:
        """Everything that `decide` needs; and the writes that keep its evaluation, for the transaction of what is
        decided."""
        now = self._context.clock.now()
        agents = tuple(dict.fromkeys((*experiment.hosts, *experiment.configs)))
        hosts = {host: self._view(state, now) for host, state in self._fleet.states(tenant, agents).items()}
        found = self._evaluate(tenant, experiment, hosts, now) if _due(experiment, now) else None
        seen = Observed(
            hosts=hosts,
            load=self._loads(tenant, experiment) if experiment.spec.load else {},
            restored={host: previous_hash(experiment, host) for host in experiment.hosts},
            evaluation=found.evaluation if found else None,
            watched=self._watched(tenant, experiment),
            deployment_active=self._deployment_active(tenant, experiment),
            before=self._before(tenant, experiment, hosts, now),
        )
        return seen, found.writes if found else ()

    def _before(self, tenant: str, experiment: Experiment, hosts: dict[str, HostView], now: float) -> PrePeriod | None:
        if not due_before(experiment, now):
            return None
        return before(self._records, tenant, experiment, _plan(experiment, hosts), now)

    def _view(self, state: AgentState, now: float) -> HostView:
        wanted, away = state.desired, away_since(state, now, self._fleet.policy)
        active = wanted if wanted and wanted.confirmed_at is not None else None
        return HostView(
            desired=wanted.content_hash if wanted else "",
            active=active.content_hash if active else "",
            marker=active.marker if active else "",
            confirmed_at=(active.confirmed_at or 0.0) if active else 0.0,
            errors={failure.content_hash: failure.error for failure in state.quarantine},
            away_since=away,
            # A supervisor that is stopped says that its collector is not well, and no good-bye (0.149).
            gone=away is not None or state.last_seen is None or not state.healthy,
        )

    def _loads(self, tenant: str, experiment: Experiment) -> dict[str, LoadStatus | None]:
        keys = {host: f"{host}#{load_name(experiment)}" for host in experiment.hosts}
        stored = self._records.loadsims.several(tenant, list(keys.values()))
        of = {host: stored[key].value for host, key in keys.items() if key in stored}
        return {
            host: of[host].status if host in of and of[host].experiment_uid == experiment.uid else None for host in keys
        }

    def _watched(self, tenant: str, experiment: Experiment) -> dict[str, Watched]:
        """What the hosts that run the winner have measured since, in a promotion that is watched."""
        if experiment.state is not State.PROMOTING or experiment.rollout_plan.soak <= 0:
            return {}
        found = self._records.deployments.find(tenant, experiment.deployment) if experiment.deployment else None
        made = next((v for v in found.value.versions if v.experiment_uid == experiment.uid), None) if found else None
        if made is None:
            return {}
        of = scope(experiment.deployment, made.number)
        seen = {}
        for host in experiment.promoted_hosts:
            counts, _ = self._records.measurements.read(tenant, of, host)
            found_here = kept(counts, experiment.spec.interval)
            seen[host] = Watched(found_here.scrapes, ", ".join(found_here.lost))
        return seen

    def _deployment_active(self, tenant: str, experiment: Experiment) -> bool:
        if experiment.state is not State.PROMOTING or not experiment.deployment:
            return False
        found = self._records.deployments.find(tenant, experiment.deployment)
        if found is None:
            return False
        version = found.value.version(found.value.current)
        return version is not None and version.experiment_uid == experiment.uid

    def _evaluate(self, tenant: str, experiment: Experiment, hosts: dict[str, HostView], now: float) -> Look | None:
        if experiment.window_start is None:
            return None
        problems = {
            host_of(host): f"{_whose(host)} refused or lost the configuration under test: "
            f"{view.errors[experiment.configs[host]]}"
            for host, view in hosts.items()
            if experiment.configs[host] in view.errors and view.active != experiment.configs[host]
        }
        plan = _plan(experiment, hosts)
        last = experiment.state is State.DECIDING

        def shown(evaluation: Evaluation) -> bool:
            """What was decided on stays as it was; only a breach replaces it."""
            return experiment.state not in _DECIDED or evaluation.breach

        return self._looking.look(tenant, plan, now, last=last, problems=problems, shown=shown)


def load_name(experiment: Experiment) -> str:
    """Name of the experiment's own load: its name, so that people recognise it."""
    return experiment.name


def previous_hash(experiment: Experiment, host: str) -> str:
    """Content hash of what the host goes back to."""
    return experiment.previous.get(host, "").partition(" ")[2] or IDLE_HASH


def _plan(experiment: Experiment, hosts: dict[str, HostView]) -> EvaluationPlan:
    """What it is held to; its window is open, or is that of a canary's pre-period."""
    opened = experiment.window_start or experiment.before_since or experiment.entered_at
    return plan_for(
        experiment.spec,
        scope=experiment.uid,
        name=experiment.name,
        hosts=experiment.hosts,
        window_start_ns=int(opened * 1e9),
        deployed_ns=int((experiment.deployed_at or opened) * 1e9),
        configs=_proofs(experiment, hosts),
        spec_hash=experiment.spec_hash,
        arm_hashes=experiment.arm_hashes,
        extended_s=experiment.extended_seconds,
        book=experiment.price_book,
        canary=experiment.canary,
    )


def _due(experiment: Experiment, now: float) -> bool:
    if experiment.state is State.DECIDING:
        return experiment.outcome is None and now - experiment.entered_at >= settling(experiment)
    if experiment.state not in _LOOKING or experiment.window_start is None:
        return False
    before = experiment.evaluated_at or experiment.window_start
    return now - before >= experiment.spec.schedule.evaluate_every


def _proofs(experiment: Experiment, hosts: dict[str, HostView]) -> tuple[ConfigProof, ...]:
    """Markers that count as evidence: those proven when the experiment was deployed, and a newer one of the same
    content where a host had to be given it again."""
    found = {
        (proof.host, proof.marker): proof
        for proof in experiment.proofs
        if proof.content_hash == experiment.configs_now[proof.host]
    }
    for host, view in hosts.items():
        if view.active == experiment.configs_now[host]:
            found[(host, view.marker)] = view.proof(host)
    return tuple(
        ConfigProof(
            host=host_of(p.host),
            config_hash=p.content_hash,
            marker=p.marker,
            read_back_ns=int(p.confirmed_at * 1e9),
            arm=_arm_of(experiment, p.host),
        )
        for p in found.values()
    )


def _whose(agent: str) -> str:
    return "its second collector" if is_second(agent) else "its collector"


def _arm_of(experiment: Experiment, agent: str) -> Variant | None:
    """Whose collector an agent runs; None where it runs both arms."""
    if experiment.spec.mode == "shared":
        return None
    return Variant.CANDIDATE if is_second(agent) else Variant.BASELINE
