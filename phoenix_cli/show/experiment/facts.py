"""What an evaluation says of each quantity, in one line each: series, reduction, critical, overhead, coverage.

The same lines serve terminal and report. A mark is True or False only when the evaluation says so, None otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chalicelib.domain.evaluation.result.arm_costs import ArmRatio
from chalicelib.domain.evaluation.result.result import (
    CriticalReport,
    Evaluation,
    HostCoverage,
    HostOverhead,
)
from chalicelib.domain.evaluation.result.retained import PatternRetention
from chalicelib.domain.evaluation.result.summary import kept, kept_processes
from phoenix_cli.show.figures import clean, duration, interval, percent, sentence, size, time_of_day, whole

MAX_SHOWN = 6
"""Patterns and hosts named in a line; the rest is counted."""


@dataclass(frozen=True)
class Fact:
    """One line. mark: True holds, False does not, None is open or has no limit."""

    label: str
    parts: tuple[str, ...]
    mark: bool | None = None

    @property
    def text(self) -> str:
        return "   ".join(self.parts)


def facts(evaluation: Evaluation) -> tuple[Fact, ...]:
    """Every line, in the order that people read them."""
    return (
        series_fact(evaluation),
        reduction_fact(evaluation),
        critical_fact(evaluation),
        overhead_fact(evaluation),
        *([cost] if (cost := measuring_fact(evaluation)) else []),
        coverage_fact(evaluation),
    )


def series_fact(evaluation: Evaluation) -> Fact:
    """Series of the newest complete scrape."""
    last = evaluation.series.last
    if last is None:
        return Fact("series/scrape", ("no complete scrape yet",))
    return Fact(
        "series/scrape",
        (f"raw {whole(last.raw)}", f"baseline {whole(last.baseline)}", f"candidate {whole(last.candidate)}"),
    )


def reduction_fact(evaluation: Evaluation) -> Fact:
    """The reduction with its interval against the target."""
    found = evaluation.reduction
    target = f"target ≥ {percent(found.target, 0)}" if found.target is not None else "no target"
    if found.value is None:
        return Fact("reduction", ("not measured yet", target))
    if found.low is None or found.high is None:
        return Fact("reduction", (f"{percent(found.value)}, too early for an interval", target))
    wanted = found.target
    mark = None if wanted is None else True if found.low >= wanted else False if found.high < wanted else None
    return Fact("reduction", (percent(found.value), f"interval {interval(found.low, found.high)}", target), mark)


def critical_fact(evaluation: Evaluation) -> Fact:
    """Critical processes that the candidate kept in every scrape, per pattern."""
    report = evaluation.critical
    shown = [f"{row.pattern} {retained(report, row)}" for row in report.patterns[:MAX_SHOWN]]
    if more := len(report.patterns) - MAX_SHOWN:
        shown += [f"and {more} more patterns"] if more > 0 else []
    return Fact("critical", tuple(shown), critical_mark(report))


def critical_mark(report: CriticalReport) -> bool | None:
    """True: every pattern was seen and nothing was ever missing. False: a miss is confirmed. None: anything between."""
    if report.breaches:
        return False
    whole_everywhere = all(row.seen and row.candidate == row.candidate_due for row in report.patterns)
    return True if report.patterns and whole_everywhere else None


def critical_total(report: CriticalReport) -> tuple[str, str]:
    """All patterns together: how much the candidate kept, and of what."""
    found, unseen = kept(report), sum(not row.seen for row in report.patterns)
    if found is None:
        return "none seen", "no process matched a critical pattern"
    note = "critical processes kept in every scrape" if found.what == "processes" else "critical process-scrapes kept"
    note += f"; {unseen} of {len(report.patterns)} patterns not seen" if unseen else ""
    return f"{found.kept:,} of {found.of:,}", note


def retained(report: CriticalReport, row: PatternRetention) -> str:
    """ "9/9": processes that the candidate had in every scrape in which raw had them, of all that raw had."""
    whole = kept_processes(report, row)
    if not row.seen:
        return "not seen"
    return (
        f"{whole}/{row.processes}" if whole is not None else f"{row.candidate:,}/{row.candidate_due:,} process-scrapes"
    )


def overhead_fact(evaluation: Evaluation) -> Fact:
    """The costliest collector (in dedicated mode of each arm, with their ratios), and whether every limit holds."""
    report = evaluation.overhead
    arms = {host.arm: [one for one in report.hosts if one.arm is host.arm] for host in report.hosts}
    whose = "each host's own arm" if evaluation.evidence.canary else "both arms together"
    parts = [_costliest(arm.value if arm else whose, hosts) for arm, hosts in arms.items()]
    if not any(host.cpu_share is not None or host.rss_max_bytes is not None for host in report.hosts):
        return Fact("overhead", ("not measured yet",))
    states = {limit.state for limit in report.guardrails}
    mark = False if "beyond" in states else True if states == {"within"} else None
    return Fact("overhead", (*parts, *map(ratio_text, report.ratios)), mark)


def _costliest(whose: str, hosts: Sequence[HostOverhead]) -> str:
    cpu = [host.cpu_share for host in hosts if host.cpu_share is not None]
    rss = [host.rss_max_bytes for host in hosts if host.rss_max_bytes is not None]
    most = "at most " if len(hosts) > 1 else ""
    share = f"{whose} {most}{percent(max(cpu))} of a core" if cpu else f"{whose}: CPU not measured"
    return f"{share}, {size(max(rss)) if rss else 'memory not measured'}"


def ratio_text(ratio: ArmRatio) -> str:
    """ "CPU candidate/baseline 1.12 [0.98, 1.27]", or that it is too early."""
    name = "CPU" if ratio.kind == "cpu" else "memory"
    if ratio.value is None or ratio.low is None or ratio.high is None:
        return f"{name} candidate/baseline: too early"
    return f"{name} candidate/baseline {ratio.value:.2f} [{ratio.low:.2f}, {ratio.high:.2f}]"


def measuring_fact(evaluation: Evaluation) -> Fact | None:
    """What measuring in dedicated mode costs while it lasts; None in shared mode."""
    found = evaluation.overhead.measuring
    if found is None:
        return None
    cpu = f"{percent(found.cpu_share)} of a core" if found.cpu_share is not None else "CPU not measured"
    rss = size(found.rss_mean_bytes) if found.rss_mean_bytes is not None else "memory not measured"
    sent = f"{size(found.sent_bytes)} of counts sent" if found.sent_bytes is not None else "counts sent not measured"
    return Fact("measuring", (f"second collectors {cpu}, {rss}", sent))


def coverage_fact(evaluation: Evaluation) -> Fact:
    """Scrapes received of scrapes due, per host."""
    least = evaluation.evidence.limits.min_coverage
    thinnest = sorted(evaluation.coverage, key=lambda host: (host.share is not None, host.share or 0.0))
    shown = [_host(host) for host in (thinnest if len(thinnest) > MAX_SHOWN else evaluation.coverage)[:MAX_SHOWN]]
    if len(evaluation.coverage) > MAX_SHOWN:
        shown.append(f"and {len(evaluation.coverage) - MAX_SHOWN} more hosts")
    shares = [host.share for host in evaluation.coverage]
    known = [share for share in shares if share is not None]
    mark = None if len(known) < len(shares) or not known else all(share >= least for share in known)
    return Fact("coverage", tuple(shown), mark)


def waiting_fact(evaluation: Evaluation) -> Fact | None:
    """What an evaluation without a verdict waits for; None once there is one."""
    if not evaluation.waiting_for:
        return None
    return Fact("waits for", ("; ".join(sentence(phrase, 300) for phrase in evaluation.waiting_for),))


def left_fact(evaluation: Evaluation) -> Fact | None:
    """The forecast of a decision, as a range; None while there is none."""
    left = evaluation.minutes_left
    if left is None or evaluation.verdict is not None:
        return None
    return Fact(
        "left", (f"about {duration(left.about * 60)} ({left.low:.0f} to {left.high:.0f} minutes) to a decision",)
    )


def _host(host: HostCoverage) -> str:
    text = f"{clean(host.host)} {host.received}/{host.due}"
    if not host.missing:
        return text
    times = ", ".join(time_of_day(gap.at_ns / 1e9) for gap in host.gaps[-2:])
    return f"{text} ({host.missing} missing{', last ' if host.missing > 2 else ' '}{times})"
