"""Wiring: the only place that knows settings, adapters, services, jobs and the API together. Nothing decides here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from chalicelib.adapters.catalog.files import FileCatalog
from chalicelib.adapters.collector.reader import YamlReader
from chalicelib.adapters.collector.trials import DEADLINE_S, CollectorTrials
from chalicelib.adapters.collector.validator import CollectorValidator
from chalicelib.adapters.items.sqlite import SqliteItemStore
from chalicelib.adapters.kubernetes.api import KubernetesApis
from chalicelib.adapters.opamp.wire import OpampCodec
from chalicelib.adapters.otlp.metrics import OtlpMetricsCodec
from chalicelib.adapters.prometheus.credentials import credentials
from chalicelib.adapters.prometheus.exposition import ClientLibraryExposition
from chalicelib.adapters.prometheus.servers import PrometheusServers
from chalicelib.adapters.queue.inline import InlineQueue
from chalicelib.adapters.queue.sqs import SqsQueue
from chalicelib.adapters.secrets.aws import AwsSecrets
from chalicelib.adapters.secrets.files import FileSecrets
from chalicelib.adapters.system.clock import SystemClock, SystemEntropy
from chalicelib.adapters.webhook.http import HttpNotifier
from chalicelib.api import all_routes
from chalicelib.api.furniture.route import Route
from chalicelib.domain.errors import InvalidInput
from chalicelib.domain.fleet.state import FleetPolicy
from chalicelib.jobs.step import Step
from chalicelib.jobs.tick import Sweep, Tick
from chalicelib.ports.catalog import Catalog
from chalicelib.ports.clock import Clock, Entropy
from chalicelib.ports.clusters import ClusterApis
from chalicelib.ports.collector import ConfigValidator
from chalicelib.ports.items import ItemStore
from chalicelib.ports.kpis import KpiSources
from chalicelib.ports.notifier import Notifier
from chalicelib.ports.queue import WorkQueue
from chalicelib.ports.secrets import Secrets
from chalicelib.repositories.records import Records
from chalicelib.services.clusters.absence import Absence
from chalicelib.services.clusters.exchange import Exchange
from chalicelib.services.clusters.nodes import Nodes
from chalicelib.services.clusters.pushing import Pushing
from chalicelib.services.clusters.registry import Clusters
from chalicelib.services.clusters.waking import Waking
from chalicelib.services.context import Context
from chalicelib.services.cost.budgets import Budgets
from chalicelib.services.cost.cost import Costs
from chalicelib.services.cost.price_books import PriceBooks
from chalicelib.services.deployments.deployments import Deployments
from chalicelib.services.deployments.promotion import Promotion
from chalicelib.services.experiments.experiments import Experiments
from chalicelib.services.experiments.observing import Observing
from chalicelib.services.experiments.results import Results
from chalicelib.services.experiments.sources import Sources
from chalicelib.services.experiments.stepping import Stepping
from chalicelib.services.fleet.claims import Claims
from chalicelib.services.fleet.fleet import Fleet
from chalicelib.services.fleet.host_watch import HostWatch
from chalicelib.services.fleet.hosts import Hosts
from chalicelib.services.fleet.ingest import Ingest
from chalicelib.services.fleet.loadsims import LoadSims
from chalicelib.services.fleet.quarantine import Quarantine
from chalicelib.services.notifications.deliveries import Deliveries
from chalicelib.services.notifications.gates import Gates
from chalicelib.services.notifications.notifications import Notifications
from chalicelib.services.notifications.signing_key import SigningKey
from chalicelib.services.notifications.webhooks import Webhooks
from chalicelib.services.pipelines.drafts import Drafts
from chalicelib.services.pipelines.library import CatalogLibrary, Library, TenantLibrary
from chalicelib.services.pipelines.own_pipelines import OwnPipelines
from chalicelib.services.pipelines.pipelines import Pipelines
from chalicelib.services.pipelines.predictions import PredictionBook
from chalicelib.services.pipelines.validation import Validation
from chalicelib.services.services import Services
from chalicelib.services.tokens import Tokens
from chalicelib.settings import Settings, from_env


@dataclass(frozen=True)
class ControlPlane:
    """A whole control plane: its routes, its jobs and its services."""

    settings: Settings
    services: Services
    routes: Sequence[Route]
    tick: Tick
    deliver: Tick
    """The tick of what goes outside and of what adds up a lot."""
    step: Step
    sweep: Sweep


@dataclass(frozen=True)
class Outside:
    """Parts of the outside world that stand in for what the settings would choose. None: the real one."""

    clock: Clock | None = None
    entropy: Entropy | None = None
    store: ItemStore | None = None
    catalog: Catalog | None = None
    validator: ConfigValidator | None = None
    notifier: Notifier | None = None
    kpi_sources: KpiSources | None = None
    clusters: ClusterApis | None = None
    secrets: Secrets | None = None


def build(settings: Settings, outside: Outside | None = None) -> ControlPlane:
    """Wire a control plane. Raises InvalidInput for settings that do not fit, Unavailable for a store out of reach."""
    given = outside or Outside()
    clock = given.clock or SystemClock()
    records = Records(given.store or item_store(settings, clock))
    context = Context(records, clock, given.entropy or SystemEntropy())
    services = _services(settings, context, given)
    step = Step(_steppers(services))
    queue = _queue(settings, step)
    ticks = Tick(records, queue), Tick(records, queue, outward=True)
    return ControlPlane(settings, services, all_routes(services, settings.version), *ticks, step, Sweep(records))


def build_from_environment(env: Mapping[str, str]) -> ControlPlane:
    """Wire a control plane by the environment (PHOENIX_*). Raises InvalidInput naming the variable."""
    return build(from_env(env))


def item_store(settings: Settings, clock: Clock) -> ItemStore:
    """The engine that the settings name."""
    if settings.store == "sqlite":
        if settings.data_dir is None:
            raise InvalidInput("PHOENIX_DATA_DIR: the SQLite store needs a folder", hint="set it, or use phoenix up")
        return SqliteItemStore(settings.data_dir / "phoenix.sqlite", clock.now)
    # Imported where it is used: boto3 costs half a second that a control plane on SQLite need not wait for.
    from chalicelib.adapters.items.dynamodb import DynamoItemStore

    store = DynamoItemStore(
        now=clock.now,
        endpoint=settings.dynamodb_endpoint,
        region=settings.dynamodb_region,
        prefix=settings.table_prefix,
    )
    if settings.create_tables:
        store.create_tables()
    return store


def catalog(settings: Settings, given: Outside) -> Catalog:
    """Phoenix's own pipelines and those of the folders that the settings add."""
    return given.catalog or FileCatalog(settings.catalog, *settings.extra_catalogs)


