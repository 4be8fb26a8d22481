"""The price books that come with Phoenix: data with source and date. Nothing is computed here.

Each figure is a public list price as read on its date; your contract decides. A price that is not public is not here.
"""

from __future__ import annotations

from datetime import date

from chalicelib.domain.cost.price_book import Charge, Meter, PriceBook, Sizing, Tier

_CHECK = "a public list price: check it against your own contract, discounts and region"


def _flat(price: float) -> tuple[Tier, ...]:
    return (Tier(price=price),)


LISTED = (
    PriceBook(
        name="example-2026",
        title="Example: a flat price per active series",
        source="invented for examples; take the price of your own contract",
        as_of=date(2026, 1, 1),
        currency="USD",
        charges=(Charge(meter=Meter.SERIES, tiers=_flat(0.06)),),
        example=True,
    ),
    PriceBook(
        name="datadog-pro",
        title="Datadog Infrastructure Pro: custom metrics, annual billing",
        source="Datadog Pricing list, https://www.datadoghq.com/pricing/list/ and Custom Metrics Billing, "
        "https://docs.datadoghq.com/account_management/billing/custom_metrics/",
        as_of=date(2026, 9, 15),
        currency="USD",
        charges=(
            Charge(meter=Meter.SERIES, per=100, tiers=_flat(5.0), included_per_host=100),
            Charge(meter=Meter.HOSTS, tiers=_flat(15.0)),
        ),
        notes=(
            _CHECK,
            "metrics sent over OTLP count as custom metrics; the month's mean of the hourly count is billed",
            "15 USD a host is the annual price (18 month by month); custom metrics may cost less by the thousand",
        ),
    ),
    PriceBook(
        name="newrelic-original",
        title="New Relic: original data option, by the gigabyte",
        source="New Relic Pricing, https://newrelic.com/pricing and Data ingest: billing and rules, "
        "https://docs.newrelic.com/docs/accounts/accounts-billing/new-relic-one-pricing-billing/data-ingest-billing/",
        as_of=date(2026, 9, 1),
        currency="USD",
        charges=(Charge(meter=Meter.GIGABYTES, tiers=_flat(0.40), included=100),),
        notes=(
            _CHECK,
            "New Relic bills the bytes that it stores, in a format of its own: bytes sent over OTLP are a stand-in",
            "users are billed apart and are not in it; Data Plus costs more by the gigabyte",
            "read in comparisons of 2026 that quote the page; its day is taken as the first of September",
        ),
    ),
    PriceBook(
        name="grafana-cloud-pro",
        title="Grafana Cloud Pro: metrics",
        source="Grafana Pricing, https://grafana.com/pricing/ and Metrics usage and cost, "
        "https://grafana.com/docs/grafana-cloud/cost-management-and-billing/understand-usage-cost/metrics",
        as_of=date(2026, 9, 15),
        currency="USD",
        charges=(
            Charge(
                meter=Meter.SERIES,
                per=1000,
                included=10_000,
                points_per_minute=1,
                tiers=(Tier(up_to=100_000, price=6.50), Tier(up_to=200_000, price=5.90), Tier(price=5.50)),
            ),
            Charge(meter=Meter.MONTHS, tiers=_flat(19.0)),
        ),
        notes=(
            _CHECK,
            "one data point a minute and series is included: a scrape every 15 s counts four times",
            "the 95th percentile of the month is billed, the mean is priced here",
        ),
    ),
    PriceBook(
        name="amazon-managed-prometheus",
        title="Amazon Managed Service for Prometheus: ingestion and storage, US East",
        source="Amazon Managed Service for Prometheus pricing, https://aws.amazon.com/prometheus/pricing/",
        as_of=date(2026, 8, 15),
        currency="USD",
        charges=(
            Charge(
                meter=Meter.POINTS,
                per=10_000_000,
                included=40_000_000,
                tiers=(
                    Tier(up_to=2_000_000_000, price=0.90),
                    Tier(up_to=252_000_000_000, price=0.35),
                    Tier(price=0.16),
                ),
            ),
            Charge(meter=Meter.STORED_GIGABYTES, included=10, tiers=_flat(0.03)),
        ),
        sizing=Sizing(bytes_per_point=2, retention_days=150),
        notes=(
            _CHECK,
            "2 bytes a sample (the page says 1 to 2), kept for 150 days; labels and queries are not in it",
            "the free tier of 40 million samples and 10 GB is taken off",
        ),
    ),
    PriceBook(
        name="self-hosted-mimir",
        title="Self-hosted Grafana Mimir on AWS: cores and disk of the write path",
        source="Planning Grafana Mimir capacity, https://grafana.com/docs/mimir/latest/manage/"
        "run-production-environment/planning-capacity/ ; EC2 c7i.large on demand (0.08925 USD/h, 2 vCPU) and EBS gp3, "
        "US East price files",
        as_of=date(2026, 9, 20),
        currency="USD",
        charges=(
            Charge(meter=Meter.CORES, tiers=_flat(32.58)),
            Charge(meter=Meter.STORED_GIGABYTES, tiers=_flat(0.08)),
        ),
        sizing=Sizing(
            series_per_core=300_000,
            points_per_second_per_core=25_000,
            replication=3,
            bytes_per_point=2,
            retention_days=30,
        ),
        notes=(
            "your own machines cost what they cost you: put your price of a core and a gigabyte in a book of your own",
            "ingesters and distributors only, without reserve (the guide asks for half as much again) and without "
            "queries, object storage or the people who run it",
            "2 bytes a sample on gp3 for 30 days, three replicas",
        ),
    ),
    PriceBook(
        name="chronosphere",
        title="Chronosphere",
        source="License unit definitions, https://docs.chronosphere.io/administer/limits-licensing/definitions",
        as_of=date(2026, 11, 22),
        currency="USD",
        notes=("no public price: it licenses persisted writes and cardinality by contract; use your own figures",),
    ),
)
