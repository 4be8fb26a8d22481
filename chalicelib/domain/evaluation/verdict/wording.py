"""The sentences: why it was decided so, what it waits for, what to do. Words only; every number comes from the value.

Names come from hosts and are data: characters that do not print are replaced, long names cut.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from chalicelib.domain.canary.spec import MIN_PER_ARM
from chalicelib.domain.evaluation.interval import MIN_SCRAPES, hosts_needed
from chalicelib.domain.evaluation.result.reasons import LIMIT_BROKEN
from chalicelib.domain.evaluation.result.result import (
    Guardrail,
    HostCoverage,
    Measured,
    MinutesLeft,
    Miss,
    Reason,
    Unmeasured,
)
from chalicelib.domain.evaluation.verdict.criteria import Criterion, criteria, reduction_ratio
from chalicelib.domain.evaluation.verdict.decision import Decision, blocked_by_hosts
from chalicelib.domain.experiment.spec import MIN_FLEET
from chalicelib.domain.kpi.registry import KPIS, KpiName, Severity, Unit
from chalicelib.domain.kpi.words import shown
from chalicelib.domain.measurement import Variant
from chalicelib.domain.units import show_duration


def explanation(measured: Measured, decision: Decision, left: MinutesLeft | None) -> str:
    """Why, in plain sentences."""
    evidence = measured.evidence
    if decision.verdict is None:
        return " ".join([_progress(measured), *_notes(measured)]).strip()
    if decision.reason in _ENDS:
        return " ".join([_ENDS[decision.reason](measured), *_notes(measured)]).strip()
    over = f"The deadline of {show_duration(round(evidence.limits.max_minutes * 60))} is reached"
    if decision.reason is Reason.DEADLINE:
        more = _what_it_would_take(measured, left)
        return " ".join([f"{over} and {_open(measured)}; the baseline stays.", more])
    waits = "; ".join(waiting_for(measured, decision, left))
    return " ".join([f"{over} and this was still missing: {waits}. The baseline stays.", *_notes(measured)])


def waiting_for(measured: Measured, decision: Decision, left: MinutesLeft | None) -> tuple[str, ...]:
    """What an evaluation that is not decided waits for, one phrase each."""
    phrases: list[str] = []
    for reason in decision.open:
        phrases += [_undecided(measured, left)] if reason is Reason.UNDECIDED else _WAITS[reason](measured)
    return tuple(phrases)


def hint(measured: Measured, decision: Decision) -> str:
    """What to do about it; empty where there is nothing to do."""
    candidate = measured.evidence.candidate.pipeline
    if decision.reason is Reason.CRITICAL_MISSING:
        return (
            "the candidate drops a process that `critical` protects; see what it does with it: "
            f"phoenix pipeline show {candidate} --rendered"
        )
    if decision.reason is Reason.NOT_WORTH_IT:
        name = next((one.name for one in criteria(measured) if one.state == "broken"), "seriesReduction")
        return f"try a leaner candidate, or a lower success.{name} if that is still worth it"
    hosts = {
        Reason.CANNOT_MEASURE: [gap.host for gap in measured.evidence.cannot_measure],
        Reason.COLLECTOR_PROBLEM: sorted(measured.evidence.host_problems),
        Reason.COVERAGE: [host.host for host in _thin(measured)],
    }.get(decision.reason)
    return f"see what its collector says: phoenix host show {hosts[0]}" if hosts else ""


def moment(time_ns: int) -> str:
    """ "14:07:30 UTC"; the clock is the one that the time was read from."""
    seconds = time_ns // 1_000_000_000
    # A host may claim any time; what no calendar has is shown as the number it is.
    return f"{datetime.fromtimestamp(seconds, tz=UTC):%H:%M:%S} UTC" if 0 <= seconds < 2**37 else f"second {seconds}"


def printable(text: str) -> str:
    """A name from a host, safe to show on one line."""
    return "".join(char if char.isprintable() else "?" for char in text[:64])


def _percent(share: float) -> str:
    return f"{share * 100:.1f} %"


def _reduction(measured: Measured) -> str:
    found = measured.reduction
    if found.value is None or found.low is None or found.high is None:
        return "series reduction, not measured,"
    return f"series reduction {_percent(found.value)} [{found.low * 100:.1f}, {found.high * 100:.1f}]"


def _basis(measured: Measured) -> str:
    evidence = measured.evidence
    hosts = len(evidence.hosts)
    if evidence.canary:
        arms = [len(evidence.canary.assignment.of(arm)) for arm in (Variant.CANDIDATE, Variant.BASELINE)]
        split = f"{arms[0]} on the candidate and {arms[1]} on the baseline"
        return f"{hosts} hosts, {split}, {evidence.minutes:.1f} minutes, {evidence.scrapes} scrapes"
    return f"{hosts} host{'' if hosts == 1 else 's'}, {evidence.minutes:.1f} minutes, {evidence.scrapes} paired scrapes"


def _progress(measured: Measured) -> str:
    found = measured.reduction
    if found.value is None:
        return "No complete scrape yet."
    if found.too_early:
        return f"Too early for an interval: series reduction {_percent(found.value)} so far ({_basis(measured)})."
    text = _reduction(measured)
    target = f", target {_percent(found.target)}" if found.target is not None else ""
    others = "".join(
        f" {_of(one)}, target {_percent(one.target)}." for one in criteria(measured) if not _is_series(one)
    )
    return f"{text[0].upper()}{text[1:]}{target} ({_basis(measured)}).{others}"


def _is_series(one: Criterion) -> bool:
    return one.kpi is KpiName.SERIES


def _of(one: Criterion) -> str:
    """ "Bytes reduction 83.2 % [81.0, 85.1]"."""
    title = f"{KPIS[one.kpi].title} reduction".capitalize()
    if one.value is None:
        return f"{title} not measured"
    if one.low is None or one.high is None:
        return f"{title} {_percent(one.value)}, too early for an interval"
    return f"{title} {_percent(one.value)} [{one.low * 100:.1f}, {one.high * 100:.1f}]"


def _open(measured: Measured) -> str:
    """What still contains its target, as the end of a sentence."""
    found = [one for one in criteria(measured) if one.state == "touching"]
    names = [_reduction(measured) if _is_series(one) else _of(one).lower() for one in found]
    return f"{' and '.join(names)} still contain{'s' if len(names) == 1 else ''} the target"


def _reached(measured: Measured) -> str:
    rows = measured.critical.patterns
    raw, kept = sum(row.candidate_due for row in rows), sum(row.candidate for row in rows)
    text = f"Series reduction {_reduction(measured).removeprefix('series reduction ')}"
    critical = (
        f"Every critical process was present in every scrape ({kept:,} of {raw:,})."
        if kept == raw
        else f"Critical processes: {kept:,} of {raw:,} present; no miss was confirmed."
    )
    found = criteria(measured)
    leading = (
        f"{text} reaches the target of {_percent(found[0].target)}" if _is_series(found[0]) else _reaches(found[0])
    )
    others = "".join(f" {_reaches(one)}." for one in found[1:])
    return f"{leading} on {_basis(measured)}.{others} {critical}"


def _reaches(one: Criterion) -> str:
    return f"{_of(one)} reaches the target of {_percent(one.target)}"


def _not_worth_it(measured: Measured) -> str:
    found = [one for one in criteria(measured) if one.state == "broken"]
    below = "; ".join(f"{_of(one)} stays below the target of {_percent(one.target)}" for one in found)
    return f"{below} on {_basis(measured)}: not worth it."


def _missing(measured: Measured) -> str:
    return " ".join(f"{_miss(miss, measured)}." for miss in measured.critical.breaches[:3]) + _more(
        len(measured.critical.breaches) - 3
    )


def _miss(miss: Miss, measured: Measured) -> str:
    report = measured.critical
    key = (miss.host, miss.pattern, miss.name)
    others = (*report.breaches, *report.baseline_breaches, *report.unconfirmed)
    also = any((o.host, o.pattern, o.name) == key and o.variant is not miss.variant for o in others)
    other = "candidate" if miss.variant == "baseline" else "baseline"
    present = f"present in raw, missing from {other} too" if also else f"present in raw and {other}"
    pids = ", ".join(map(str, miss.pids[:5])) + _more(len(miss.pids) - 5)
    times = " and ".join(moment(at) for at in miss.at_ns[:2]) + _more(miss.scrapes - 2)
    what = f"{printable(miss.name)} (pid {pids}, {miss.host}, critical pattern {miss.pattern})"
    return f"{what} missing from {miss.variant} at {times}; {present}"


def _more(count: int) -> str:
    return f" and {count} more" if count > 0 else ""


def _cannot(measured: Measured) -> str:
    gaps = measured.evidence.cannot_measure
    found = [f"{gap.host} {_lacks(gap)} while it reports others" for gap in gaps[:3]]
    return f"Could not measure: {'; '.join(found)}{_more(len(gaps) - 3)}."


def _lacks(gap: Unmeasured) -> str:
    return f"does not report the {gap.variant} stream since {moment(gap.since_ns)} (scrapes: {gap.scrapes})"


def _silent(measured: Measured) -> list[str]:
    return [f"all streams of {gap.host}, which {_lacks(gap)}" for gap in measured.evidence.silent[:3]]


def _problem(measured: Measured) -> str:
    problems = measured.evidence.host_problems
    found = "; ".join(f"{host}: {printable_line(text)}" for host, text in sorted(problems.items())[:3])
    return f"A collector under test does not run as it should: {found}{_more(len(problems) - 3)}."


def printable_line(text: str) -> str:
    """An error text from a host on one line, cut at 300 characters."""
    return "".join(char if char.isprintable() else " " for char in text[:300])


def _broken(measured: Measured) -> str:
    found = _limits_in(measured, "beyond", "rollback")
    covers = {_whose(one, measured) for one in found}
    return f"{'; '.join(guardrail(g, measured) for g in found[:3])}: over the limit ({'; '.join(sorted(covers))})."


def _whose(one: Guardrail, measured: Measured) -> str:
    ours = one in measured.overhead.guardrails and KPIS[one.kind].of != KPIS[KpiName.EXPORT_FAILURES].of
    return measured.overhead.covers if ours else KPIS[one.kind].of


def guardrail(found: Guardrail, measured: Measured) -> str:
    """ "collector CPU on node-01 6.0 % of a core [5.4 %, 6.7 %], limit 5.0 %"."""
    kpi, book = KPIS[found.kind], measured.evidence.price_book
    currency = book.currency if book and kpi.unit is Unit.MONEY else ""

    def show(value: float | None) -> str:
        return shown(value, kpi.unit, currency)

    unit = " of a core" if found.kind is KpiName.COLLECTOR_CPU else ""
    interval = "" if found.low == found.high else f" [{show(found.low)}, {show(found.high)}]"
    where = f" on {found.host}" if found.host else ""
    side = "at least " if kpi.better == "higher" else ""
    return f"{kpi.title}{where} {show(found.value)}{unit}{interval}, limit {side}{show(found.limit)}"


def _limits_in(measured: Measured, state: str, *severities: Severity) -> list[Guardrail]:
    of = measured.evidence.limits
    every = (*measured.overhead.guardrails, *measured.judged)
    return [one for one in every if one.state == state and of.severity(one.kind) in severities]


def _too_few(measured: Measured) -> list[str]:
    have = measured.evidence.scrapes
    more = show_duration(max(0, MIN_SCRAPES - have) * measured.evidence.limits.interval_s)
    return [f"{MIN_SCRAPES} complete scrapes: {have} so far, about {more} more"]


def _min_duration(measured: Measured) -> list[str]:
    evidence = measured.evidence
    more = show_duration(round((evidence.limits.min_minutes - evidence.minutes) * 60))
    measured_for, needed = (show_duration(round(m * 60)) for m in (evidence.minutes, evidence.limits.min_minutes))
    return [f"the minimum duration: {measured_for} of {needed} measured, about {more} more"]


def _thin_coverage(measured: Measured) -> list[str]:
    return [
        f"coverage of {host.host}: {host.received} of {host.due} due scrapes, "
        f"{_percent(measured.evidence.limits.min_coverage)} needed"
        for host in _thin(measured)[:5]
    ]


def _thin(measured: Measured) -> list[HostCoverage]:
    least = measured.evidence.limits.min_coverage
    return [host for host in measured.coverage if host.share is None or host.share < least]


def _guardrails_near(measured: Measured) -> list[str]:
    found = _limits_in(measured, "near", "rollback", "pause")
    return [f"a clear answer on {guardrail(g, measured)}" for g in found[:5]]


def _guardrails_unmeasured(measured: Measured) -> list[str]:
    def why(one: Guardrail) -> str:
        return one.why or f"{one.samples} of {MIN_SCRAPES} collector samples"

    found = _limits_in(measured, "unmeasured", "rollback", "pause")
    return [f"{g.kind.value}{f' on {g.host}' if g.host else ''}: {why(g)}" for g in found[:5]]


def _guardrails_broken(measured: Measured) -> list[str]:
    found = _limits_in(measured, "beyond", "pause")
    return [f"{guardrail(g, measured)}: nothing is promoted while it is broken" for g in found[:5]]


def _criteria_unmeasured(measured: Measured) -> list[str]:
    return [f"{one.name}: {one.why}" for one in criteria(measured) if one.state == "unmeasured"]


def _unconfirmed(measured: Measured) -> list[str]:
    pending = [miss for miss in measured.critical.unconfirmed if miss.pending]
    return [f"the next scrape of {m.host}, which confirms or clears: {_miss(m, measured)}" for m in pending[:3]]


def _undecided(measured: Measured, left: MinutesLeft | None) -> str:
    if blocked_by_hosts(measured):
        hosts = _hosts_needed(measured)
        would = f", about {hosts} would do" if hosts else ""
        return f"more hosts, not more minutes: these differ too much to tell what others are like{would}"
    found = [one.name for one in criteria(measured) if one.state == "touching"]
    which = f" ({', '.join(found)})" if found != [KPIS[KpiName.SERIES].reduction] else ""
    if left is None:
        return f"the interval to exclude the target, which it still contains{which}"
    return f"the interval to exclude the target{which}: about {left.low:.0f} to {left.high:.0f} more minutes"


def _what_it_would_take(measured: Measured, left: MinutesLeft | None) -> str:
    hosts = _hosts_needed(measured)
    ways = [f"about {left.low:.0f} to {left.high:.0f} more minutes"] if left else []
    ways += [f"about {hosts} hosts like these"] if hosts else []
    return (
        f"It would probably take {' or '.join(ways)}." if ways else "It is not decidable here: too close to the target."
    )


def _hosts_needed(measured: Measured) -> int | None:
    evidence = measured.evidence
    ratio, target = reduction_ratio(evidence), evidence.limits.target
    if ratio is None or target is None:
        return None
    return hosts_needed(len(evidence.hosts), ratio.width, ratio.value, 1 - target)


def _notes(measured: Measured) -> list[str]:
    notes = []
    unseen = [row.pattern for row in measured.critical.patterns if not row.seen]
    if unseen and measured.evidence.scrapes:
        names = ", ".join(unseen[:5]) + _more(len(unseen) - 5)
        notes.append(f"Not seen, so its retention is not measured: {names}.")
    if worse := measured.critical.baseline_breaches:
        notes.append(f"The baseline itself loses critical processes: {_miss(worse[0], measured)}.")
    failed = sum(e.failed_points or 0 for host in measured.overhead.hosts for e in host.exporters.values())
    if failed:
        notes.append(f"Exporters failed to deliver {failed:,} points in the window.")
    if problem := measured.evidence.source_problem:
        notes.append(f"Nothing newer is known of the arms: {printable(problem)}.")
    elif measured.evidence.source != "measurements":
        notes.append(f"Both arms are as they arrived in {printable(measured.evidence.source)}.")
    return notes


_ENDS: Mapping[Reason, Callable[[Measured], str]] = {
    Reason.CANNOT_MEASURE: _cannot,
    Reason.COLLECTOR_PROBLEM: _problem,
    Reason.CRITICAL_MISSING: _missing,
    **dict.fromkeys(LIMIT_BROKEN.values(), _broken),
    Reason.TARGET_REACHED: _reached,
    Reason.NOT_WORTH_IT: _not_worth_it,
}
_WAITS: Mapping[Reason, Callable[[Measured], list[str]]] = {
    Reason.TOO_FEW_SCRAPES: _too_few,
    Reason.MIN_DURATION: _min_duration,
    Reason.TOO_FEW_HOSTS: lambda m: [
        f"{MIN_PER_ARM} measured hosts of each arm"
        if m.evidence.canary
        else f"{MIN_FLEET} hosts for a claim about hosts like these"
    ],
    Reason.COVERAGE: _thin_coverage,
    Reason.NO_CRITICAL_SEEN: lambda m: ["a process that matches a critical pattern: none was seen on any host"],
    Reason.GUARDRAIL_BROKEN: _guardrails_broken,
    Reason.GUARDRAIL_UNMEASURED: _guardrails_unmeasured,
    Reason.GUARDRAIL_NEAR_LIMIT: _guardrails_near,
    Reason.CRITERION_UNMEASURED: _criteria_unmeasured,
    Reason.CRITICAL_UNCONFIRMED: _unconfirmed,
    Reason.STREAM_SILENT: _silent,
}
