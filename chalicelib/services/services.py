"""All services of one control plane, as the API is given them."""

from __future__ import annotations

from dataclasses import dataclass

from chalicelib.ports.clock import Clock
from chalicelib.repositories.audit import AuditTrail
from chalicelib.services.clusters.absence import Absence
from chalicelib.services.clusters.exchange import Exchange
from chalicelib.services.clusters.pushing import Pushing
from chalicelib.services.clusters.registry import Clusters
from chalicelib.services.cost.budgets import Budgets
from chalicelib.services.cost.cost import Costs
from chalicelib.services.cost.price_books import PriceBooks
from chalicelib.services.deployments.deployments import Deployments
from chalicelib.services.experiments.experiments import Experiments
from chalicelib.services.experiments.results import Results
from chalicelib.services.experiments.sources import Sources
from chalicelib.services.experiments.stepping import Stepping
from chalicelib.services.fleet.fleet import Fleet
from chalicelib.services.fleet.host_watch import HostWatch
from chalicelib.services.fleet.hosts import Hosts
from chalicelib.services.fleet.ingest import Ingest
from chalicelib.services.fleet.loadsims import LoadSims
from chalicelib.services.fleet.quarantine import Quarantine
from chalicelib.services.notifications.deliveries import Deliveries
from chalicelib.services.notifications.gates import Gates
from chalicelib.services.notifications.notifications import Notifications
from chalicelib.services.notifications.webhooks import Webhooks
from chalicelib.services.pipelines.library import TenantLibrary
from chalicelib.services.pipelines.own_pipelines import OwnPipelines
from chalicelib.services.pipelines.pipelines import Pipelines
from chalicelib.services.pipelines.predictions import PredictionBook
from chalicelib.services.pipelines.validation import Validation
from chalicelib.services.tokens import Tokens


@dataclass(frozen=True)
class Services:
    """One of each."""

    tokens: Tokens
    hosts: Hosts
    fleet: Fleet
    ingest: Ingest
    pipelines: Pipelines
    library: TenantLibrary
    own_pipelines: OwnPipelines
    validation: Validation
    deployments: Deployments
    experiments: Experiments
    sources: Sources
    results: Results
    predictions: PredictionBook
    loadsims: LoadSims
    stepping: Stepping
    price_books: PriceBooks
    costs: Costs
    budgets: Budgets
    webhooks: Webhooks
    deliveries: Deliveries
    gates: Gates
    notifications: Notifications
    host_watch: HostWatch
    quarantine: Quarantine
    clusters: Clusters
    absence: Absence
    cluster_exchange: Exchange
    cluster_pushing: Pushing
    audit: AuditTrail
    clock: Clock
