"""The estimate of a canary and its interval, from sums per host. Arithmetic only.

With y_h the series that host h reported in n_h complete scrapes of the window, and x_h = n_h times its mean in the
pre-period, when it ran the baseline as all did, each arm has grown by r = Σ y / Σ x over its hosts, and the candidate
retains

    θ = r_candidate / r_baseline

of what its hosts would report on the baseline. It is the ratio estimator of survey sampling (Cochran, Sampling
Techniques, 3rd ed. 1977, ch. 6) in each arm: what hosts differ in before and after alike cancels, and so does whatever
happens to all of them. As everywhere in Phoenix it is a ratio of sums, which is what a bill sees.

The interval is θ · exp(± w), never narrower than ± 0.005, with w the wider of

- the host term t(0.99, f) · sqrt(v_candidate + v_baseline), where v = (k - 1)/k · Σ (l_(-h) - mean l)² is the jackknife
  variance of l = log r when each of the arm's k hosts is left out in turn (Quenouille 1956; Tukey 1958), which does not
  understate it where one host is much larger than the others; f = (v_c + v_b)² / (v_c²/(k_c - 1) + v_b²/(k_b - 1)) are
  the degrees of freedom of unequal variances (Welch 1947; Satterthwaite 1946), at most H - 2, rounded down to an entry
  of T99. Hosts are the units that were assigned by lot, so they are the units that are counted (cluster level);
- the time term (6 + 90/T) · e of the paired layout, for looks at every scrape: e from 8 batches of the series of the
  candidate's hosts against those of the baseline's, scaled to the candidate's hosts by the pre-period.

The strata of the assignment are left out of the variance, which can only make it larger. How often the interval is
wrong under looks at every scrape was simulated: `make bench-evaluation`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log, sqrt

from chalicelib.domain.canary.before import Canary
from chalicelib.domain.canary.spec import MIN_PER_ARM
from chalicelib.domain.evaluation.interval import FLOOR, MAX_WIDTH, T99, Batch, Ratio, multiplier, ratio_of
from chalicelib.domain.evaluation.result.result import Evidence
from chalicelib.domain.measurement import Variant

METHOD = "canary: hosts as clusters, ratio to the pre-period, jackknife and t(0.99); 8 batch means, multiplier 6 + 90/T"


@dataclass(frozen=True)
class HostSums:
    """One host in the window: its arm, complete scrapes, series in them, and its mean series a scrape before."""

    arm: Variant
    scrapes: int
    series: float
    before: float

    @property
    def expected(self) -> float:
        """What it would have reported in these scrapes if nothing had changed."""
        return self.scrapes * self.before


def usable(hosts: Sequence[HostSums], arm: Variant) -> list[HostSums]:
    """Hosts of an arm that were measured before and in the window."""
    return [one for one in hosts if one.arm is arm and one.expected > 0 and one.series > 0]


def sums_of(canary: Canary, found: Sequence[tuple[str, int, float]]) -> list[HostSums]:
    """found: host, complete scrapes, and the series of its arm in them."""
    before, arms = canary.expected(), canary.assignment.arms
    return [HostSums(arms[host], scrapes, series, before.get(host, 0.0)) for host, scrapes, series in found]


def sums_in(evidence: Evidence) -> list[HostSums]:
    """Of the evidence of a canary."""
    if evidence.canary is None:
        raise ValueError("the evidence is not that of a canary")
    arms = evidence.canary.assignment.arms
    found = [
        (one.host, one.scrapes, float(one.candidate if arms[one.host] is Variant.CANDIDATE else one.baseline))
        for one in evidence.hosts
    ]
    return sums_of(evidence.canary, found)


def short_of_hosts(hosts: Sequence[HostSums]) -> bool:
    """Whether an arm has fewer hosts than its spread can be told from."""
    return min(len(usable(hosts, Variant.BASELINE)), len(usable(hosts, Variant.CANDIDATE))) < MIN_PER_ARM


def growth(hosts: Sequence[HostSums], arm: Variant) -> float | None:
    """Σ y / Σ x over the hosts of an arm; None where nothing was measured."""
    of = usable(hosts, arm)
    return sum(one.series for one in of) / sum(one.expected for one in of) if of else None


def retained(hosts: Sequence[HostSums]) -> float | None:
    """θ; None until both arms were measured."""
    candidate, baseline = growth(hosts, Variant.CANDIDATE), growth(hosts, Variant.BASELINE)
    return candidate / baseline if candidate is not None and baseline is not None else None


def canary_ratio(hosts: Sequence[HostSums], batches: Sequence[Batch], minutes: float) -> Ratio | None:
    """θ with its interval. batches: of `measuring.joined`, series of the candidate's hosts (b) against what they would
    report on the baseline (a). None: too few scrapes, or too few hosts of an arm."""
    theta, time = retained(hosts), ratio_of(batches, minutes)
    if theta is None or time is None or short_of_hosts(hosts):
        return None
    host_width = min(_host_width(hosts), MAX_WIDTH)
    width = min(max(multiplier(minutes) * time.error, host_width), MAX_WIDTH)
    low, high = min(theta * exp(-width), theta - FLOOR), max(theta * exp(width), theta + FLOOR)
    return Ratio(low, theta, high, time.error, width, host_width)


def _host_width(hosts: Sequence[HostSums]) -> float:
    arms = [usable(hosts, arm) for arm in (Variant.CANDIDATE, Variant.BASELINE)]
    parts = [(jackknife(of), len(of) - 1) for of in arms]
    whole = sum(variance for variance, _ in parts)
    if whole <= 0:
        return 0.0
    freedom = whole**2 / sum(variance**2 / df for variance, df in parts)
    freedom = min(freedom, sum(df for _, df in parts))
    return T99[max(d for d in T99 if d <= freedom + 1e-9)] * sqrt(whole)


def jackknife(of: Sequence[HostSums]) -> float:
    """Variance of log(Σ y / Σ x) by leaving out each of the hosts in turn; two at least."""
    series, expected = sum(one.series for one in of), sum(one.expected for one in of)
    logs = [log((series - one.series) / (expected - one.expected)) for one in of]
    mean = sum(logs) / len(logs)
    return (len(of) - 1) / len(of) * sum((one - mean) ** 2 for one in logs)
