"""All services of one control plane, as the API is given them."""

from __future__ import annotations

from dataclasses import dataclass

from chalicelib.ports.clock import Clock
from chalicelib.repositories.audit import AuditTrail
from chalicelib.services.budgets import Budgets
from chalicelib.services.clusters.absence import Absence
from chalicelib.services.clusters.exchange import Exchange
from chalicelib.services.clusters.pushing import Pushing
from chalicelib.services.clusters.registry import Clusters
from chalicelib.services.cost import Costs
from chalicelib.services.deliveries import Deliveries
from chalicelib.services.deployments import Deployments
from chalicelib.services.experiments import Experiments
from chalicelib.services.fleet import Fleet
from chalicelib.services.gates import Gates
from chalicelib.services.host_watch import HostWatch
from chalicelib.services.hosts import Hosts
from chalicelib.services.ingest import Ingest
from chalicelib.services.library import TenantLibrary
from chalicelib.services.loadsims import LoadSims
from chalicelib.services.notifications import Notifications
from chalicelib.services.own_pipelines import OwnPipelines
from chalicelib.services.pipelines import Pipelines
from chalicelib.services.predictions import PredictionBook
from chalicelib.services.price_books import PriceBooks
from chalicelib.services.quarantine import Quarantine
from chalicelib.services.results import Results
from chalicelib.services.sources import Sources
from chalicelib.services.stepping import Stepping
from chalicelib.services.tokens import Tokens
from chalicelib.services.validation import Validation
from chalicelib.services.webhooks import Webhooks


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
