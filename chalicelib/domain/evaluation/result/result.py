"""The evaluation as a value: the answer, the numbers people read, and the evidence that gives the same answer again.

This is what API, CLI and report show (JSON: camelCase, `model_dump(by_alias=True)`). No rule is written here.
Times ending in `_ns` are Unix nanoseconds; those of hosts are by the host's own clock unless said otherwise.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from chalicelib.domain.canary.before import Canary
from chalicelib.domain.cost import PriceBook, SeriesCost
from chalicelib.domain.evaluation.interval import Batch
from chalicelib.domain.evaluation.plan import ArmUnderTest, ConfigProof, Limits
from chalicelib.domain.evaluation.result.arm_costs import ArmRatio, Measuring
from chalicelib.domain.evaluation.result.reasons import BREACHES as BREACHES
from chalicelib.domain.evaluation.result.reasons import Reason as Reason
from chalicelib.domain.evaluation.result.reasons import Verdict as Verdict
from chalicelib.domain.evaluation.result.retained import PatternRetention, ProcessRetention
from chalicelib.domain.experiment.spec import Mode
from chalicelib.domain.kpi.judged import Guardrail as Guardrail
from chalicelib.domain.kpi.rows import KpiRow
from chalicelib.domain.measurement import Variant
from chalicelib.domain.model import Value

METHOD = "8 batch means, multiplier 6 + 90/T"
METHOD_VERSION = "1"


def _none(value: object) -> bool:
    """Fields that only some layouts have are left out elsewhere: what was digested before they existed stays true."""
    return value is None


class Levels(Value):
    """Series per scrape of each stream, summed over the hosts; in a canary over the candidate's hosts, where the
    baseline is what they would report on it. In dedicated mode raw is that of the baseline's collector."""

    raw: float
    baseline: float
    candidate: float


class SeriesReport(Value):
    """Series now, and on average over the window. None before the first complete scrape."""

    last: Levels | None = None
    """Each host's newest complete scrape."""
    last_ns: int | None = None
    mean: Levels | None = None


class Reduction(Value):
    """1 - Σ candidate / Σ baseline over the window, with its interval."""

    target: float | None
    """None: no reduction of series was asked for."""
    value: float | None = None
    low: float | None = None
    high: float | None = None
    """None while too early: before 16 complete scrapes there is an estimate and no interval."""
    too_early: bool = True
    scrapes: int = 0
    minutes: float = 0.0
    """Of complete scrapes: scrapes × interval."""
    standard_error: float | None = None
    """Relative, of the retention 1 - value, by batch means."""
    multiplier: float | None = None


class MinutesLeft(Value):
    """A forecast, not a promise: about so long until the interval excludes the target."""

    about: float
    low: float
    high: float


class Miss(Value):
    """Critical processes of one name that raw had and an arm had not, in the same scrapes of one host."""

    variant: Variant
    host: str
    pattern: str
    name: str
    pids: tuple[int, ...]
    at_ns: tuple[int, ...]
    """Up to ten scrapes, those that confirmed it first."""
    scrapes: int
    """In how many scrapes altogether."""
    confirmed: bool
    """Two scrapes in a row, or three in all."""
    pending: bool = False
    """Seen in the newest scrape only: the next one confirms or clears it."""


class CriticalReport(Value):
    """Critical retention: an invariant, never a statistic."""

    patterns: tuple[PatternRetention, ...] = ()
    processes: tuple[ProcessRetention, ...] = ()
    """Those with misses first; at most 200."""
    processes_total: int = 0
    breaches: tuple[Miss, ...] = ()
    """Confirmed misses of the candidate: they reject it."""
    baseline_breaches: tuple[Miss, ...] = ()
    """Confirmed misses of the baseline: reported, no mark against the candidate."""
    unconfirmed: tuple[Miss, ...] = ()
    """Single misses of either arm; at most 50."""


class ExporterTotals(Value):
    """What one exporter did in the window. None: the collector reported no such counter."""

    sent_points: int | None = None
    sent_bytes: int | None = None
    failed_points: int | None = None


class HostOverhead(Value):
    """What one collector cost in the window, by its own counters."""

    host: str
    arm: Variant | None = Field(default=None, exclude_if=_none)
    """Whose collector it is in dedicated mode; None: one collector runs both arms."""
    samples: int
    seconds: float
    """Time that the CPU counter covers."""
    cpu_seconds: float | None = None
    cpu_share: float | None = None
    """Of one core."""
    rss_mean_bytes: float | None = None
    rss_max_bytes: int | None = None
    restarts: int = 0
    refused_points: int | None = None
    accepted_points: int | None = None
    exporters: dict[str, ExporterTotals] = Field(default_factory=dict)


class BytesSent(Value):
    """What both arms' exporters sent in the same steps of the collectors' counters, OTLP bytes before compression."""

    samples: int
    """Of the host that has the fewest."""
    minutes: float
    batches: tuple[Batch, ...]
    """a: baseline, b: candidate, summed over hosts; empty with fewer than 16 samples on a host."""
    hosts: tuple[tuple[float, float], ...] = ()
    """(baseline, candidate) of each host that has samples."""


class OverheadReport(Value):
    """Collector CPU, memory, output and failures, per host (in dedicated mode per host and arm)."""

    covers: str
    """Which arms the numbers are for, in words."""
    hosts: tuple[HostOverhead, ...] = ()
    guardrails: tuple[Guardrail, ...] = ()
    """Limits on what the collectors' own counters say."""
    bytes_sent: BytesSent | None = None
    """None where an arm has no exporter of its own."""
    ratios: tuple[ArmRatio, ...] = Field(default=(), exclude_if=lambda ratios: not ratios)
    """Dedicated mode only: one collector that runs both arms cannot be told apart."""
    measuring: Measuring | None = Field(default=None, exclude_if=_none)
    """Dedicated mode only."""