def pipelines(library: Library, settings: Settings, given: Outside) -> Pipelines:
    """Pipelines of a library, filled in and checked."""
    return Pipelines(library, given.validator or CollectorValidator(settings.otelcol), settings.public_url)


def catalog_pipelines(settings: Settings, given: Outside) -> tuple[Pipelines, list[str]]:
    """The catalog alone, and its names; needs no store."""
    found = catalog(settings, given)
    return pipelines(CatalogLibrary(found), settings, given), found.names()


def validation(settings: Settings, given: Outside, *, trial_seconds: float = DEADLINE_S) -> Validation:
    """Validation of configurations alone; needs no store. trial_seconds: how long a collector may run for it."""
    trials = CollectorTrials(settings.otelcol, deadline_s=trial_seconds)
    validator = given.validator or CollectorValidator(settings.otelcol)
    return Validation(YamlReader(), validator, trials, given.clock or SystemClock())


def secrets(settings: Settings) -> Secrets:
    """Where credentials of clusters are kept: beside the data of one machine, or in AWS Secrets Manager."""
    if settings.data_dir is not None:
        return FileSecrets(settings.data_dir / "secrets")
    return AwsSecrets(settings.dynamodb_region, settings.table_prefix)


def prometheus_servers(settings: Settings) -> PrometheusServers:
    """The Prometheus servers that experiments may name. Raises InvalidInput for credentials that are none."""
    known = settings.prometheus_credentials
    return PrometheusServers(
        credentials(known.get_secret_value() if known else ""), private=settings.private_prometheus
    )


