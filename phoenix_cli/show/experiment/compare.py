"""The comparison: raw, baseline and candidate side by side for people, and all that the verdict rests on for scripts.

Nothing is computed but a cost per stream that the evaluation already holds; what was not measured says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from chalicelib.domain.evaluation.evaluation import recompute
from chalicelib.domain.evaluation.result.result import Evaluation
from chalicelib.domain.experiment.state import Experiment
from chalicelib.domain.measurement import Variant
from chalicelib.domain.prediction.realised import Comparison
from phoenix_cli.show import figures
from phoenix_cli.show.experiment.canary import stands_for
from phoenix_cli.show.experiment.facts import (
    coverage_fact,
    left_fact,
    measuring_fact,
    overhead_fact,
    reduction_fact,
    waiting_fact,
)
from phoenix_cli.show.experiment.outputs import outputs
from phoenix_cli.show.experiment.ruling import aftermath, arm_title, ruling
from phoenix_cli.show.experiment.status import MARKS

STREAMS = (Variant.RAW, Variant.BASELINE, Variant.CANDIDATE)
_NONE = ("–", "–", "–")


def compare_table(experiment: Experiment, evaluation: Evaluation | None) -> Table:
    """Raw, baseline and candidate as columns. What is measured for both arms together stands in its own row."""
    ruled = ruling(experiment, evaluation)
    title = Text(f"{experiment.name}: {ruled.word.lower()}", style="bold")
    out = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    out.add_column("")
    for heading in ("raw", "baseline", "candidate"):
        out.add_column(heading, justify="right", overflow="fold")
    pipelines = (arm_title(experiment.spec.baseline), arm_title(experiment.spec.candidate))
    out.add_row("pipeline", Text("as scraped", style="dim"), *(Text(name) for name in pipelines))
    if evaluation is None:
        out.add_row("series per scrape", *_NONE)
        out.caption = Text("not evaluated yet")
        return out
    for label, *cells in _rows(evaluation):
        out.add_row(Text(label), *(Text(cell) for cell in cells))
    out.caption = Text("\n".join(_together(evaluation)))
    out.caption_justify = "left"
    return out


def _rows(evaluation: Evaluation) -> Iterable[tuple[str, ...]]:
    if meaning := stands_for(evaluation.evidence.canary):
        yield meaning
    mean, per_minute = evaluation.series.mean, 60 / evaluation.evidence.limits.interval_s
    amounts = (mean.raw, mean.baseline, mean.candidate) if mean else None
    yield ("series per scrape", *(map(figures.whole, amounts) if amounts else _NONE))
    yield ("points per minute", *((figures.whole(amount * per_minute) for amount in amounts) if amounts else _NONE))
    sent = {one.variant: one for one in outputs(evaluation.overhead.hosts)}
    octets = {variant: one.octets for variant, one in sent.items() if one.octets is not None}
    if octets:
        cells = (figures.size(octets[v]) if v in octets else "not measured" for v in STREAMS)
        yield ("bytes sent", *cells)
    if cost := evaluation.cost:
        each = (cost.raw_per_month, cost.baseline_per_month, cost.candidate_per_month)
        label = "cost a month (example)" if cost.price_book.example else "cost a month"
        yield (label, *(figures.money(amount, cost.price_book.currency) for amount in each))
    for row in evaluation.critical.patterns:
        name = f"critical {figures.clean(row.pattern)}"
        if not row.seen:
            yield (name, "not seen", "not measured", "not measured")
            continue
        of_baseline = row.raw if row.baseline_raw is None else row.baseline_raw
        kept = ((row.baseline, of_baseline), (row.candidate, row.candidate_due))
        shares = (figures.whole_share(have, due) if due else "not measured" for have, due in kept)
        yield (name, figures.plural(row.processes, "process", "processes"), *shares)
    yield from _collectors(evaluation)


def _collectors(evaluation: Evaluation) -> Iterable[tuple[str, ...]]:
    """What each arm's own collectors use, all hosts together; only dedicated mode can tell."""
    hosts = evaluation.overhead.hosts
    arms = [[host for host in hosts if host.arm is arm] for arm in (Variant.BASELINE, Variant.CANDIDATE)]
    if not all(arms):
        return
    cpu = [[host.cpu_share for host in arm if host.cpu_share is not None] for arm in arms]
    rss = [[host.rss_mean_bytes for host in arm if host.rss_mean_bytes is not None] for arm in arms]
    yield ("collector CPU", "–", *(figures.percent(sum(x), 2) + " of a core" if x else "not measured" for x in cpu))
    yield ("collector memory", "–", *(figures.size(sum(x)) if x else "not measured" for x in rss))


def _together(evaluation: Evaluation) -> list[str]:
    facts = [reduction_fact(evaluation), overhead_fact(evaluation), coverage_fact(evaluation)]
    more = (measuring_fact(evaluation), waiting_fact(evaluation), left_fact(evaluation))
    facts += [fact for fact in more if fact is not None]
    return [f"{fact.label:<10} {fact.text}   {MARKS[fact.mark]}".rstrip() for fact in facts]


def compare_document(
    experiment: Experiment,
    evaluation: Evaluation | None,
    phases: Mapping[str, float] | None = None,
    *,
    comparison: Comparison | None = None,
) -> dict[str, Any]:
    """Everything, as JSON values with camelCase keys. Without an evaluation its keys are null.

    The evaluation's own keys stand at the top and can be read back (`evaluation_in`); from them the verdict can be
    computed again, and `recomputed` is what that gives.
    """
    ruled = ruling(experiment, evaluation)
    whole = experiment.model_dump(mode="json", by_alias=True)
    measured: dict[str, Any] = dict.fromkeys(_keys())
    if evaluation is not None:
        measured = evaluation.model_dump(mode="json", by_alias=True)
    latest = measured.pop("verdict"), measured.pop("reason"), measured.pop("explanation"), measured.pop("hint")
    again = recompute(evaluation) if evaluation is not None else None
    return {
        "name": experiment.name,
        "state": experiment.state.value,
        "verdict": ruled.verdict or None,
        "reason": ruled.reason or None,
        "headline": ruled.headline,
        "explanation": ruled.explanation,
        "hint": ruled.hint,
        "decidedAt": ruled.at if ruled.verdict else None,
        "done": aftermath(experiment),
        **measured,
        "latest": dict(zip(("verdict", "reason", "explanation", "hint"), latest, strict=True)),
        "recomputed": {"verdict": again[0].value if again[0] else None, "reason": again[1].value} if again else None,
        "prediction": comparison.model_dump(mode="json", by_alias=True) if comparison else None,
        "proofs": whole.pop("proofs"),
        "events": whole.pop("events"),
        "phaseSeconds": dict(phases) if phases is not None else None,
        "experiment": whole,
    }


def evaluation_in(document: Mapping[str, Any]) -> Evaluation | None:
    """The evaluation of a `compare_document`, also after a trip through JSON. None when it had none."""
    if document["evidence"] is None:
        return None
    # What an older version exported lacks what came later.
    values = {key: document[key] for key in _keys() if key not in document["latest"] and key in document}
    return Evaluation.model_validate({**values, **document["latest"]})


def _keys() -> list[str]:
    return [field.alias or name for name, field in Evaluation.model_fields.items()]