class Gap(Value):
    """One due scrape that is not complete. absent: the streams that did not report; all three: nothing came."""

    at_ns: int
    absent: tuple[Variant, ...]


class HostCoverage(Value):
    """Scrapes received against scrapes due, per host."""

    host: str
    due: int
    received: int
    """Complete: raw, baseline and candidate all there."""
    missing: int
    share: float | None = None
    """received / due; None while none is due."""
    gaps: tuple[Gap, ...] = ()
    """The newest 100."""
    last_ns: int | None = None
    """Newest scrape of any kind."""
    clock_offset_s: float = 0.0
    """Correction that was applied to the host's clock (host minus control plane)."""


class Unmeasured(Value):
    """A stream that a host's newest scrapes lack while its others go on."""

    host: str
    variant: Variant
    since_ns: int
    scrapes: int


class HostSum(Value):
    """One host's complete scrapes and the sums over them; an arm that it does not run is 0."""

    host: str
    scrapes: int
    raw: int
    baseline: int
    candidate: int
    scrape_seconds: float | None = None
    """Mean time from the oldest to the newest point of the raw stream's scrapes; None: not known."""
    candidate_raw: int | None = Field(default=None, exclude_if=_none)
    """Untouched stream of the candidate's own collector, in dedicated mode; `raw` is the baseline's then."""


class Rows(Value):
    """Series over time, as columns: joined complete scrapes, oldest first.

    Over 1 000 scrapes each row is the mean of `scrapes_per_row` scrapes: for plots. The verdict does not need the rows:
    it is recomputed from the batches, whose sums are exact.
    """

    scrapes_per_row: int = 1
    seconds: tuple[float, ...] = ()
    """Since the window opened."""
    raw: tuple[float, ...] = ()
    baseline: tuple[float, ...] = ()
    candidate: tuple[float, ...] = ()


class Dropped(Value):
    """What was delivered and is not used, and why. start and end by the host's clock."""

    host: str
    reason: Literal[
        "unknown_host",
        "other_scope",
        "late",
        "unexpected_config",
        "before_window",
        "in_future",
        "incomplete",
        "newest",
        "same_interval",
    ]
    count: int
    """Counts for the first four, scrapes for the others. Late: minutes after newer ones, perhaps a repetition.
    same_interval: the second scrape of one of two collectors in one interval."""
    start_ns: int
    end_ns: int


class Window(Value):
    """By the control plane's clock. last: the evaluation at the deadline."""

    start_ns: int
    end_ns: int
    last: bool


class Evidence(Value):
    """What the verdict was computed from, beside `critical`, `overhead` and `coverage`."""

    method: str = METHOD
    method_version: str = METHOD_VERSION
    scope: str
    name: str
    mode: Mode = "shared"
    spec_hash: str
    baseline: ArmUnderTest
    candidate: ArmUnderTest
    configs: tuple[ConfigProof, ...]
    limits: Limits
    window: Window
    scrapes: int
    minutes: float
    batches: tuple[Batch, ...]
    """a: baseline, b: candidate, summed over hosts."""
    hosts: tuple[HostSum, ...]
    rows: Rows
    dropped: tuple[Dropped, ...]
    cannot_measure: tuple[Unmeasured, ...]
    """For three scrapes in a row and more."""
    silent: tuple[Unmeasured, ...]
    """For less: it may be a hiccup, and nothing is promoted meanwhile."""
    host_problems: dict[str, str]
    source: str = "measurements"
    """Where the arms' figures were read; raw and the collector's usage are the edge's own, always."""
    source_problem: str = ""
    """Why it could not be read at this look: then nothing new is known of the arms."""
    canary: Canary | None = Field(default=None, exclude_if=_none)
    """In the canary layout: which host runs which arm, and what each reported before."""
    price_book: PriceBook | None = None
    """What a criterion or a limit on cost was judged by; None where there is none."""


class Measured(Value):
    """Everything that the decision looks at. `decide` reads nothing else."""

    series: SeriesReport
    reduction: Reduction
    critical: CriticalReport
    overhead: OverheadReport
    coverage: tuple[HostCoverage, ...]
    evidence: Evidence
    judged: tuple[Guardrail, ...] = ()
    """Limits on what was counted (series, points, cost, coverage, scrape duration) and sent; those on the collectors
    themselves stand in `overhead`."""


class Evaluation(Measured):
    """A verdict, or what is missing for one, with all that it rests on."""

    verdict: Verdict | None = None
    """None: still running."""
    reason: Reason
    explanation: str
    """Plain sentences for people."""
    waiting_for: tuple[str, ...] = ()
    """Empty once there is a verdict."""
    hint: str = ""
    """What to do about it, where there is something to do."""
    minutes_left: MinutesLeft | None = None
    cost: SeriesCost | None = None
    kpis: tuple[KpiRow, ...] = ()
    """Every KPI: value, interval, limit, state. Follows from the rest."""
    digest: str = ""
    """SHA-256 of all the rest; the audit trail keeps that of the verdict."""

    @property
    def breach(self) -> bool:
        """Whether an invariant or a guardrail broke: roll back at once."""
        return self.verdict is Verdict.REJECT and self.reason in BREACHES
