"""What experiments say as gauges. Labels are names, states, verdicts and pattern ids alone: each bounded in length and
number, none from a host. Figures that were not measured have no sample.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from chalicelib.domain.evaluation.result.result import Evaluation
from chalicelib.domain.experiment.state import Experiment
from chalicelib.domain.results.family import Family, Sample

PREFIX = "phoenix_experiment_"
_OWN = ("experiment",)
_HELP: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "info": ("What is compared, and where the arms' figures come from; always 1.", ("baseline", "candidate", "source")),
    "state": ("The state that the experiment is in; 1.", ("state",)),
    "verdict": ("The verdict and its reason, once there is one; 1.", ("verdict", "reason")),
    "hosts": ("Hosts under test.", ()),
    "created_timestamp_seconds": ("When it was created, Unix seconds.", ()),
    "evaluated_timestamp_seconds": ("Up to when the latest evaluation looked, Unix seconds.", ()),
    "series_reduction_target_ratio": ("Series reduction that is worth a promotion, as a share.", ()),
    "series_reduction_ratio": ("1 - candidate / baseline over the window, as a share.", ()),
    "series_reduction_low_ratio": ("Lower bound of its interval.", ()),
    "series_reduction_high_ratio": ("Upper bound of its interval.", ()),
    "scrapes": ("Complete scrapes that the latest evaluation rests on.", ()),
    "coverage_min_ratio": ("Scrapes received of those due, on the host with the least.", ()),
    "series": ("Mean series per scrape, summed over the hosts.", ("variant",)),
    "critical_retention_ratio": (
        "Critical process-scrapes that an arm kept of those in the raw stream.",
        ("variant", "pattern"),
    ),
    "critical_breaches": ("Confirmed losses of critical processes by an arm.", ("variant",)),
    "collector_cpu_cores": ("Most CPU that a host's collector used in the window, cores.", ()),
    "collector_memory_bytes": ("Most resident memory of a host's collector in the window.", ()),
    "cost_per_month": ("What the hosts under test would cost a month.", ("variant", "currency", "price_book")),
    "saved_per_month": ("What the candidate saves a month against the baseline.", ("currency", "price_book")),
    "saved_low_per_month": ("Lower bound of the saving.", ("currency", "price_book")),
    "saved_high_per_month": ("Upper bound of the saving.", ("currency", "price_book")),
}


@dataclass(frozen=True)
class Told:
    """An experiment and its latest evaluation, None where there is none or it was left out."""

    experiment: Experiment
    evaluation: Evaluation | None


_Found = Iterator[tuple[str, Mapping[str, str], float | None]]


def families(told: Sequence[Told], left_out: int) -> tuple[Family, ...]:
    """All metrics of these experiments. left_out: experiments beyond the bound, said in a metric of its own."""
    samples: dict[str, list[Sample]] = {name: [] for name in _HELP}
    for one in told:
        own = {"experiment": one.experiment.name}
        for name, labels, value in (*_record(one.experiment), *_evaluated(one.evaluation)):
            if value is not None:
                samples[name].append(Sample({**own, **labels}, float(value)))
    counted = Family(
        "phoenix_experiments_left_out", "Experiments beyond what one answer holds.", (), (Sample({}, left_out),)
    )
    return (
        counted,
        *(
            Family(PREFIX + name, text, (*_OWN, *labels), tuple(samples[name]))
            for name, (text, labels) in _HELP.items()
            if samples[name]
        ),
    )


def _record(experiment: Experiment) -> _Found:
    spec = experiment.spec
    source = "prometheus" if spec.source.decides else "measurements"
    arms = {"baseline": spec.baseline.pipeline, "candidate": spec.candidate.pipeline}
    yield "info", {**arms, "source": source}, 1
    yield "state", {"state": experiment.state.value}, 1
    if experiment.outcome:
        yield "verdict", {"verdict": experiment.outcome.verdict, "reason": experiment.outcome.reason}, 1
    yield "hosts", {}, len(experiment.hosts)
    yield "created_timestamp_seconds", {}, experiment.created_at
    if progress := experiment.progress:
        yield "series_reduction_target_ratio", {}, progress.target
        yield "series_reduction_ratio", {}, progress.value
        yield "series_reduction_low_ratio", {}, progress.low
        yield "series_reduction_high_ratio", {}, progress.high


def _evaluated(evaluation: Evaluation | None) -> _Found:
    if evaluation is None:
        return
    yield "evaluated_timestamp_seconds", {}, evaluation.evidence.window.end_ns / 1e9
    yield "scrapes", {}, evaluation.evidence.scrapes
    yield "coverage_min_ratio", {}, _least(host.share for host in evaluation.coverage)
    if mean := evaluation.series.mean:
        for variant in ("raw", "baseline", "candidate"):
            yield "series", {"variant": variant}, getattr(mean, variant)
    for row in evaluation.critical.patterns:
        yield "critical_retention_ratio", {"variant": "baseline", "pattern": row.pattern}, row.baseline_retention
        yield "critical_retention_ratio", {"variant": "candidate", "pattern": row.pattern}, row.candidate_retention
    yield "critical_breaches", {"variant": "baseline"}, len(evaluation.critical.baseline_breaches)
    yield "critical_breaches", {"variant": "candidate"}, len(evaluation.critical.breaches)
    yield "collector_cpu_cores", {}, _most(host.cpu_share for host in evaluation.overhead.hosts)
    yield "collector_memory_bytes", {}, _most(host.rss_max_bytes for host in evaluation.overhead.hosts)
    yield from _cost(evaluation)


def _cost(evaluation: Evaluation) -> _Found:
    cost = evaluation.cost
    if cost is None:
        return
    prices = {"currency": cost.price_book.currency, "price_book": cost.price_book.name}
    for variant in ("raw", "baseline", "candidate"):
        yield "cost_per_month", {**prices, "variant": variant}, getattr(cost, f"{variant}_per_month")
    yield "saved_per_month", prices, cost.saved_per_month
    yield "saved_low_per_month", prices, cost.saved_low
    yield "saved_high_per_month", prices, cost.saved_high


def _least(values: Iterable[float | None]) -> float | None:
    return min((value for value in values if value is not None), default=None)


def _most(values: Iterable[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)
