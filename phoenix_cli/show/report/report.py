"""The report: one self-contained page about one experiment, for people who were not there.

Everything comes in as values and goes out as text; the template escapes every string. The page asks for nothing from
anywhere (a content security policy forbids it) and needs no script.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined

from chalicelib.domain.audit import AuditRecord, broken_at
from chalicelib.domain.evaluation.result.result import CriticalReport, Evaluation, Gap, Miss
from chalicelib.domain.evaluation.result.summary import kept_processes
from chalicelib.domain.experiment.state import END_STATES, Experiment, State
from chalicelib.domain.prediction.realised import Comparison
from phoenix_cli.show import figures
from phoenix_cli.show.experiment.facts import critical_mark, critical_total, measuring_fact, ratio_text
from phoenix_cli.show.experiment.kpis import HEADINGS, kpi_cells
from phoenix_cli.show.experiment.outputs import outputs
from phoenix_cli.show.experiment.prediction import NO_PREDICTION, prediction_notes, prediction_rows
from phoenix_cli.show.experiment.ruling import aftermath, arm_title, next_step, ruling
from phoenix_cli.show.report.plot import Flag, reduction_plot, scale_note, series_plot

WIDE, NARROW = 860, 400
"""Widths of the pictures: each is drawn twice, and the style sheet shows the one that fits."""


def html_report(
    experiment: Experiment,
    evaluation: Evaluation | None,
    configs: Mapping[str, Any] | None,
    audit: Sequence[AuditRecord],
    *,
    now: float,
    phases: Mapping[str, float] | None = None,
    comparison: Comparison | None = None,
) -> str:
    """The page. configs: baseline and candidate, as a stock collector runs them. audit: the experiment's whole chain.
    now: Unix seconds, printed as the time of making. phases: name to seconds, when the caller timed the run.
    comparison: a prediction beside what was measured, None when none was made."""
    ruled = ruling(experiment, evaluation)
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            experiment=experiment,
            spec=experiment.spec,
            evaluation=evaluation,
            ruled=ruled,
            aftermath=aftermath(experiment),
            next_step=next_step(experiment, ruled),
            kept=critical_total(evaluation.critical) if evaluation else None,
            kept_mark=critical_mark(evaluation.critical) if evaluation else None,
            measuring=measuring_fact(evaluation) if evaluation else None,
            misses=_misses(evaluation.critical) if evaluation else (),
            plots=_plots(experiment, evaluation) if evaluation else None,
            configs=_yaml(configs),
            proof_of=_proof_of(experiment),
            timeline=_timeline(experiment),
            audit=audit,
            chain_broken=broken_at(audit),
            now=now,
            phases=phases or {},
            predicted=tuple(prediction_rows(comparison)) if comparison else (),
            predicted_notes=tuple(prediction_notes(comparison)) if comparison else (NO_PREDICTION,),
        )
    )


def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("phoenix_cli.show.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(
        clean=figures.clean,
        sentence=lambda text: _unbroken(figures.sentence(text)),
        whole=figures.whole,
        percent=lambda share, digits=1: _unbroken(figures.percent(share, digits)),
        size=figures.size,
        money=figures.money,
        duration=figures.duration,
        moment=figures.day_and_time,
        clock=figures.time_of_day,
        clock_ns=lambda time_ns: figures.time_of_day(time_ns / 1e9),
        moment_ns=lambda time_ns: figures.day_and_time(time_ns / 1e9),
        age=figures.age,
        absent_at=_absent,
        words=lambda text: str(text).replace("_", " "),
    )
    made.globals.update(
        interval=lambda low, high: _unbroken(figures.interval(low, high)),
        arm_title=arm_title,
        plural=figures.plural,
        whole_share=figures.whole_share,
        kept_processes=kept_processes,
        outputs=outputs,
        kpi_cells=kpi_cells,
        kpi_headings=HEADINGS,
        ratio_text=ratio_text,
    )
    return made


def _unbroken(text: str) -> str:
    """A number and its per cent sign stay on one line."""
    return text.replace(" %", "\N{NO-BREAK SPACE}%")


def _misses(report: CriticalReport) -> tuple[Miss, ...]:
    """Every miss, the candidate's confirmed ones first."""
    return (*report.breaches, *report.baseline_breaches, *report.unconfirmed)


def _plots(experiment: Experiment, evaluation: Evaluation) -> dict[str, Any]:
    evidence = evaluation.evidence
    opened = evidence.window.start_ns / 1e9
    flags = [
        Flag(event.at - opened, number, f"{event.state.value.replace('_', ' ')} at {figures.time_of_day(event.at)}")
        for number, event in enumerate(experiment.events, start=1)
    ]

    def series(width: int, height: int) -> str:
        interval_s = evidence.limits.interval_s
        return series_plot(evidence.rows, flags, interval_s=interval_s, opened=opened, width=width, height=height)

    drawn = bool(evidence.rows.seconds)
    return {
        "series": (series(WIDE, 330), series(NARROW, 300)) if drawn else None,
        "scale": scale_note(evidence.rows) if drawn else "",
        "reduction": tuple(reduction_plot(evaluation.reduction, width=width) for width in (WIDE, NARROW)),
    }


def _yaml(configs: Mapping[str, Any] | None) -> dict[str, str]:
    if not configs:
        return {}
    return {arm: yaml.safe_dump(configs[arm], sort_keys=False, width=100) for arm in ("baseline", "candidate")}


def _proof_of(experiment: Experiment) -> str:
    """What `experiment.proofs` prove, in words: they are of what the present state promises."""
    if experiment.state is State.COMPLETED:
        return "the promoted pipeline"
    return "the previous configuration" if experiment.state in END_STATES else "the configuration under test"


def _timeline(experiment: Experiment) -> list[dict[str, Any]]:
    """Events with the seconds since the one before; a reason that merely repeats the one before is said once."""
    out: list[dict[str, Any]] = []
    for number, event in enumerate(experiment.events, start=1):
        before = out[-1]["event"] if out else event
        why = "" if out and event.detail and event.detail == before.detail else event.detail or event.cause
        out.append({"number": number, "event": event, "after": event.at - before.at, "why": why})
    return out


def _absent(gap: Gap) -> str:
    """ "14:02:15", and which streams were absent when others came."""
    at = figures.time_of_day(gap.at_ns / 1e9)
    return at if len(gap.absent) >= 3 else f"{at} (no {', '.join(gap.absent)})"