def _services(settings: Settings, context: Context, given: Outside) -> Services:
    records = context.records
    policy = FleetPolicy(idle_heartbeat=settings.idle_poll_seconds)
    waking = Waking(context)
    fleet = Fleet(context, OpampCodec(), policy, waking)
    tokens = Tokens(context)
    library = TenantLibrary(catalog(settings, given), records)
    rendering = pipelines(library, settings, given)
    checking = validation(settings, given)
    claims = records.experiment_claims, records.deployment_claims
    in_experiment = Claims(records, claims[0], "experiment", partial(_of_experiment, records), context.entropy)
    in_deployment = Claims(records, claims[1], "pipeline", partial(_of_deployment, records), context.entropy)
    hosts = Hosts(context, fleet, tokens, in_experiment, in_deployment)
    notifications = Notifications(context)
    gates = Gates(context)
    absence = Absence(context)
    deployments = Deployments(context, fleet, rendering, in_deployment, in_experiment, notifications, absence)
    loadsims = LoadSims(context, waking)
    price_books = PriceBooks(context)
    costs = Costs(context, price_books)
    key = SigningKey(context, settings.signing_key.get_secret_value() if settings.signing_key else "")
    promotion = Promotion(context, deployments, in_deployment)
    sources = Sources(context, given.kpi_sources or prometheus_servers(settings))
    observing = Observing(context, fleet, sources)
    nodes = Nodes(context, in_experiment, in_deployment)
    apis = given.clusters or KubernetesApis()
    clusters = Clusters(context, apis, given.secrets or secrets(settings), tokens, nodes)
    exchange = Exchange(context, fleet, loadsims, tokens, nodes)
    return Services(
        tokens=tokens,
        hosts=hosts,
        fleet=fleet,
        ingest=Ingest(context, OtlpMetricsCodec(), exchange.used),
        pipelines=rendering,
        library=library,
        own_pipelines=OwnPipelines(context, library, Drafts(YamlReader(), checking)),
        validation=checking,
        deployments=deployments,
        experiments=Experiments(context, fleet, rendering, hosts, in_experiment, gates, price_books, sources),
        sources=sources,
        results=Results(context, ClientLibraryExposition()),
        predictions=PredictionBook(context, rendering),
        loadsims=loadsims,
        stepping=Stepping(context, observing, fleet, loadsims, promotion, in_experiment, gates),
        price_books=price_books,
        costs=costs,
        budgets=Budgets(context, price_books, costs, notifications),
        webhooks=Webhooks(context, key),
        deliveries=Deliveries(context, given.notifier or HttpNotifier(private=settings.private_webhooks), key, gates),
        gates=gates,
        notifications=notifications,
        host_watch=HostWatch(context, fleet, notifications),
        quarantine=Quarantine(context),
        clusters=clusters,
        absence=absence,
        cluster_exchange=exchange,
        cluster_pushing=Pushing(context, clusters, apis, exchange),
        audit=records.audit,
        clock=context.clock,
    )


def _steppers(services: Services) -> dict[str, Callable[[str, str], None]]:
    return {
        "EXPERIMENT": services.stepping.step,
        "DEPLOYMENT": services.deployments.step,
        "NOTIFICATION": services.notifications.spread,
        "DELIVERY": services.deliveries.step,
        "WEBHOOK": services.host_watch.step,
        "BUDGET": services.budgets.step,
        "COSTWATCH": services.costs.roll,
        "CLUSTER": services.cluster_pushing.step,
    }


def _of_experiment(records: Records, tenant: str, name: str, uid: str) -> tuple[str, ...]:
    """The hosts that an experiment needs as long as it has not ended."""
    found = records.experiments.find(tenant, name)
    here = found is not None and found.value.uid == uid and found.value.ended_at is None
    return found.value.hosts if found and here else ()


def _of_deployment(records: Records, tenant: str, name: str, uid: str) -> tuple[str, ...]:
    found = records.deployments.find(tenant, name)
    return found.value.hosts if found else ()


def _queue(settings: Settings, step: Step) -> WorkQueue:
    if settings.queue_url:
        import boto3

        return SqsQueue(boto3.client("sqs", region_name=settings.dynamodb_region), settings.queue_url)
    queue = InlineQueue()
    queue.worker = step
    return queue
